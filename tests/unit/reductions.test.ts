import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { finished, settled, testFolder } from '../support/engine.ts';
import { sharedFolder } from '../support/shared.ts';
import { reduceDataset } from '../../engine/reductions/dataset.ts';
import { trainedLibrary, type TrainedLibrary } from '../support/trained.ts';
import { parquetWorker } from '../support/workers.ts';

describe('reductions', () => {
  let lib: TrainedLibrary;

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 10 });
  });

  const reduce = async (request: Record<string, unknown> = {}) => {
    const { client } = lib.test;
    const { jobId } = await client.call('reductions.start', {
      libraryId: lib.libraryId,
      request: { taxonomyId: lib.taxonomyId, ...request },
    });
    const { reductionId } = await finished(client, jobId, 'reduce');
    const reduction = (await client.call('reductions.list', { libraryId: lib.libraryId })).find(
      ({ id }) => id === reductionId,
    );
    if (!reduction) throw new Error('the reduction is not listed');
    return reduction;
  };

  it('reduces to the size asked for and scores both sets on held-out tracks', async () => {
    const reduction = await reduce({ percent: 30 });
    expect(reduction.corpusRows + reduction.testRows).toBe(30);
    expect(reduction.prototypeRows).toBe(Math.trunc((30 * reduction.corpusRows) / 100));
    expect(reduction.full.exactMatch).toBeGreaterThan(0.9);
    expect(reduction.reduced.exactMatch).toBeGreaterThan(0.8);
    expect(reduction.full.k).toBe(1);
  });

  it('describes the generated prototypes with real tracks beside them', async () => {
    const reduction = await reduce({ percent: 20 });
    const prototypes = await lib.test.client.call('reductions.prototypes', {
      libraryId: lib.libraryId,
      reductionId: reduction.id,
    });
    expect(prototypes).toHaveLength(reduction.prototypeRows);
    expect(prototypes.reduce((sum, p) => sum + p.clusterSize, 0)).toBe(reduction.corpusRows);
    for (const { labelset, nearest } of prototypes) {
      expect(nearest).toHaveLength(5);
      const [label] = labelset;
      if (labelset.length === 1) expect(nearest[0]?.path.startsWith(`${label ?? ''}/`)).toBe(true);
    }
  });

  it('works on windows and with methods that choose the size themselves', async () => {
    const windows = await reduce({ level: 'window', percent: 10 });
    expect(windows.corpusRows).toBeGreaterThan(60);
    const own = await reduce({ method: 'MRHC' });
    expect(own.prototypeRows).toBeLessThan(own.corpusRows);
  });

  it('gives the same result for the same seed', async () => {
    const [a, b] = [
      await reduce({ method: 'random', percent: 20, seed: 4 }),
      await reduce({ method: 'random', percent: 20, seed: 4 }),
    ];
    const prototypes = async (reductionId: string) =>
      (await lib.test.client.call('reductions.prototypes', { libraryId: lib.libraryId, reductionId })).map(
        ({ nearest }) => nearest,
      );
    expect(await prototypes(a.id)).toEqual(await prototypes(b.id));
    expect(a.reduced).toEqual(b.reduced);
  });

  it('names an unknown method, and forgets what was removed', async () => {
    const { client } = lib.test;
    const { jobId } = await client.call('reductions.start', {
      libraryId: lib.libraryId,
      request: { taxonomyId: lib.taxonomyId, method: 'Nonsense' },
    });
    const job = await settled(client, jobId);
    expect(job.error).toMatchObject({ code: 'reduction', hint: expect.stringContaining('MChen') as string });
    const reduction = await reduce();
    await client.call('reductions.remove', { libraryId: lib.libraryId, reductionId: reduction.id });
    await expect(
      client.call('reductions.prototypes', { libraryId: lib.libraryId, reductionId: reduction.id }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

const data = sharedFolder('golden/multilabel/data');

describe.skipIf(data.missing)('reduction of a data set', () => {
  it('writes prototypes in the form of the data set', async () => {
    const out = join(testFolder(), 'out');
    const result = await reduceDataset(
      data.path('emotions.train.csv.gz'),
      {
        ...{
          labels: { kind: 'last', count: 6 },
          method: 'MChen',
          parameters: { p: 10 },
          classifier: 'lpknn',
        },
        ...{ k: 1, seed: 1, testFraction: 0, formats: ['csv'], out, version: '0' },
      },
      { parquetWorker: await parquetWorker(), signal: new AbortController().signal },
    );
    // The reference keeps int(p·n/100) of its 391 training rows here.
    expect(result.corpusRows).toBe(391);
    expect(result.prototypeRows).toBe(39);
    expect(result.full).toBeNull();
    const rows: string[][] = parse(readFileSync(join(out, 'prototypes.csv')));
    expect(rows).toHaveLength(40);
    expect(rows[0]).toHaveLength(78);
    expect(rows.slice(1).every((row) => row.slice(72).every((cell) => cell === '0' || cell === '1'))).toBe(
      true,
    );
  });
});
