import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../models/numerics/random.ts';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { patchedOut } from '../../../models/onnx/patch-out.ts';
import { encodeModel, parseModel } from '../../../models/onnx/proto.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';
import {
  compactPackFolder,
  layerPack,
  layersOf,
  openRuntime,
  packWith,
  readPack,
  writePack,
  type Pack,
} from '../../../models/packs/index.ts';
import { handmadePack } from '../../../models/handmade/pack.ts';
import { handmadeSpaces } from '../../../models/handmade/registry.ts';
import { readGraph } from '../../../models/packs/graph-file.ts';
import { testFolder } from '../../support/music.ts';

const WIDTH = 4;
const FRAMES = 3;

/** A network of two blocks that can be followed by hand: each adds its number to every frame and scales it. */
function network(): Uint8Array {
  const g = new GraphBuilder('two blocks');
  let stream = g.input('rows', 'float32', ['batch', FRAMES, WIDTH]);
  const one = g.weight('scale', [WIDTH], new Float32Array(WIDTH).fill(1));
  const none = g.weight('bias', [WIDTH], new Float32Array(WIDTH));
  for (const block of [0, 1]) {
    g.section(`blocks.${String(block)}`);
    g.layerNorm(stream, one, none, 1e-5);
    stream = g.mul(stream, g.weight(`twice.${String(block)}`, [1], Float32Array.of(block + 2)));
  }
  g.section('');
  const normed = g.layerNorm(stream, one, none, 1e-5);
  g.output('z', g.reduceMean(normed, [1], false), ['batch', WIDTH]);
  return g.build();
}

async function twoBlocks(): Promise<Pack> {
  const onnx = network();
  const compact = await readPack(compactPackFolder());
  const rest = { ...compact.manifest };
  delete rest.sampler;
  delete rest.phaseRetrieval;
  delete rest.levels;
  const manifest = {
    ...rest,
    ...{ id: 'two-blocks', kind: 'embedding-only' as const, quality: {} },
    ...{
      sampleRate: 4000,
      windowSeconds: 0.003,
      windowSamples: FRAMES * WIDTH,
      frameRate: 1000,
      framesPerWindow: FRAMES,
    },
    ...{ featureDim: 1, embeddingDim: WIDTH },
    graphs: {
      network: {
        ...{ file: 'network.onnx', bytes: onnx.length },
        sha256: createHash('sha256').update(onnx).digest('hex'),
      },
    },
    network: {
      input: { name: 'rows', axes: ['batch' as const, 'time' as const, 'one' as const] },
      ...{ patch: FRAMES * WIDTH, hop: FRAMES * WIDTH, patches: 1 },
      embedding: { output: 'z', dims: [WIDTH], tokens: 'mean' as const },
    },
  };
  const folder = testFolder();
  await writePack({ manifest, files: new Map([['network.onnx', onnx]]) }, folder);
  return packWith(manifest, folder);
}

/** The same pack with another network. */
async function withGraph({ manifest }: Pack, onnx: Uint8Array): Promise<Pack> {
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  const graphs = { network: { file: 'network.onnx', bytes: onnx.length, sha256 } };
  const folder = testFolder();
  await writePack({ manifest: { ...manifest, graphs }, files: new Map([['network.onnx', onnx]]) }, folder);
  return packWith({ ...manifest, graphs }, folder);
}

describe('layers of a pack', () => {
  it('are its blocks and outputs, by number and name', async () => {
    const layers = await layersOf(await twoBlocks());
    expect(layers.map(({ name, number, dims }) => [name, number, dims])).toEqual([
      ['blocks.0', 0, [null, WIDTH]],
      ['blocks.1', 1, [null, WIDTH]],
      ['z', null, [WIDTH]],
    ]);
    const compact = await layersOf(await readPack(compactPackFolder()));
    expect(compact.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `blocks.${String(n)}`));
  });

  it('that are not there are named beside those that are; formulas have none', async () => {
    const pack = await twoBlocks();
    await expect(layerPack(pack, 7)).rejects.toMatchObject({
      message: 'the pack two-blocks has no layer 7',
      hint: 'It has 0 (blocks.0), 1 (blocks.1), z.',
    });
    const [space] = handmadeSpaces;
    if (!space) throw new Error('there are no hand-made spaces');
    const { manifest } = handmadePack(space);
    await expect(layersOf(packWith(manifest, testFolder()))).rejects.toThrow(/has no layers/);
  });

  it('are none where an output says no sizes, and no layer is cut out of a network with branches', async () => {
    const pack = await twoBlocks();
    const bare = parseModel(network());
    const [z] = bare.graph.output;
    if (z) bare.graph.output = [{ name: z.name } as typeof z];
    expect((await layersOf(await withGraph(pack, encodeModel(bare)))).map(({ name }) => name)).toEqual([
      'blocks.0',
      'blocks.1',
    ]);
    const branched = parseModel(network());
    const [first] = branched.graph.node;
    const branch = { name: 'then_branch', type: 5, g: { node: [], name: 'empty' } };
    first?.attribute.push(branch);
    await expect(layerPack(await withGraph(pack, encodeModel(branched)), 0)).rejects.toMatchObject({
      name: 'PackError',
      message: expect.stringContaining('cannot be cut out of its network') as string,
    });
  });

  it('of the compact pack give the mean over time of what its encoder has there', async () => {
    const pack = await readPack(compactPackFolder());
    const { framesPerWindow, featureDim, windowSamples } = pack.manifest;
    const sound = new Random(4).normals(2 * windowSamples).map((value) => 0.1 * value);
    const whole = await openRuntime(pack, { threads: 1 });
    const features = await whole.features(sound, 2);
    const files = await layerPack(pack, 3);
    expect(files.manifest).toMatchObject({ id: 'compact-layer-blocks-3', kind: 'embedding-only' });
    const folder = testFolder();
    await writePack(files, folder);
    const made = await openRuntime(await readPack(folder), { threads: 1 });
    const said = await made.embed(sound, 2);
    const width = files.manifest.embeddingDim;
    expect(said).toHaveLength(2 * width);

    // ONNX Runtime itself runs the graph on each window alone: the encoder cuts windows into pieces, and puts the first pieces of
    // all before the second ones.
    const layer = (await layersOf(pack)).find(({ number }) => number === 3);
    const session = await InferenceSession.create(
      patchedOut(await readGraph(pack, 'encoder'), { every: 1, outputs: [layer?.value ?? '', 'hidden'] }),
    );
    const size = framesPerWindow * featureDim;
    for (let window = 0; window < 2; window++) {
      const frames = features.slice(window * size, (window + 1) * size);
      const outputs = await session.run({
        features: new Tensor('float32', frames, [1, framesPerWindow, featureDim]),
      });
      const value = outputs[layer?.value ?? ''];
      if (!(value?.data instanceof Float32Array)) throw new Error('no value');
      expect(value.dims.at(-1)).toBe(width);
      const rows = value.data.length / width;
      for (let d = 0; d < width; d += 37) {
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += value.data[row * width + d] ?? NaN;
        expect(said[window * width + d]).toBeCloseTo(sum / rows, 4);
      }
    }
    // Each of them is another space than the pack's own.
    expect(packWith(files.manifest, folder).encoderSha256).not.toBe(pack.encoderSha256);
    await Promise.all([made.close(), whole.close(), session.release()]);
  }, 60_000);
});
