import { beforeAll, describe, expect, it } from 'vitest';
import { assessShared, type SharedAssessment } from '../../../models/modalities/assess.ts';
import { equalErrorRate, risingOrder } from '../../../models/modalities/eer.ts';
import type { Modality } from '../../../models/modalities/kinds.ts';
import { defaultSharedSettings, learnShared } from '../../../models/modalities/learn.ts';
import { chooseSteps } from '../../../models/modalities/stop.ts';
import { sharedLoss, type SharedItem, type SharedWeights } from '../../../models/modalities/shared-loss.ts';
import { Random } from '../../../models/numerics/random.ts';
import { toyData } from './toy.ts';

const signal = new AbortController().signal;
const settings = { ...defaultSharedSettings, dim: 12, kept: 12, steps: 80 };

describe('the loss of the shared classifier', () => {
  const random = new Random(3);
  const draw = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
  const loss = { dim: 4, scale: 7, margin: 0.2 };
  const items: SharedItem[] = [
    { inputs: { audio: draw(3), cover: draw(5), words: draw(2) }, labels: { audio: 0, cover: 0, words: 0 } },
    { inputs: { audio: draw(3) }, labels: { audio: 2 } },
    { inputs: { audio: draw(3), cover: draw(5) }, labels: { audio: 1, cover: 2 } },
  ];
  const weights: SharedWeights = {
    matrices: { audio: draw(12), cover: draw(20), words: draw(8) },
    classes: draw(12),
  };
  const empty = (): SharedWeights => ({
    matrices: { audio: new Float64Array(12), cover: new Float64Array(20), words: new Float64Array(8) },
    classes: new Float64Array(12),
  });

  it('is the cross-entropy of each modality and of each pair of one class, over tracks', () => {
    const unit = (x: Float64Array): Float64Array => x.map((value) => value / Math.hypot(...x));
    const into = (item: SharedItem, of: Modality): Float64Array => {
      const [input, matrix] = [
        item.inputs[of] ?? new Float64Array(),
        weights.matrices[of] ?? new Float64Array(),
      ];
      return unit(
        Float64Array.from({ length: 4 }, (_, d) =>
          input.reduce((sum, value, k) => sum + value * (matrix[k * 4 + d] ?? 0), 0),
        ),
      );
    };
    const entropy = (z: Float64Array, label: number): number => {
      const logits = [0, 1, 2].map((c) => {
        const w = unit(weights.classes.slice(c * 4, c * 4 + 4));
        return 7 * (z.reduce((sum, value, d) => sum + value * (w[d] ?? 0), 0) - (c === label ? 0.2 : 0));
      });
      return Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0)) - (logits[label] ?? 0);
    };
    const mean = (a: Float64Array, b: Float64Array): Float64Array =>
      a.map((value, d) => (value + (b[d] ?? 0)) / 2);
    const [first, second, third] = items as [SharedItem, SharedItem, SharedItem];
    const [a, v, w] = [into(first, 'audio'), into(first, 'cover'), into(first, 'words')];
    const expected =
      [a, v, w, mean(a, v), mean(a, w), mean(v, w)].reduce((sum, z) => sum + entropy(z, 0), 0) +
      entropy(into(second, 'audio'), 2) +
      // Taught as two classes: no term of both.
      entropy(into(third, 'audio'), 1) +
      entropy(into(third, 'cover'), 2);
    expect(sharedLoss(items, weights, loss, empty())).toBeCloseTo(expected / 3, 10);
  });

  it('has the gradients of finite differences', () => {
    const found = empty();
    sharedLoss(items, weights, loss, found);
    const parts = [
      [weights.classes, found.classes],
      ...(['audio', 'cover', 'words'] as const).map((of) => [weights.matrices[of], found.matrices[of]]),
    ] as [Float64Array, Float64Array][];
    for (const [values, slopes] of parts)
      for (let i = 0; i < values.length; i++) {
        const was = values[i] ?? 0;
        const step = 1e-5;
        values[i] = was + step;
        const above = sharedLoss(items, weights, loss, empty());
        values[i] = was - step;
        const below = sharedLoss(items, weights, loss, empty());
        values[i] = was;
        expect(slopes[i]).toBeCloseTo((above - below) / (2 * step), 6);
      }
  });
});

describe('the equal error rate', () => {
  const trials = (scores: number[], same: number[], groups: [number, number][] = []) => ({
    scores: Float32Array.from(scores),
    same: Uint8Array.from(same),
    first: Int32Array.from(scores, (_, i) => groups[i]?.[0] ?? 0),
    second: Int32Array.from(scores, (_, i) => groups[i]?.[1] ?? 1),
  });
  const rate = (...given: Parameters<typeof trials>): number => {
    const own = trials(...given);
    return equalErrorRate(own, risingOrder(own));
  };

  it('is that of cases worked out by hand', () => {
    expect(rate([1, 2, 3, 4], [0, 0, 1, 1])).toBe(0);
    expect(rate([1, 2, 3, 4], [1, 1, 0, 0])).toBe(1);
    expect(rate([5, 5, 5, 5], [0, 1, 0, 1])).toBe(0.5);
    // At 2.5 one of two pairs of one class is refused, and one of two others accepted.
    expect(rate([1, 2, 3, 4], [0, 1, 0, 1])).toBe(0.5);
    // One of four either way.
    expect(rate([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 1, 0, 1, 1, 1])).toBe(0.25);
    expect(rate([1, 2], [1, 1])).toBeNaN();
  });

  it('counts trials as often as their groups', () => {
    const own = trials(
      [1, 2, 3, 4],
      [0, 1, 0, 1],
      [
        [0, 1],
        [2, 2],
        [0, 1],
        [1, 1],
      ],
    );
    expect(equalErrorRate(own, risingOrder(own), [1, 1, 1])).toBe(0.5);
    // Without the pair of one class that scored low.
    expect(equalErrorRate(own, risingOrder(own), [1, 1, 0])).toBe(0);
    expect(equalErrorRate(own, risingOrder(own), [0, 1, 1])).toBeNaN();
  });
});

describe('a common space', () => {
  const data = toyData({ artists: 24, tracks: 2, noise: 0.3, swapped: [[3, 40]] });
  let tied: SharedAssessment;
  const of = ({ trials }: SharedAssessment, a: Modality, b: Modality) =>
    trials.find((own) => own.a === a && own.b === b);

  beforeAll(async () => {
    tied = await assessShared(data, settings, { signal });
  });

  it('tells pairs of unseen artists across modalities, which dealt-out examples do not teach', () => {
    const across = of(tied, 'audio', 'cover');
    expect(across?.eer.value).toBeLessThan(0.3);
    expect(across?.control.value).toBeGreaterThan(0.4);
    expect(across).toMatchObject({ usable: true, gain: { verdict: 'better' } });
    expect(tied).toMatchObject({ groups: 24, tracks: 144 });
    expect(tied.trials.map(({ a, b }) => `${a} ${b}`)).toEqual(['audio audio', 'audio cover', 'cover cover']);
  });

  it('finds two covers that were swapped', () => {
    expect(tied.misfits).toHaveLength(72);
    const worst = tied.misfits.slice(0, 6).map(({ track }) => Math.floor(track / 2));
    expect(worst).toContain(3);
    expect(worst).toContain(40);
    expect(tied.misfits[0]?.z).toBeLessThan(0);
  });

  it('is of no use, and says so, where covers have nothing to do with what they are on', async () => {
    const loose = await assessShared(toyData({ artists: 24, tracks: 2, tied: false, noise: 0.3 }), settings, {
      signal,
    });
    expect(of(loose, 'audio', 'cover')).toMatchObject({ usable: false, gain: { verdict: 'cannot-tell' } });
    expect(of(loose, 'audio', 'audio')?.usable).toBe(true);
  });

  it('is the same for the same seed, and is given up when told', async () => {
    const tracks = data.groups.map((_, track) => track);
    const short = { ...settings, steps: 10 };
    const [one, two] = [
      await learnShared(data, tracks, short, { signal }),
      await learnShared(data, tracks, short, { signal }),
    ];
    expect(one).toEqual(two);
    expect(one.prototypes.every(Number.isFinite)).toBe(true);
    const stop = new AbortController();
    await expect(
      learnShared(data, tracks, settings, {
        signal: stop.signal,
        onProgress: ({ step }) => step === 3 && stop.abort(new Error('enough')),
      }),
    ).rejects.toThrow('enough');
    await expect(learnShared(data, [0, 1], settings, { signal })).rejects.toMatchObject({ code: 'empty' });
  });
});

describe('the number of steps', () => {
  it(
    'is chosen by groups that are left out, the same for the same seed, and fewer where learning on does harm',
    { timeout: 300_000 },
    async () => {
      const data = toyData({ artists: 40, albums: 2, tracks: 2, noise: 1.5 });
      const all = data.groups.map((_, track) => track);
      const asked = { ...settings, batch: 32, steps: 300, stop: 'held-out' as const };
      const chosen = await chooseSteps(data, all, asked, { signal });
      expect(chosen % 20).toBe(0);
      expect(chosen).toBeGreaterThan(0);
      expect(chosen).toBeLessThan(300);
      expect(await chooseSteps(data, all, asked, { signal })).toBe(chosen);
      // Too few groups to leave one out: the usual number, or the most that may be.
      const few = all.slice(0, 4 * 10);
      expect(await chooseSteps(data, few, asked, { signal })).toBe(200);
      expect(await chooseSteps(data, few, { ...asked, steps: 50 }, { signal })).toBe(50);
    },
  );
});
