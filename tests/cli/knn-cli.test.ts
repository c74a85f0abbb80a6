import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';
import { smallParquet } from '../support/parquet.ts';
import { sharedFolder } from '../support/shared.ts';

describe('archetone knn', { timeout: 180_000 }, () => {
  let train: string;
  let test: string;
  const knn = (...more: string[]): string[] => ['knn', '--train', train, '--test', test, ...more, '--json'];

  beforeAll(() => {
    const folder = testFolder();
    [train, test] = [join(folder, 'train.csv'), join(folder, 'test.csv.gz')];
    writeFileSync(train, 'x,y,a,b\n0,0,1,0\n1,0,0,1\n2,0,1,1\n3,0,0,0\n');
    writeFileSync(test, gzipSync('x,y,a,b\n0.1,0,1,0\n2.2,0,1,1\n2.9,0,1,0\n'));
  });

  it('predicts one file from another and scores it', async () => {
    const run = await runCli(knn('--label-count', '2', '--classifier', 'lpknn', '--k', '1'));
    expect(run.code, run.stderr).toBe(0);
    const answer = run.json() as Record<string, unknown>;
    expect(answer).toMatchObject({
      train: { rows: 4, features: 2 },
      test: { rows: 3 },
      labels: ['a', 'b'],
      parameters: { classifier: 'lpknn', k: 1, metric: 'euclidean' },
      metrics: { hammingLoss: 1 / 6, exactMatch: 2 / 3, f1Micro: 6 / 7 },
    });
    expect(answer).not.toHaveProperty('perLabel');
    expect(answer['seconds']).toMatchObject({ predict: expect.any(Number) as number });
  });

  it('reads Parquet', async () => {
    const path = join(testFolder(), 'set.parquet');
    writeFileSync(path, await smallParquet());
    const run = await runCli(['knn', '--train', path, '--test', path, '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ train: { rows: 4, features: 1 }, labels: ['a', 'b'] });
  });

  it('adds every measure and label on request, with another classifier, k and metric', async () => {
    const run = await runCli(
      knn('--label-count', '2', '--classifier', 'mlknn', '-k', '3', '--metric', 'cosine', '--metrics', 'all'),
    );
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      parameters: { classifier: 'mlknn', k: 3, metric: 'cosine' },
      metrics: { coverage: expect.any(Number) as number, f1Weighted: expect.any(Number) as number },
      perLabel: [
        { label: 'a', support: 3 },
        { label: 'b', support: 1 },
      ],
    });
    const text = await runCli(knn('--label-count', '2', '--metrics', 'all').slice(0, -1));
    expect(text.stdout).toContain('ranking loss');
    expect(text.stdout).toMatch(/label +rows +predicted/);
  });

  it('says what is wrong with its input', async () => {
    const refusal = async (...more: string[]): Promise<[number | null, unknown]> => {
      const run = await runCli(knn(...more));
      return [run.code, (run.json() as { error: { message: string } }).error.message];
    };
    expect(await refusal('--label-count', '2', '--k', '5')).toEqual([
      2,
      'k = 5 neighbours cannot be taken from 4 rows.',
    ]);
    expect((await refusal('--label-count', '2', '--k', '0'))[0]).toBe(2);
    expect((await refusal('--label-count', '2', '--labels', 'x.xml'))[0]).toBe(2);
    expect((await refusal('--label-count', '2', '--classifier', 'knn'))[0]).toBe(2);
    const missing = await runCli([
      'knn',
      '--train',
      train,
      '--test',
      `${test}.no`,
      '--label-count',
      '2',
      '--json',
    ]);
    expect(missing.code).toBe(3);
    const other = join(testFolder(), 'other.csv');
    writeFileSync(other, 'x,a,b\n0,1,0\n');
    const unequal = await runCli(['knn', '--train', train, '--test', other, '--label-count', '2', '--json']);
    expect(unequal.code).toBe(2);
    expect(unequal.stdout).toContain('1 features and 2 labels');
  });

  const data = sharedFolder('golden/multilabel/data');
  it.skipIf(data.missing)('gives the reference figures of emotions (LP-kNN, k = 1)', async () => {
    const part = (name: string): string => data.path(`emotions.${name}.csv.gz`);
    const run = await runCli([
      'knn',
      '--train',
      part('train'),
      '--test',
      part('test'),
      '--label-count',
      '6',
      '--metrics',
      'all',
      '--json',
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { metrics } = run.json() as { metrics: Record<string, number> };
    // golden/multilabel/golden/emotions.metrics.csv: no noise, ALL, LPkNN, 1.
    const golden = {
      hammingLoss: 0.326733,
      exactMatch: 0.188119,
      accuracy: 0.390759,
      f1Samples: 0.463531,
      jaccardMicro: 0.329949,
      f1Micro: 0.496183,
      jaccardMacro: 0.323874,
      f1Macro: 0.478596,
      rankingLossHard: 0.584076,
    };
    for (const [name, value] of Object.entries(golden)) expect(metrics[name], name).toBeCloseTo(value, 6);
  });
});
