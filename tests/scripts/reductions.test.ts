import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { testFolder } from '../support/music.ts';
import { reduced } from '../support/reduced.ts';
import { exported, trainedLibrary, type TrainedLibrary } from '../support/trained.ts';

let lib: TrainedLibrary;

beforeAll(async () => {
  lib = await trainedLibrary({ perClass: 10 });
});

describe('reductions', () => {
  const reduce = async (
    method: string,
    parameters: Record<string, number> = {},
    more: { level?: 'window'; seed?: number } = {},
  ) => {
    const { level = 'track', seed = 1 } = more;
    const source = { kind: 'library', taxonomyId: lib.taxonomyId, level } as const;
    return (await reduced(lib.test.client, lib.libraryId, { source, run: { method, parameters }, seed }))
      .reduction;
  };

  it('reduces to the size asked for and scores both sets on held-out tracks', async () => {
    const reduction = await reduce('MChen', { p: 30 });
    expect(reduction.corpusRows + reduction.testRows).toBe(30);
    expect(reduction.prototypeRows).toBe(Math.trunc((30 * reduction.corpusRows) / 100));
    expect(reduction.full?.exactMatch).toBeGreaterThan(0.9);
    expect(reduction.reduced?.exactMatch).toBeGreaterThan(0.8);
    expect(reduction.full?.k).toBe(1);
  });

  it('describes the generated prototypes with real tracks beside them', async () => {
    const reduction = await reduce('MChen', { p: 20 });
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
    const windows = await reduce('MChen', { p: 10 }, { level: 'window' });
    expect(windows.corpusRows).toBeGreaterThan(60);
    const own = await reduce('MRHC');
    expect(own.prototypeRows).toBeLessThan(own.corpusRows);
  });

  it('gives the same result for the same seed', async () => {
    const [a, b] = [
      await reduce('random', { p: 20 }, { seed: 4 }),
      await reduce('random', { p: 20 }, { seed: 4 }),
    ];
    const prototypes = async (reductionId: string) =>
      (await lib.test.client.call('reductions.prototypes', { libraryId: lib.libraryId, reductionId })).map(
        ({ nearest }) => nearest,
      );
    expect(await prototypes(a.id)).toEqual(await prototypes(b.id));
    expect(a.reduced).toEqual(b.reduced);
  });

  it('forgets what was removed', async () => {
    const { client } = lib.test;
    const reduction = await reduce('MChen');
    await client.call('reductions.remove', { libraryId: lib.libraryId, reductionId: reduction.id });
    await expect(
      client.call('reductions.prototypes', { libraryId: lib.libraryId, reductionId: reduction.id }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a reduction of a data set file', () => {
  /** Four rows, of which the first two are one cluster by their labelset and place. */
  const file = (text: string): string => {
    const path = join(testFolder(), 'set.csv');
    writeFileSync(path, text);
    return path;
  };

  it('of all rows is not scored, and is a data set again at full precision', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const exact = 16777217.1; // more than float32 holds
    const path = file(`x,y,a,b\n${exact},0,1,0\n${exact},0,1,0\n-5,3,0,1\n-5,3,0,1\n`);
    const { study, reduction } = await reduced(client, libraryId, {
      source: { kind: 'dataset', path, labels: { kind: 'last', count: 2 } },
      run: { method: 'MChen', parameters: { p: 50 } },
      split: { kind: 'none' },
    });
    expect(study).toMatchObject({
      splits: [{ train: 4, test: 0 }],
      full: [{ noise: 0, scores: [] }],
      finished: 1,
    });
    expect(reduction).toMatchObject({ full: null, reduced: null, scores: [], prototypeRows: 2 });
    const { folder } = await exported(client, libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      folder: join(testFolder(), 'out'),
      formats: ['csv', 'json'],
    });
    const table = readFileSync(join(folder, 'prototypes.csv'), 'utf8').split('\r\n');
    expect(table[0]).toBe('x,y,a,b');
    expect(table.slice(1, 3).sort()).toEqual([`-5,3,0,1`, `${exact},0,1,0`]);
    const { prototypes } = JSON.parse(readFileSync(join(folder, 'prototypes.json'), 'utf8')) as {
      prototypes: { rows: number[] }[];
    };
    expect(prototypes.map(({ rows }) => rows).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('names the rows of the file behind a prototype, also where some are held out', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${i * i},${i % 2},${(i + 1) % 2}`);
    const { reduction } = await reduced(client, libraryId, {
      source: {
        kind: 'dataset',
        path: file(`x,y,a,b\n${rows.join('\n')}\n`),
        labels: { kind: 'last', count: 2 },
      },
      // Every row its own prototype: the vector says which row it is.
      run: { method: 'MChen', parameters: { p: 100 } },
    });
    const { folder } = await exported(client, libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      folder: join(testFolder(), 'out'),
      formats: ['json'],
    });
    const { prototypes } = JSON.parse(readFileSync(join(folder, 'prototypes.json'), 'utf8')) as {
      prototypes: { rows: number[]; vector: number[] }[];
    };
    expect(prototypes).toHaveLength(14);
    for (const { rows: own, vector } of prototypes) expect(own).toEqual([vector[0]]);
  });

  it('may leave out rows that miss a value, when asked to', async () => {
    const { client } = lib.test;
    const path = file('x,y,a,b\n1,2,1,0\n,3,0,1\n4,5,0,1\n');
    const source = { kind: 'dataset', path, labels: { kind: 'last', count: 2 } } as const;
    const corpus = (missing: 'refuse' | 'drop-rows') =>
      client.call('reductions.corpus', { libraryId: lib.libraryId, source: { ...source, missing } });
    await expect(corpus('refuse')).rejects.toMatchObject({ code: 'bad-input' });
    expect((await corpus('drop-rows')).rows).toBe(2);
  });
});
