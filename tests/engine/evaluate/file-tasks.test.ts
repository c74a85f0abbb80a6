import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EvaluationTable } from '../../../engine/api/evaluations.ts';
import { Random } from '../../../models/numerics/random.ts';
import { writeNpz } from '../../../models/tensors/index.ts';
import { settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

/** Rows of two numbers around one of two places, and a third that says nothing. */
function csv(seed: number, count: number, header = 'x,y,noise,near,far'): string {
  const random = new Random(seed);
  const rows = Array.from({ length: count }, (_, i) => {
    const far = i % 2;
    const numbers = [4 * far + 0.3 * random.normal(), -4 * far + 0.3 * random.normal(), random.normal()];
    return [...numbers.map((value) => value.toFixed(4)), 1 - far, far].join(',');
  });
  return `${[header, ...rows].join('\n')}\n`;
}

const yaml = (dataset: string, more = ''): string => `experiments:
  - task: { type: multiclass_classification }
    datasets:
      - ${dataset}
    features: [own]
    probes: [{ type: knn, k: 3 }, { type: linear }]
    split: { kind: folds, folds: 4 }
${more}`;

async function evaluate(engine: TestEngine, folder: string, text: string): Promise<EvaluationTable> {
  const path = join(folder, 'evaluation.yml');
  writeFileSync(path, text);
  const { jobId } = await engine.client.call('evaluations.run', { file: { kind: 'file', path } });
  const job = await settled(engine.client, jobId);
  if (job.error) throw Object.assign(new Error(job.error.message), job.error);
  if (job.result?.kind !== 'evaluate') throw new Error('no result');
  return engine.client.call('evaluations.table', { evaluationId: job.result.evaluationId });
}

describe('a data set file as a task', () => {
  it('is scored in the vectors that it holds, without deformations and packs', async () => {
    const engine = await startTestEngine();
    const folder = testFolder();
    writeFileSync(join(folder, 'points.csv'), csv(1, 40));
    const text = yaml(
      `{ name: points, type: file, file: points.csv, label_columns: 2, deformations: [[{ type: Gain, params: { min_gain_in_db: -6, max_gain_in_db: -6 } }]] }`,
    ).replace('[own]', '[own, mfcc]');
    const path = join(folder, 'read.yml');
    writeFileSync(path, text);
    const read = await engine.client.call('evaluations.read', { file: { kind: 'file', path } });
    expect(read).toMatchObject({ missing: [], experiments: [{ spaces: ['own vectors'], splits: 4 }] });
    expect(read.marks).toMatchObject([{ at: 'experiments[0].datasets[0].deformations' }]);
    const table = await evaluate(engine, folder, text);
    expect(table).toMatchObject({ cells: 8, planned: 8 });
    expect(new Set(table.rows.map(({ space }) => space))).toEqual(new Set(['own vectors']));
    const accuracy = table.rows.filter(({ metric }) => metric === 'accuracy');
    // Two places that lie 18 deviations apart, with every row tested once.
    expect(accuracy.map(({ mean, tested }) => [mean, tested])).toEqual([
      [1, 40],
      [1, 40],
    ]);
    expect(table.marks.map(({ message }) => message).join(' ')).toMatch(
      /holds no sound.*packs are not run on it/,
    );
    const { evaluationId } = table;
    await expect(
      engine.client.call('evaluations.audioUrl', { evaluationId, dataset: 'points', track: 'row 01' }),
    ).rejects.toThrow(/has no sound/);
    // The same file is the same evaluation, and nothing of it is made again.
    expect((await evaluate(engine, folder, text)).rows).toEqual(table.rows);
  });

  it('is tested on another file of the same columns, and on no other', async () => {
    const engine = await startTestEngine();
    const folder = testFolder();
    writeFileSync(join(folder, 'points.csv'), csv(1, 40));
    // One row bears neither label: it is nobody's test, and told of.
    writeFileSync(join(folder, 'more.csv'), `${csv(2, 30)}1,1,1,0,0\n`);
    writeFileSync(join(folder, 'turned.csv'), csv(2, 30, 'y,x,noise,near,far'));
    const across = (file: string): string =>
      yaml(
        `{ name: points, type: file, file: points.csv, label_columns: { last: 2 }, test_on: { name: more, type: file, file: ${file}, label_columns: [near, far] } }`,
      );
    const table = await evaluate(engine, folder, across('more.csv'));
    const accuracy = table.rows.find(({ metric, probe }) => metric === 'accuracy' && probe === '3-NN');
    expect(accuracy).toMatchObject({ dataset: 'points → more', mean: 1, tested: 30 });
    expect(table.marks).toContainEqual({ at: 'more', message: 'Without any label, and left out: 1 row.' });
    await expect(evaluate(engine, folder, across('turned.csv'))).rejects.toThrow(/they have other columns/);
  });

  it('keeps equal rows on one side, and tells of them', async () => {
    const engine = await startTestEngine();
    const folder = testFolder();
    // Labels by chance, every row twice: folds that parted the copies would know most labels.
    const random = new Random(5);
    const rows = Array.from({ length: 30 }, () => {
      const far = random.uniform() < 0.5 ? 1 : 0;
      return [random.normal().toFixed(4), random.normal().toFixed(4), 1 - far, far].join(',');
    });
    writeFileSync(join(folder, 'twice.csv'), `${['x,y,near,far', ...rows, ...rows].join('\n')}\n`);
    const table = await evaluate(
      engine,
      folder,
      yaml('{ name: twice, type: file, file: twice.csv, label_columns: 2 }').replace('k: 3', 'k: 1'),
    );
    const accuracy = table.rows.find(({ metric, probe }) => metric === 'accuracy' && probe === '1-NN');
    expect(accuracy?.tested).toBe(60);
    expect(accuracy?.mean).toBeLessThan(0.95);
    expect(table.marks.map(({ message }) => message).join(' ')).toMatch(/rows/i);
  });

  it('takes rows of one id for windows of one track', async () => {
    const engine = await startTestEngine();
    const folder = testFolder();
    // Two rows of a track lie close to each other, and labels are by chance: whoever parts them knows most labels.
    const random = new Random(6);
    const ids = Array.from({ length: 60 }, (_, row) => `track ${String(row % 30)}`);
    const places = random.normals(60);
    const data = Float32Array.from({ length: 120 }, (_, i) => (places[i % 60] ?? 0) + 1e-3 * random.normal());
    const kinds = Array.from({ length: 30 }, () => (random.uniform() < 0.5 ? 'near' : 'far'));
    writeFileSync(
      join(folder, 'windows.npz'),
      writeNpz({
        X: { dtype: 'float32', shape: [60, 2], data },
        y: {
          dtype: 'text',
          shape: [60],
          data: Array.from({ length: 60 }, (_, row) => kinds[row % 30] ?? ''),
        },
        ids: { dtype: 'text', shape: [60], data: ids },
      }),
    );
    const text = yaml('{ name: windows, type: file, file: windows.npz }').replace('k: 3', 'k: 1');
    const table = await evaluate(engine, folder, text);
    const accuracy = table.rows.find(({ metric, probe }) => metric === 'accuracy' && probe === '1-NN');
    expect(accuracy?.tested).toBe(30);
    expect(accuracy?.mean).toBeLessThan(0.95);
  });

  it('says what is wrong with it', async () => {
    const engine = await startTestEngine();
    const folder = testFolder();
    writeFileSync(join(folder, 'points.csv'), csv(1, 40));
    const run = (dataset: string): Promise<unknown> => evaluate(engine, folder, yaml(dataset));
    await expect(run('{ name: points, type: file }')).rejects.toThrow(/says no file/);
    await expect(run('{ name: points, type: file, file: gone.csv, label_columns: 2 }')).rejects.toThrow(
      /gone.csv/,
    );
    await expect(
      run('{ name: points, type: file, file: points.csv, label_columns: [nope] }'),
    ).rejects.toThrow(/nope/);
    const mir = yaml('{ name: points, type: file, file: points.csv, label_columns: 2 }')
      .replace('multiclass_classification', 'mir_targets')
      .replace(/probes: .*/, 'probes: [{ type: ridge }]');
    await expect(evaluate(engine, folder, mir)).rejects.toThrow(/Nothing of this evaluation can be run/);
  });

  it('is what a form says', async () => {
    const { client } = await startTestEngine();
    const { text } = await client.call('evaluations.compose', {
      ...{ name: 'Points', task: 'single', deformations: [], spaces: ['own'], probes: ['knn'] },
      ...{ seeds: [1], folds: 4, windows: 8 },
      dataset: { kind: 'file', name: 'points.csv', labels: { last: 2 } },
    });
    expect(text).toContain('type: file');
    const read = await client.call('evaluations.read', {
      file: { kind: 'text', name: 'x.yml', content: text },
    });
    expect(read).toMatchObject({
      marks: [],
      missing: ['points.csv'],
      experiments: [{ spaces: ['own vectors'] }],
    });
  });
});
