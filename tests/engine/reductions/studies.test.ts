import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { Input } from '../../../engine/api/contract.ts';
import type { Reduction } from '../../../engine/api/reductions.ts';
import type { Study } from '../../../engine/api/studies.ts';
import { Database } from '../../../engine/storage/database.ts';
import { Random } from '../../../models/numerics/random.ts';
import { now, since } from '../../support/effort.ts';
import { finished, settled, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { smallParquet } from '../../support/parquet.ts';
import { sharedFolder } from '../../support/shared.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

type Request = Input<'reductions.study'>['request'];

let lib: TrainedLibrary;

beforeAll(async () => {
  lib = await trainedLibrary({ perClass: 10 });
});

const base = (): Request => ({
  source: { kind: 'library', taxonomyId: lib.taxonomyId },
  runs: [
    { method: 'MChen', parameters: { p: 20 } },
    { method: 'MChen', parameters: { p: 60 } },
    { method: 'MRHC' },
    { method: 'random', parameters: { p: 20 } },
  ],
  classifiers: ['lpknn', 'brknn-a', 'mlknn'],
  k: [1, 3],
  noise: [0, 40],
});

async function start(change: Partial<Request> = {}, test: TestEngine = lib.test) {
  return test.client.call('reductions.study', {
    libraryId: lib.libraryId,
    request: { ...base(), ...change },
  });
}

async function resultOf(studyId: string, test: TestEngine = lib.test) {
  const { libraryId } = lib;
  const study = (await test.client.call('reductions.studies', { libraryId })).find(
    ({ id }) => id === studyId,
  );
  if (!study) throw new Error('the study is not listed');
  return { study, reductions: await test.client.call('reductions.list', { libraryId, studyId }) };
}

async function run(change: Partial<Request> = {}): Promise<{ study: Study; reductions: Reduction[] }> {
  const { studyId, jobId } = await start(change);
  await finished(lib.test.client, jobId, 'study');
  return resultOf(studyId);
}

describe('a corpus', () => {
  it('is described by its labels, labelsets and copies', async () => {
    const corpus = await lib.test.client.call('reductions.corpus', {
      libraryId: lib.libraryId,
      source: { kind: 'library', taxonomyId: lib.taxonomyId },
    });
    // Three folders of ten tracks, each track with the one label of its folder.
    expect(corpus).toMatchObject({
      ...{ rows: 30, cardinality: 1, labelsets: 3, singleLabelsets: 0, unlabelled: 0, meanImbalance: 1 },
      ...{ duplicates: 0, conflicting: 0, silent: null, warnings: [] },
    });
    expect(corpus.density).toBeCloseTo(1 / 3, 12);
    expect(corpus.labels).toEqual(['bass', 'high', 'mid'].map((name) => ({ name, rows: 10, imbalance: 1 })));
  });

  it('in a file says what to mistrust and that it is silent', async () => {
    const path = join(testFolder(), 'set.csv');
    const rows = Array.from({ length: 12 }, (_, i) => [
      i < 2 ? 7 : i * 1.5,
      5,
      i % 3 === 0 ? 1 : 0,
      i < 3 ? 1 : 0,
    ]);
    rows[1] = [7, 5, 0, 0];
    writeFileSync(path, ['a,b,rare,other', ...rows.map((row) => row.join(','))].join('\n'));
    const corpus = await lib.test.client.call('reductions.corpus', {
      libraryId: lib.libraryId,
      source: { kind: 'dataset', path, labels: { kind: 'last', count: 2 } },
    });
    expect(corpus).toMatchObject({ rows: 12, dim: 2, duplicates: 1, conflicting: 1 });
    expect(corpus.silent).toContain('sound');
    expect(corpus.warnings).toContainEqual(
      expect.objectContaining({ code: 'constant', columns: ['b'] }) as unknown,
    );
    // rows 0, 3, 6, 9 bear the first label, rows 0 and 2 the second
    expect(corpus.labels).toEqual([
      { name: 'rare', rows: 4, imbalance: 1 },
      { name: 'other', rows: 2, imbalance: 2 },
    ]);
    expect(corpus.unlabelled).toBe(7);
  });

  it('may be a Parquet table', async () => {
    const path = join(testFolder(), 'set.parquet');
    writeFileSync(path, await smallParquet());
    const corpus = await lib.test.client.call('reductions.corpus', {
      libraryId: lib.libraryId,
      source: { kind: 'dataset', path, labels: null },
    });
    expect(corpus).toMatchObject({ rows: 4, dim: 1, labelsets: 4, unlabelled: 1 });
  });
});

describe('a study', () => {
  it('makes every method × noise once and scores every classifier × k, beside the whole corpus', async () => {
    const { study, reductions } = await run();
    expect(study).toMatchObject({ state: 'done', planned: 8, finished: 8, failures: [] });
    expect(study.splits).toHaveLength(1);
    expect(study.full.map(({ noise }) => noise)).toEqual([0, 40]);
    expect(reductions).toHaveLength(8);
    const train = study.splits[0]?.train ?? 0;
    for (const reduction of reductions) {
      expect(reduction.studyId).toBe(study.id);
      expect(reduction.scores).toHaveLength(6);
      expect(reduction.scores.every(({ labelF1 }) => labelF1.length === 3)).toBe(true);
      expect(reduction.sizes).toEqual([(100 * reduction.prototypeRows) / train]);
      const lp = reduction.scores.find(({ classifier, k }) => classifier === 'lpknn' && k === 1);
      expect(lp?.metrics['hammingLoss']).toEqual([reduction.reduced?.hammingLoss]);
      expect(lp?.metrics['rankingLoss']).toHaveLength(1);
    }
    const chen = reductions.find(({ method, parameters }) => method === 'MChen' && parameters['p'] === 20);
    expect(chen?.prototypeRows).toBe(Math.trunc((20 * train) / 100));
    // Noise is in the training labels only, so the whole corpus does worse with it.
    const f1 = (noise: number) =>
      study.full.find((full) => full.noise === noise)?.scores[0]?.metrics['f1Samples']?.[0] ?? NaN;
    expect(f1(0)).toBeGreaterThan(f1(40));
  });

  it('gives one value per fold, tests every row once, and compares over folds', async () => {
    const { study, reductions } = await run({ split: { kind: 'folds', folds: 5 }, noise: [0], k: [1] });
    expect(study.splits).toHaveLength(5);
    expect(study.splits.reduce((sum, { test }) => sum + test, 0)).toBe(30);
    expect(reductions.every(({ sizes }) => sizes.length === 5)).toBe(true);
    const statistics = await lib.test.client.call('reductions.statistics', {
      ...{ libraryId: lib.libraryId, studyId: study.id },
      ...{ metric: 'f1Samples', classifier: 'lpknn', k: 1, noise: 0 },
    });
    expect(statistics.entries).toHaveLength(5);
    const ranks = statistics.entries.map(({ rank }) => rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(ranks.reduce((a, b) => a + b, 0)).toBeCloseTo(15, 9);
    expect(statistics.friedman?.criticalDifference).toBeGreaterThan(0);
    const random = reductions.find(({ method }) => method === 'random');
    const values =
      random?.scores.find(({ classifier }) => classifier === 'lpknn')?.metrics['f1Samples'] ?? [];
    const entry = statistics.entries.find(({ reductionId }) => reductionId === random?.id);
    expect(entry?.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / 5, 12);
  });

  it('recommends the smallest set that costs little, and names labels that are lost', async () => {
    const runs = [5, 20, 60].map((p) => ({ method: 'MChen', parameters: { p } }));
    const split = { kind: 'holdout', test: 0.3, repeats: 4 } as const;
    const { study, reductions } = await run({ runs, split, noise: [0], k: [1] });
    const found = await lib.test.client.call('reductions.recommend', {
      ...{ libraryId: lib.libraryId, studyId: study.id, allowed: 0.05 },
      ...{ metric: 'f1Samples', classifier: 'lpknn', k: 1, noise: 0 },
    });
    expect(found.independent).toBe(true);
    expect(found.sets).toHaveLength(3);
    // In one cluster of all tracks no class has the majority, so its prototype bears no label.
    expect(found.sets[0]).toMatchObject({ lostLabels: ['bass', 'high', 'mid'], within: false });
    const chosen = reductions.find(({ id }) => id === found.chosen);
    expect(chosen?.parameters['p']).toBe(20);
  });

  it('counts labelsets in the rows that were reduced, not in those that only test', async () => {
    const split = { kind: 'holdout', test: 0.4, repeats: 2 } as const;
    const { reductions } = await run({ split, runs: [{ method: 'MRHC' }], noise: [0, 40], k: [1] });
    expect(reductions).toHaveLength(2);
    for (const { id: reductionId, corpusRows, testRows, prototypeRows } of reductions) {
      const { libraryId } = lib;
      const shares = await lib.test.client.call('reductions.labelsets', { libraryId, reductionId });
      const sum = (of: 'rows' | 'prototypes'): number => shares.reduce((all, share) => all + share[of], 0);
      expect([corpusRows, testRows]).toEqual([18, 12]);
      expect([sum('rows'), sum('prototypes')]).toEqual([18, prototypeRows]);
      expect(shares.map(({ rows }) => rows)).toEqual([6, 6, 6]);
    }
  });

  it('gives the same numbers again', async () => {
    const change = { split: { kind: 'holdout', test: 0.4, repeats: 2 } as const, seed: 9 };
    const scores = ({ reductions }: { reductions: Reduction[] }) => reductions.map(({ scores: all }) => all);
    expect(scores(await run(change))).toEqual(scores(await run(change)));
  });

  it('notes what a method refuses and goes on with the others', async () => {
    const { study, reductions } = await run({
      runs: [{ method: 'MChen', parameters: { p: 20, q: 1 } }, { method: 'MRSP3' }],
      noise: [0],
    });
    expect(reductions.map(({ method }) => method)).toEqual(['MRSP3']);
    expect(study).toMatchObject({ state: 'done', planned: 2, finished: 1 });
    expect(study.failures).toEqual([expect.objectContaining({ method: 'MChen', hint: 'Leave it out.' })]);
  });

  it('forgets what was refused before when it goes on and nothing is refused', async () => {
    const { study } = await run({ runs: [{ method: 'MRHC' }], noise: [0] });
    const { libraryId } = lib;
    const db = new Database(join(lib.test.dataFolder, 'libraries', libraryId, 'library.db'));
    const refused = [{ method: 'MRHC', parameters: {}, noise: 0, message: 'No.', hint: '' }];
    db.prepare('UPDATE studies SET failures = ? WHERE id = ?').run([JSON.stringify(refused), study.id]);
    db.close();
    expect((await resultOf(study.id)).study.failures).toHaveLength(1);
    const { jobId } = await lib.test.client.call('reductions.continueStudy', {
      libraryId,
      studyId: study.id,
    });
    await finished(lib.test.client, jobId, 'study');
    expect((await resultOf(study.id)).study.failures).toEqual([]);
  });

  it('refuses unknown methods and other columns at once', async () => {
    await expect(start({ runs: [{ method: 'Nonsense' }] })).rejects.toMatchObject({ code: 'reduction' });
    await expect(start({ split: { kind: 'file', path: '/nowhere.csv' } })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await expect(start({ split: { kind: 'folds', folds: 50 } })).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('removes and restores', async () => {
    const { libraryId } = lib;
    const { client } = lib.test;
    const { study, reductions } = await run({ noise: [0] });
    await client.call('reductions.removeStudy', { libraryId, studyId: study.id });
    await expect(resultOf(study.id)).rejects.toThrow('not listed');
    await client.call('reductions.restore', { libraryId, studyId: study.id });
    expect((await resultOf(study.id)).reductions).toEqual(reductions);
    const one = reductions[0]?.id ?? '';
    await client.call('reductions.remove', { libraryId, reductionId: one });
    expect((await resultOf(study.id)).reductions).toHaveLength(3);
    await client.call('reductions.restore', { libraryId, reductionId: one });
    expect((await resultOf(study.id)).reductions).toHaveLength(4);
  });

  it('keeps its prototypes as vectors that are placed on the map of the library', async () => {
    const { reductions } = await run({ noise: [0] });
    const reductionId = reductions[0]?.id ?? '';
    const events = lib.test.client.stream('projection.compute', { libraryId: lib.libraryId, reductionId });
    for await (const event of events) {
      if (event.type !== 'result') continue;
      const { points, prototypes, prototypeClasses, x } = event.projection;
      expect(prototypes).toBe(reductions[0]?.prototypeRows);
      expect(prototypeClasses).toEqual([]);
      expect(points).toMatchObject({ kind: 'track', count: 30 });
      expect(x).toHaveLength(30 + prototypes);
    }
  });
});

describe('a study of a data set file', () => {
  /** Two clouds and a bridge between them: 900 rows of 40 numbers, three labels. */
  function bigSet(): string {
    const random = new Random(5);
    const path = join(testFolder(), 'clouds.csv');
    const lines = Array.from({ length: 900 }, (_, row) => {
      const at = row % 3;
      const values = Array.from({ length: 40 }, () => (random.normal() + at).toFixed(5));
      return [...values, at < 2 ? 1 : 0, at > 0 ? 1 : 0, random.uniform() < 0.2 ? 1 : 0].join(',');
    });
    writeFileSync(path, lines.map((line, i) => (i === 0 ? `${header()}\n${line}` : line)).join('\n'));
    return path;
  }
  const header = (): string =>
    [...Array.from({ length: 40 }, (_, i) => `f${i}`), 'low', 'high', 'odd'].join(',');

  it('stops within 100 ms when cancelled, keeps what it had, and goes on where it was', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const source = { kind: 'dataset', path: bigSet(), labels: { kind: 'last', count: 3 } } as const;
    const runs = [10, 30, 50, 70, 90].flatMap((p) =>
      ['MChen', 'MRSP1', 'MRSP2'].map((method) => ({ method, parameters: { p } })),
    );
    const { studyId, jobId } = await start({ source, runs, noise: [0, 20], k: [1] });
    while ((await resultOf(studyId)).study.finished < 2)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const asked = now();
    await client.call('jobs.cancel', { jobId });
    const job = await settled(client, jobId);
    const took = since(asked);
    expect(job.state).toBe('cancelled');
    // `settled` looks every 10 ms.
    expect(took).toBeLessThan(110);
    const stopped = await resultOf(studyId);
    expect(stopped.study.state).toBe('stopped');
    expect(stopped.study.finished).toBeGreaterThanOrEqual(2);
    expect(stopped.study.finished).toBeLessThan(30);

    const again = await client.call('reductions.continueStudy', { libraryId, studyId });
    await finished(client, again.jobId, 'study');
    const done = await resultOf(studyId);
    expect(done.study).toMatchObject({ state: 'done', planned: 30, finished: 30 });
    // What was there is still there, untouched.
    const ids = new Map(done.reductions.map((reduction) => [reduction.id, reduction]));
    for (const reduction of stopped.reductions) expect(ids.get(reduction.id)).toEqual(reduction);
    const prototypes = await client.call('reductions.prototypes', {
      libraryId,
      reductionId: done.reductions[0]?.id ?? '',
    });
    expect(
      prototypes.every(({ nearest, sonification }) => nearest.length === 0 && sonification === null),
    ).toBe(true);
  });

  it('does not go on when the file changed meanwhile', async () => {
    const { client } = lib.test;
    const path = bigSet();
    const source = { kind: 'dataset', path, labels: { kind: 'last', count: 3 } } as const;
    const { studyId, jobId } = await start({ source, runs: [{ method: 'MRHC' }], noise: [0], k: [1] });
    await finished(client, jobId, 'study');
    writeFileSync(path, `${header()}\n${[...Array.from({ length: 40 }, () => 1), 1, 0, 1].join(',')}\n`);
    const again = await client.call('reductions.continueStudy', { libraryId: lib.libraryId, studyId });
    expect((await settled(client, again.jobId)).error).toMatchObject({ code: 'reduction' });
  });
});

const data = sharedFolder('golden/multilabel/data');

describe.skipIf(data.missing)('a study on the published parts of emotions', () => {
  it('reduces the training file and is scored on the test file', async () => {
    const { study, reductions } = await run({
      source: {
        kind: 'dataset',
        path: data.path('emotions.train.csv.gz'),
        labels: { kind: 'last', count: 6 },
      },
      split: { kind: 'file', path: data.path('emotions.test.csv.gz') },
      runs: [{ method: 'MChen', parameters: { p: 10 } }, { method: 'MRHC' }],
      classifiers: ['lpknn'],
      ...{ k: [1], noise: [0] },
    });
    expect(study.splits).toEqual([{ train: 391, test: 202 }]);
    // golden SPEC §10: emotions, MChen 10 and MRHC
    expect(reductions.map(({ prototypeRows }) => prototypeRows).sort((a, b) => a - b)).toEqual([39, 277]);
  });
});
