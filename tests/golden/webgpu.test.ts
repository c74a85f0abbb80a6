import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { encoderGraph } from '../../models/onnx/graphs/encodecmae.ts';
import { encodecDecoderGraph, encodecEncoderGraph } from '../../models/onnx/graphs/encodec.ts';
import { melGraph } from '../../models/onnx/graphs/mel.ts';
import { Random } from '../../models/numerics/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { softwareVulkanDriver } from '../support/vulkan.ts';
import { runGraph, type Feed } from './codec-support.ts';
import { checkpoint, compare, official, tiny } from './official-support.ts';

const driver = softwareVulkanDriver();
const LIMIT = 1e-4;

interface Job {
  name: string;
  graph: Uint8Array;
  feeds: Record<string, Feed>;
}

async function jobs(): Promise<Job[]> {
  const codec = await checkpoint('encodec_tiny.th');
  const model = (await checkpoint('diffae_tiny/weights.pt')).under('encoder.encodecmae_model');
  const encode = await encodecEncoderGraph(codec, { prefix: 'encoder.model' });
  const hidden = await encoderGraph(model, { frames: tiny.frames, heads: tiny.heads });
  const random = new Random(1);
  const feed = (...dims: number[]): Feed => {
    const count = dims.reduce((a, b) => a * b, 1);
    return [Float32Array.from(random.normals(count), (value) => 0.1 * value), dims];
  };
  const frames = { features: feed(1, tiny.frames, tiny.features) };
  return [
    ...[1, 1000, 6401].map((n) => ({
      name: `EnCodec encoder, ${n} samples`,
      graph: encode,
      feeds: { waveform: feed(1, n) },
    })),
    { name: 'EnCodec encoder, batch of 2', graph: encode, feeds: { waveform: feed(2, 3200) } },
    {
      name: 'EnCodec decoder',
      graph: await encodecDecoderGraph(codec, { prefix: 'decoder.model' }),
      feeds: frames,
    },
    { name: 'mel front-end', graph: melGraph(), feeds: { waveform: feed(2, 1600) } },
    { name: 'EnCodecMAE', graph: hidden, feeds: frames },
  ];
}

it.skipIf(official.missing || driver === null)(
  'graphs of the official models give on webgpu what they give on the CPU',
  { timeout: 180_000 },
  async () => {
    const list = await jobs();
    const folder = await temporaryFolder();
    const graphs = [...new Set(list.map(({ graph }) => graph))];
    for (const [i, graph] of graphs.entries()) await writeFile(join(folder, `${i}.onnx`), graph);
    const plain = list.map(({ graph, feeds }) => ({
      graph: `${graphs.indexOf(graph)}.onnx`,
      feeds: Object.fromEntries(
        Object.entries(feeds).map(([name, [data, dims]]) => [name, { data: Array.from(data, Number), dims }]),
      ),
    }));
    await writeFile(join(folder, 'jobs.json'), JSON.stringify({ provider: 'webgpu', jobs: plain }));
    const child = resolve(import.meta.dirname, '../support/graph-child.mjs');
    const env = { ...process.env, VK_ICD_FILENAMES: driver ?? '', XDG_RUNTIME_DIR: folder };
    await promisify(execFile)(process.execPath, [child, folder], { env });
    const found = JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8')) as number[][];
    expect(found).toHaveLength(list.length);
    for (const [i, { name, graph, feeds }] of list.entries()) {
      const [expected] = (await runGraph(graph, feeds)).values();
      compare(`${name}, webgpu and CPU`, found[i] ?? [], expected?.data ?? [], LIMIT);
    }
  },
);
