import { describe, expect, it } from 'vitest';
import { Random } from '../../../models/numerics/random.ts';
import { assessSimilarity } from '../../../models/similarity/assess.ts';
import { positivePmi } from '../../../models/similarity/cooccurrence.ts';
import { shuffled } from '../../../models/similarity/lists.ts';
import { pairModes, pairSource } from '../../../models/similarity/pairs.ts';
import { retrieve } from '../../../models/similarity/retrieval.ts';
import { defaultSimilaritySettings, learnProjection } from '../../../models/similarity/train.ts';
import { fitWhitening, whiten } from '../../../models/similarity/whitening.ts';
import { tasteData } from './taste.ts';

const settings = { ...defaultSimilaritySettings, dim: 16, leastSteps: 800 };
const signal = new AbortController().signal;

describe('pairs', () => {
  const lists = [
    [0, 1, 2, 3],
    [0, 1, 4],
    [5, 6],
    [2, 5, 7],
  ];
  const artists = ['a', 'b', 'a', null, 'b', null, 'c', 'c'];

  it.each(pairModes)(
    '%s: no track is in two pairs of an epoch, and pairs are of lists or artists',
    async (mode) => {
      const source = await pairSource(mode === 'pmi' ? 'random' : mode, { lists, artists }, new Random(1));
      const random = new Random(2);
      for (let epoch = 0; epoch < 20; epoch++) {
        const pairs = source.epoch(random);
        expect(new Set(pairs.flat()).size).toBe(2 * pairs.length);
        for (const [a, b] of pairs) {
          if (mode === 'artist') expect(artists[a]).toBe(artists[b]);
          if (mode === 'random')
            expect(lists.some((list) => list.includes(a) && list.includes(b))).toBe(true);
        }
      }
    },
  );

  it('pmi: counts lists, and keeps pairs of two lists that meet more often than by chance', async () => {
    const partners = await positivePmi(lists, 2, new Random(1));
    expect(partners.get(0)).toEqual({ tracks: [1], weights: [Math.log((2 * 4) / (2 * 2))] });
    expect([...partners.keys()].sort()).toEqual([0, 1]);
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(positivePmi(lists, 2, new Random(1), stopped)).rejects.toThrow('enough');
  });

  it('says what to choose instead where there are no pairs of a kind', async () => {
    const none = {
      lists: [
        [0, 1],
        [2, 3],
      ],
      artists: [null, null, null, null],
    };
    await expect(pairSource('pmi', none, new Random(1))).rejects.toMatchObject({ code: 'empty' });
    await expect(pairSource('artist', none, new Random(1))).rejects.toThrow(/no pairs/);
  });

  it('shuffled lists have the lengths and the tracks of the lists, or fewer where one came twice', () => {
    const control = shuffled(lists, new Random(3));
    control.forEach((list, i) => expect(list.length).toBeLessThanOrEqual(lists[i]?.length ?? 0));
    expect(new Set(control.flat())).toEqual(new Set(lists.flat()));
  });
});

describe('retrieval', () => {
  it('scores by hand-made ranks, without the one that asks and without its artist', async () => {
    // On a circle, a little further apart with every step.
    const vectors = Float32Array.from({ length: 40 }, (_, i) => {
      const step = Math.floor(i / 2);
      const angle = ((10 * step + 0.1 * step * step) * Math.PI) / 180;
      return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
    const candidates = Array.from({ length: 20 }, (_, i) => i);
    const [found] = await retrieve({ candidates, lists: [[0, 2]], artists: null }, vectors, 2);
    // 0 ranks 1, 2, …: the other is second; 2 ranks 1, 3, 0: third.
    expect(found?.queries).toBe(2);
    expect(found?.hit).toBe(1);
    expect(found?.rPrecision).toBe(0);
    expect(found?.ndcg).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(4)) / 2, 6);
    expect(found?.chance.rPrecision).toBeCloseTo(1 / 19, 9);
    expect(found?.chance.hit).toBeCloseTo(10 / 19, 9);
    const artists = candidates.map((track) => (track < 2 ? 'x' : null));
    const [apart] = await retrieve({ candidates, lists: [[0, 2]], artists }, vectors, 2);
    expect(apart?.ndcg).toBeCloseTo((1 + 1 / Math.log2(4)) / 2, 6);
    const same = await retrieve({ candidates, lists: [[0, 1]], artists }, vectors, 2);
    expect(same).toEqual([null]);
  });
});

it('whitens: unit variance along every axis, axes that do not follow each other', async () => {
  const random = new Random(5);
  const rows = new Float32Array(600 * 30);
  for (let i = 0; i < rows.length; i++) rows[i] = random.normal() * (1 + (i % 30)) + (i % 7 === 0 ? 5 : 0);
  const whitening = await fitWhitening(rows, 30, 6);
  const out = whiten(whitening, rows);
  expect(whitening.axes).toHaveLength(6);
  for (let a = 0; a < 6; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let row = 0; row < 600; row++) sum += (out[row * 6 + a] ?? NaN) * (out[row * 6 + b] ?? NaN);
      expect(sum / 600).toBeCloseTo(a === b ? 1 : 0, 3);
    }
});

describe('learning', () => {
  it('gives the same bytes for the same seed, and stops when it is told to', async () => {
    const data = tasteData(1, { tracks: 60, lists: 10, perList: 12 });
    const short = { ...settings, epochs: 1, leastSteps: 20 };
    const [a, b] = [
      await learnProjection(data, short, { signal }),
      await learnProjection(data, short, { signal }),
    ];
    expect(a).toEqual(b);
    const stop = new AbortController();
    const work = learnProjection(data, short, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
  });

  it.each(['random', 'pmi'] as const)(
    '%s pairs beat the shuffled control and whitening on unseen tracks and playlists',
    async (pairs) => {
      const { all, otherArtists } = await assessSimilarity(tasteData(2), { ...settings, pairs }, { signal });
      expect(all.gains.shuffled.ndcg.verdict).toBe('better');
      expect(all.gains.whitened.ndcg.verdict).toBe('better');
      expect(otherArtists?.gains.shuffled.ndcg.verdict).toBe('better');
    },
  );

  it('cannot tell, or is no better, where playlists were put together at random', async () => {
    const data = tasteData(3);
    const { all } = await assessSimilarity(
      { ...data, lists: shuffled(data.lists, new Random(9)) },
      settings,
      { signal },
    );
    for (const method of ['learned', 'shuffled', 'whitened', 'plain'] as const)
      expect(Math.abs(all.methods[method].ndcg.value - all.chance.ndcg)).toBeLessThan(0.05);
    expect(all.gains.shuffled.ndcg.verdict).not.toBe('better');
  });
});
