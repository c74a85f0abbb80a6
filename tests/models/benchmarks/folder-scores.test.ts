import { describe, expect, it } from 'vitest';
import { labelledRows } from '../../../models/benchmarks/embed.ts';
import {
  leaveOneOutClasses,
  scoreBetween,
  scoreWithin,
  type FolderScore,
  type FolderVectors,
} from '../../../models/benchmarks/folder-scores.ts';
import type { LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { Random } from '../../../models/numerics/random.ts';

const { signal } = new AbortController();
const options = { seed: 1, quick: true, signal };

/** One row per sound. */
function rowsOf(sounds: readonly (readonly [string, readonly number[]])[]): LabelledWindows {
  const dim = sounds[0]?.[1].length ?? 0;
  return labelledRows(
    sounds.map(([name], i) => ({ name: String(i), class: name, group: String(i) })),
    sounds.map(() => 1),
    Float32Array.from(sounds.flatMap(([, values]) => values)),
    dim,
  );
}

const line = (name: string, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => [name, [from + i / 10, 0]] as const);

describe('leaveOneOutClasses', () => {
  it('never counts the sound itself, and counts its copies', async () => {
    // Five of each class lie together; the sixth of `b` is a copy of one of `a`, and the only one there of its class.
    const set = rowsOf([...line('a', 0, 5), ...line('b', 100, 5), ['b', [0, 0]]]);
    const answers = await leaveOneOutClasses(set, signal);
    expect(answers).toEqual([...Array<string>(5).fill('a'), ...Array<string>(5).fill('b'), 'a']);
  });

  it('asks about many copies of one sound without taking the asked one for its own neighbour', async () => {
    const copies = Array.from({ length: 9 }, () => ['a', [1, 1]] as const);
    const answers = await leaveOneOutClasses(rowsOf([...copies, ['b', [1, 1]], ['b', [50, 1]]]), signal);
    // Nine `a` and one `b` at one place: five neighbours are mostly `a`, for the `b` as well.
    expect(answers.slice(0, 10)).toEqual(Array<string>(10).fill('a'));
  });

  it('has fewer than five neighbours where there are no more sounds', async () => {
    expect(await leaveOneOutClasses(rowsOf([...line('a', 0, 2), ...line('b', 9, 2)]), signal)).toHaveLength(
      4,
    );
  });
});

/** The class is in the first dimension; the second is noise a thousand times as large. */
function noisy(seed: number, classes: readonly string[]): FolderVectors {
  const random = new Random(seed);
  const sounds = classes.flatMap((name, c) =>
    Array.from(
      { length: 12 },
      () => [name, [4 * c + 0.05 * random.normal(), 4000 * random.uniform()]] as const,
    ),
  );
  const noise = sounds.map(([name]) => [name, [random.normal(), random.normal()]] as const);
  return {
    embedding: rowsOf(sounds),
    randomTwin: rowsOf(noise),
    logMel: rowsOf(noise),
    mfcc: rowsOf(sounds),
  };
}

describe('scoreWithin', () => {
  it('tells what standardising is worth, and puts kinds of features together', async () => {
    const [row, ...more] = await scoreWithin('own', noisy(1, ['a', 'b']), options);
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      from: 'own',
      to: 'own',
      classifier: 'knn5',
      classes: 2,
      asked: 24,
      largestClass: 50,
    });
    const accuracy: FolderScore['accuracy'] = row?.accuracy ?? {};
    expect(accuracy.embeddingStandardised).toBe(100);
    expect(accuracy.embedding).toBeLessThan(80);
    expect(accuracy.mfcc).toBe(100);
    expect(accuracy.randomTwin).toBeLessThan(80);
    expect(accuracy.both).toBeGreaterThan(accuracy.logMel ?? 100);
  });
});

describe('scoreBetween', () => {
  it('asks for the classes that both have, and for nothing where there are not two', async () => {
    const from = { name: 'one', vectors: noisy(3, ['a', 'b', 'c']) };
    const to = { name: 'two', vectors: noisy(4, ['a', 'b', 'd']) };
    const views = ['embedding', 'embeddingStandardised', 'mfcc'] as const;
    const [row, none] = await scoreBetween(from, to, { ...options, views });
    expect(none).toBeUndefined();
    expect(row).toMatchObject({ from: 'one', to: 'two', classes: 2, asked: 24 });
    expect(row?.accuracy.embeddingStandardised).toBe(100);
    expect(await scoreBetween(from, { name: 'three', vectors: noisy(5, ['a', 'x']) }, options)).toEqual([]);
  });

  it('asks a prototype network as well, which sees every dimension in its own unit', async () => {
    const [from, to] = [3, 4].map((seed) => ({ name: String(seed), vectors: noisy(seed, ['a', 'b']) }));
    if (!from || !to) throw new Error('two collections');
    const views = ['embedding', 'embeddingStandardised'] as const;
    const rows = await scoreBetween(from, to, { ...options, quick: false, views });
    expect(rows.map(({ classifier }) => classifier)).toEqual(['knn5', 'pecmae5']);
    expect(Object.keys(rows[1]?.accuracy ?? {})).toEqual(['embedding']);
    expect(rows[1]?.accuracy.embedding).toBeGreaterThan(80);
  });
});
