import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelFrontEnd } from '../../../models/packs/front-end.ts';
import { readGraph } from '../../../models/packs/graph-file.ts';
import { compactPackFolder, readPack } from '../../../models/packs/index.ts';
import { GraphSession } from '../../../models/packs/session.ts';
import { TEST_WINDOWS, testWaveforms } from '../../../models/packs/test-waveforms.ts';
import { relativeRms } from '../../../models/onnx/variant-error.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

const options = { provider: 'cpu', threads: 1 } as const;

async function compact() {
  const pack = await readPack(compactPackFolder());
  const graph = await readGraph(pack, 'features');
  const open = (name: 'features' | 'encoder' | 'summary') => GraphSession.open(pack, name, options);
  const sessions = [await open('features'), await open('encoder'), await open('summary')] as const;
  const [features, encoder, summary] = sessions;
  const one = async (session: GraphSession, input: Float32Array, batch: number) =>
    (await session.run([input], batch))[0] ?? new Float32Array();
  return {
    manifest: pack.manifest,
    graph,
    features: (waveforms: Float32Array, batch: number) => one(features, waveforms, batch),
    embed: async (values: Float32Array) =>
      one(summary, await one(encoder, values, TEST_WINDOWS), TEST_WINDOWS),
    close: () => Promise.all(sessions.map((session) => session.close())),
  };
}

describe('the front-end kernel', () => {
  it('gives the embeddings of the graph it stands for within 1e-5', async () => {
    const pack = await compact();
    const kernel = await kernelFrontEnd(pack.graph, pack.manifest, pack.features);
    const waveforms = testWaveforms(pack.manifest);
    const [found, wanted] = [
      kernel?.run(waveforms, TEST_WINDOWS) ?? new Float32Array(),
      await pack.features(waveforms, TEST_WINDOWS),
    ];
    expect(relativeRms([found], [wanted])).toBeLessThan(1e-5);
    expect(relativeRms([await pack.embed(found)], [await pack.embed(wanted)])).toBeLessThan(1e-5);
    await pack.close();
  });

  it('is not believed where the graph gives something else', async () => {
    const pack = await compact();
    const scaled = async (waveforms: Float32Array, batch: number) =>
      (await pack.features(waveforms, batch)).map((value) => 1.001 * value);
    expect(await kernelFrontEnd(pack.graph, pack.manifest, scaled)).toBeNull();
    await pack.close();
  });

  it('leaves graphs alone that it does not know', async () => {
    const tiny = await readPack(await writeTinyPack(await temporaryFolder(), { seed: 5 }));
    const graph = await readFile(join(tiny.folder, tiny.manifest.graphs.features?.file ?? ''));
    const run = () => Promise.reject(new Error('there is nothing to compare'));
    expect(await kernelFrontEnd(graph, tiny.manifest, run)).toBeNull();
  });
});
