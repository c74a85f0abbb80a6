import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeWav } from '../../../models/audio/index.ts';
import { compactPackFolder } from '../../../models/packs/index.ts';
import { finished, startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { blockChoices } from '../../../engine/evaluate/layers.ts';

/** A folder with two tones in folders of their own. */
function tones(): string {
  const folder = testFolder();
  for (const [name, hertz] of Object.entries({ low: 220, high: 880 })) {
    mkdirSync(join(folder, 'music', name), { recursive: true });
    for (let take = 0; take < 2; take++) {
      const samples = Float32Array.from(
        { length: 12_000 },
        (_, n) => 0.2 * Math.sin((2 * Math.PI * (hertz + take) * n) / 24_000),
      );
      writeFileSync(
        join(folder, 'music', name, `${String(take)}.wav`),
        encodeWav(samples, 24_000, 'float32'),
      );
    }
  }
  return folder;
}

/** An evaluation of these spaces, run. */
async function evaluated(
  { client }: Awaited<ReturnType<typeof startTestEngine>>,
  folder: string,
  features: string,
): Promise<string> {
  const path = join(folder, 'layers.yml');
  writeFileSync(
    path,
    `experiments:
  - task: { type: multiclass_classification }
    datasets: [{ name: tones, type: folders, dir: music }]
    features: [${features}]
    probes: [{ type: knn, k: 1 }]
    split: { kind: folds, folds: 2 }
    windows: 1
`,
  );
  const { jobId } = await client.call('evaluations.run', { file: { kind: 'file', path } });
  return (await finished(client, jobId, 'evaluate')).evaluationId;
}

it('looks at layers inside networks, and names those that there are', async () => {
  const folder = tones();
  const engine = await startTestEngine({ packFolders: [dirname(compactPackFolder())] });
  const evaluationId = await evaluated(
    engine,
    folder,
    'compact@5, { pack: compact, layer: 0 }, { pack: compact, layer: 9 }, mfcc@1',
  );
  const table = await engine.client.call('evaluations.table', { evaluationId });
  expect([...new Set(table.rows.map(({ space }) => space))]).toEqual([
    'compact-layer-blocks-5',
    'compact-layer-blocks-0',
  ]);
  expect(table.marks.map(({ message }) => message)).toEqual([
    expect.stringMatching(/has no layer 9\. It has 0 \(blocks\.0\), 1 \(blocks\.1\)/),
    expect.stringMatching(/mfcc has no layers\. .*hand-made spaces have parts/),
  ]);
  expect(table.madeBy.packs.map(({ id }) => id)).toContain('compact-layer-blocks-0');
  // A form takes every block of the networks among its spaces, and formulas as they are.
  const { text } = await engine.client.call('evaluations.compose', {
    ...{ name: 'Layers', task: 'single', deformations: [], spaces: ['mfcc', 'compact'], layers: true },
    ...{ probes: ['knn'], seeds: [1], folds: 2, windows: 2, dataset: { kind: 'folders', name: 'music' } },
  });
  const read = await engine.client.call('evaluations.read', {
    file: { kind: 'text', name: 'x.yml', content: text },
  });
  const blocks = [0, 1, 2, 3, 4, 5].map((block) => `compact@${String(block)}`);
  expect(read.experiments[0]?.spaces).toEqual(['mfcc', ...blocks, 'compact']);

  // Layers are compared as spaces are.
  expect(table.similarities.map(({ first, second }) => [first, second])).toEqual([
    ['compact-layer-blocks-5', 'compact-layer-blocks-0'],
  ]);
}, 180_000);

it('keeps the packs of layers as long as an evaluation names them', async () => {
  const folder = tones();
  const engine = await startTestEngine({ packFolders: [dirname(compactPackFolder())] });
  const { client } = engine;
  const built = join(engine.options.dataFolder, 'built-packs');
  const layers = (): string[] => readdirSync(built).filter((name) => name.includes('-layer-'));
  // What a run of an earlier process left, of a layer that nothing names.
  mkdirSync(join(built, 'compact-layer-blocks-3-0123456789abcdef'), { recursive: true });
  const first = await evaluated(engine, folder, 'compact@5, compact@0, mfcc');
  expect(layers()).toEqual([
    expect.stringMatching(/^compact-layer-blocks-0-/),
    expect.stringMatching(/^compact-layer-blocks-5-/),
  ]);
  const second = await evaluated(engine, folder, 'compact@0, mfcc');
  await client.call('evaluations.remove', { evaluationId: first });
  expect(layers()).toEqual([expect.stringMatching(/^compact-layer-blocks-0-/)]);
  // It is made again where it is asked for again, and what is in use is not touched by what goes.
  const again = await evaluated(engine, folder, 'compact@5, mfcc');
  expect(layers()).toHaveLength(2);
  for (const evaluationId of [second, again]) await client.call('evaluations.remove', { evaluationId });
  expect(layers()).toEqual([]);
  expect(readdirSync(built)).toContain('mfcc-1.0.0');
}, 180_000);

it('names blocks by their numbers, and by their names where two stacks count alike', () => {
  const layer = (name: string, number: number | null) => ({ name, number, value: name, dims: [null, 4] });
  expect(
    blockChoices([
      ...[layer('encoder.blocks.0', 0), layer('encoder.blocks.1', 1), layer('decoder.blocks.0', 0)],
      layer('z', null),
    ]),
  ).toEqual(['encoder.blocks.0', 1, 'decoder.blocks.0']);
});
