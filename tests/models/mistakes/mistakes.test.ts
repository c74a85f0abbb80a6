import { describe, expect, it } from 'vitest';
import { oneHot, type LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { classMargin, usualConfusions } from '../../../models/mistakes/confusions.ts';
import { judgeLabels, suggestClasses } from '../../../models/mistakes/judge.ts';
import { findDuplicates } from '../../../models/mistakes/near-duplicates.ts';
import { foldsOf, outOfFold, type OutOfFoldOptions } from '../../../models/mistakes/out-of-fold.ts';
import { OUTLIER_SCORE, outlierScores } from '../../../models/mistakes/outliers.ts';
import { labellingQueue } from '../../../models/mistakes/queue.ts';
import { jointSupport, normalisedMargin } from '../../../models/mistakes/support.ts';
import { Pacer } from '../../../models/numerics/pacer.ts';
import { Random } from '../../../models/numerics/random.ts';

const signal = new AbortController().signal;
const dim = 8;

/** Tracks of two windows each around the corner of their class. */
function corners(classOf: readonly number[], width: number, seed = 1): LabelledWindows {
  const random = new Random(seed);
  const of = Int32Array.from({ length: 2 * classOf.length }, (_, row) => row >> 1);
  const features = random.normals(of.length * dim);
  of.forEach((track, row) => {
    const cell = row * dim + (classOf[track] ?? 0);
    features[cell] = (features[cell] ?? 0) + 6;
  });
  const ids = classOf.map((_, track) => `track-${String(track)}`);
  return {
    ...{ features, count: of.length, dim },
    labels: oneHot(
      Array.from(of, (track) => classOf[track] ?? 0),
      width,
    ),
    labelNames: Array.from({ length: width }, (_, label) => `class ${String(label)}`),
    tracks: { of, ids, groups: ids },
  };
}

/** The same sounds under other labels. */
function called(set: LabelledWindows, given: readonly number[]): LabelledWindows {
  const columns = Array.from(set.tracks.of, (track) => given[track] ?? 0);
  return { ...set, labels: oneHot(columns, set.labelNames.length) };
}

const options: OutOfFoldOptions = { task: 'single', folds: 3, seed: 1, signal, training: { steps: 60 } };
const truth = Array.from({ length: 60 }, (_, track) => track % 4);
const planted = [3, 17, 28, 41, 50];
const given = truth.map((label, track) => (planted.includes(track) ? (label + 1) % 4 : label));

describe('labels that are probably wrong', () => {
  it('are found where they were planted, with what they should be', async () => {
    const set = called(corners(truth, 4), given);
    const { verdicts } = await judgeLabels(set, await outOfFold(set, options), { task: 'single', signal });
    const wrong = verdicts.filter(({ margin }) => margin < 0);
    expect(wrong.map(({ track }) => track).sort((a, b) => a - b)).toEqual(planted);
    expect(wrong.map(({ track, suggested }) => suggested === truth[track])).not.toContain(false);
    expect(verdicts).toHaveLength(60);
  });

  it('come out the same for the same seed', async () => {
    const set = called(corners(truth, 4), given);
    const [first, second] = [await outOfFold(set, options), await outOfFold(set, options)];
    expect(first).toEqual(second);
  });

  it('are predicted by networks that did not learn from their group', async () => {
    const set = corners(truth, 4);
    const groups = set.tracks.ids.map((_, track) => `group-${String(Math.floor(track / 8))}`);
    const { foldOf } = await outOfFold({ ...set, tracks: { ...set.tracks, groups } }, options);
    for (const group of new Set(groups))
      expect(new Set(foldOf.filter((_, track) => groups[track] === group)).size).toBe(1);
  });

  it('stay in their folds when they are mended', () => {
    const before = called(corners(truth, 4), given);
    const folds = { folds: 3, seed: 1 };
    expect(foldsOf(corners(truth, 4), { ...folds, strata: given })).toEqual(foldsOf(before, folds));
  });

  it('stand lower where the rival is not what the class is usually taken for', async () => {
    // Class 0 is taken for class 1 on every track, and for class 2 on the last one only.
    const support = (values: number[]) => ({ given: 0, support: Float64Array.from(values) });
    const tracks = [
      ...Array.from({ length: 9 }, () => support([0.45, 0.5, 0.05])),
      support([0.45, 0.05, 0.5]),
    ];
    const confusions = await usualConfusions(tracks, 3, new Pacer(signal));
    expect([...confusions.slice(0, 3)]).toEqual(
      [0.45, 0.455, 0.095].map((share) => expect.closeTo(share, 12) as number),
    );
    const [usual, unusual] = [tracks[0] ?? support([]), tracks[9] ?? support([])];
    expect(classMargin(unusual, 2, confusions)).toBeLessThan(classMargin(usual, 1, confusions));
    expect(classMargin(usual, 1, confusions)).toBeGreaterThan(0);
    expect(classMargin(unusual, 2, confusions)).toBeLessThan(0);
  });

  it('are not claimed of a class that only one group bears', async () => {
    const alone = [...truth.slice(0, 56), 4, 4, 4, 4];
    const set = corners(alone, 5);
    const groups = set.tracks.ids.map((id, track) => (track < 56 ? id : 'one artist'));
    const one = { ...set, tracks: { ...set.tracks, groups } };
    const { leftOut, verdicts } = await judgeLabels(one, await outOfFold(one, options), {
      task: 'single',
      signal,
    });
    expect(leftOut).toEqual([56, 57, 58, 59]);
    expect(verdicts.some(({ track }) => track >= 56)).toBe(false);
  });

  it('of several are found label by label, what is too many and what is missing', async () => {
    // Two independent labels: the corner, and whether the last dimension is high.
    const set = corners(truth, 4);
    const high = truth.map((_, track) => (track * 7) % 3 === 0);
    const labels = new Uint8Array(set.count * 5);
    set.tracks.of.forEach((track, row) => {
      if (high[track]) set.features[row * dim + 7] = (set.features[row * dim + 7] ?? 0) + 8;
      labels[row * 5 + (truth[track] ?? 0)] = 1;
      const forgotten = track === 9;
      const tooMany = track === 10;
      if ((high[track] && !forgotten) || tooMany) labels[row * 5 + 4] = 1;
    });
    expect([high[9], high[10]]).toEqual([true, false]);
    const several = { ...set, labels, labelNames: [...set.labelNames, 'high'] };
    const multi: OutOfFoldOptions = { ...options, task: 'multi', training: { steps: 300 } };
    const { verdicts } = await judgeLabels(several, await outOfFold(several, multi), {
      task: 'multi',
      signal,
    });
    const worst = [...verdicts].sort((a, b) => a.margin - b.margin).slice(0, 2);
    expect(worst.map(({ track, given: own, suggested }) => [track, own, suggested]).sort()).toEqual([
      [10, 4, null],
      [9, null, 4],
    ]);
  });

  it('go on where an earlier run stopped', async () => {
    const set = corners(truth, 4);
    const kept = new Map<number, Float32Array>();
    const whole = await outOfFold(set, { ...options, keep: (fold, rows) => kept.set(fold, rows) });
    let trained = 0;
    const again = await outOfFold(set, {
      ...options,
      recall: (fold) => (fold < 2 ? (kept.get(fold) ?? null) : null),
      pace: () => {
        trained += 1;
        return Promise.resolve();
      },
    });
    expect(again).toEqual(whole);
    expect(trained).toBe(60);
  });
});

describe('tracks without labels', () => {
  it('get the class that they sound like', async () => {
    const set = corners(truth, 4);
    const others = corners([2, 0, 1], 4, 9);
    const folds = await outOfFold(set, { ...options, others });
    const suggested = await suggestClasses(set, others, folds.others, { signal });
    expect(suggested.map((entry) => entry.suggested)).toEqual([2, 0, 1]);
    for (const { margin } of suggested) expect(margin).toBeGreaterThan(0.5);
  });

  const vectors = Float32Array.from([0, 0, 10, 0, 10.1, 0, 0, 3]);
  const candidates = [
    { track: 1, suggested: 0, margin: 0.5 },
    { track: 2, suggested: 0, margin: 0.1 },
    { track: 3, suggested: 1, margin: 0.3 },
  ];
  const facts = { vectors, dim: 2, labelled: [0], counts: [5, 1] };
  it.each([
    ['margin', [2, 3, 1]],
    // The second is beside the first, so the third comes before it.
    ['diversity', [2, 3, 1]],
    ['per-class', [3, 2, 1]],
  ] as const)('queue by %s', async (order, expected) => {
    const queue = await labellingQueue(candidates, order, 3, facts);
    expect(queue.map(({ track }) => track)).toEqual(expected);
    expect(await labellingQueue(candidates, order, 1, facts)).toHaveLength(1);
  });

  it('queue many without keeping others waiting, and stop when they are asked to', async () => {
    const [count, wide] = [3000, 256];
    const many = {
      ...{ vectors: new Random(1).normals(count * wide), dim: wide, counts: [1] },
      labelled: Array.from({ length: 500 }, (_, i) => i),
    };
    const unsure = Array.from({ length: count - 500 }, (_, i) => ({
      ...{ track: 500 + i, suggested: 0, margin: 0.1 },
    }));
    const asked = new AbortController();
    setImmediate(() => asked.abort(new Error('enough')));
    await expect(labellingQueue(unsure, 'diversity', 300, many, asked.signal)).rejects.toThrow('enough');
  });
});

describe('copies', () => {
  const facts = (contentHash: string | null, durationSeconds: number | null) => ({
    contentHash,
    durationSeconds,
  });
  it('are found by their bytes and by their sound, and only at one length', async () => {
    const vectors = Float32Array.from([1, 0, 1, 0, 0, 1, 0.001, 1, 0, 1.5, 0.7, 0.7]);
    const tracks = [
      facts('a', 3),
      facts('a', 3),
      facts('b', 5),
      facts('c', 5.1),
      facts('d', 9),
      facts('e', 3),
    ];
    const groups = await findDuplicates(tracks, vectors, 2, { signal });
    expect(groups.map(({ rows, kind }) => [rows, kind])).toEqual([
      [[0, 1], 'content'],
      [[2, 3], 'sound'],
    ]);
  });
  it('are found by their bytes where too many sound alike to be copies', async () => {
    const hits = Array.from({ length: 12 }, (_, row) => facts(`hit ${String(row % 11)}`, 1));
    const vectors = Float32Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 1 : 1e-4 * i));
    expect(await findDuplicates(hits, vectors, 2, { signal })).toEqual([
      { rows: [0, 11], kind: 'content', similarity: 1 },
    ]);
  });
  it('are not claimed where a length is unknown, and of one track there are none', async () => {
    const vectors = Float32Array.from([1, 0, 1, 0]);
    expect(await findDuplicates([facts('a', null), facts('b', 3)], vectors, 2, { signal })).toEqual([]);
    expect(await findDuplicates([facts('a', 3)], vectors.subarray(0, 2), 2, { signal })).toEqual([]);
  });
});

describe('scores', () => {
  it('make an outlier of a track that is like nothing else, and of none among equals', () => {
    const near = (distance: number) => [{ track: 0, distance }];
    const scores = outlierScores([...[1, 1.1, 0.9, 1.05, 0.95].map(near), near(9)]);
    expect([...scores].findIndex((score) => score >= OUTLIER_SCORE)).toBe(5);
    expect([...outlierScores([near(2), near(2), near(2)])]).toEqual([0, 0, 0]);
  });
  it('of classes sum to 1 and margins stay within ±1', () => {
    const support = jointSupport([0.9, 0.1, 0], [0.2, 0.8, 0]);
    expect(support.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    expect(normalisedMargin(0, 0)).toBe(0);
    expect(normalisedMargin(1, 0)).toBe(1);
    expect(normalisedMargin(0.2, 0.6)).toBeCloseTo(-0.5, 12);
  });
});
