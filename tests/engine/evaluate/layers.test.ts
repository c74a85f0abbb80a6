import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeWav } from '../../../models/audio/index.ts';
import { compactPackFolder } from '../../../models/packs/index.ts';
import { finished, startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { blockChoices } from '../../../engine/evaluate/layers.ts';

it('looks at layers inside networks, and names those that there are', async () => {
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
  const path = join(folder, 'layers.yml');
  writeFileSync(
    path,
    `experiments:
  - task: { type: multiclass_classification }
    datasets: [{ name: tones, type: folders, dir: music }]
    features: [compact@5, { pack: compact, layer: 0 }, { pack: compact, layer: 9 }, mfcc@1]
    probes: [{ type: knn, k: 1 }]
    split: { kind: folds, folds: 2 }
    windows: 1
`,
  );
  const engine = await startTestEngine({ packFolders: [dirname(compactPackFolder())] });
  const { jobId } = await engine.client.call('evaluations.run', { file: { kind: 'file', path } });
  const { evaluationId } = await finished(engine.client, jobId, 'evaluate');
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

it('names blocks by their numbers, and by their names where two stacks count alike', () => {
  const layer = (name: string, number: number | null) => ({ name, number, value: name, dims: [null, 4] });
  expect(
    blockChoices([
      ...[layer('encoder.blocks.0', 0), layer('encoder.blocks.1', 1), layer('decoder.blocks.0', 0)],
      layer('z', null),
    ]),
  ).toEqual(['encoder.blocks.0', 1, 'decoder.blocks.0']);
});
