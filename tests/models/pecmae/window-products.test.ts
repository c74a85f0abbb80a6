import { describe, expect, it } from 'vitest';
import { rowsInMemory } from '../../../models/neighbours/rows.ts';
import { Random } from '../../../models/numerics/random.ts';
import { PrototypeNetwork } from '../../../models/pecmae/network.ts';
import {
  compareWindows,
  logitsOf,
  meanSimilarities,
  trackLogits,
} from '../../../models/pecmae/window-products.ts';

const dim = 256;

function network(classes: number, perClass: number, random: Random): PrototypeNetwork {
  const K = classes * perClass;
  return new PrototypeNetwork({
    classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
    embeddingDim: dim,
    prototypesPerClass: perClass,
    task: 'single',
    normalisation: { mean: 0.1, scale: 1.3 },
    prototypes: random.normals(K * dim),
    weights: random.normals(classes * K),
    bias: random.normals(classes),
    temperature: 0.1,
  });
}

describe('windows and prototypes by products', () => {
  it('are compared as if nothing had been stopped before, whatever was', async () => {
    const random = new Random(1);
    const own = network(4, 100, random);
    const windows = rowsInMemory(random.normals(3000 * dim), dim);
    const norms = new Float32Array(windows.count).fill(NaN);
    const similaritiesTo = async (columns: readonly number[], kept?: Float32Array, until = Infinity) => {
      const all = new Float32Array(windows.count * columns.length);
      const stopped = new AbortController();
      await compareWindows(own, windows, {
        ...{ columns, norms: kept, signal: stopped.signal },
        onBlock: (first, _count, similarities) => {
          all.set(similarities, first * columns.length);
          if (first >= until) stopped.abort(new Error('enough'));
        },
      });
      return all;
    };
    // Blocks of many prototypes are shorter than those of one: what is known ends in the middle of one of these.
    await expect(similaritiesTo([...Array(400).keys()], norms, 600)).rejects.toThrow('enough');
    expect(norms.some(Number.isNaN)).toBe(true);
    expect(await similaritiesTo([7], norms)).toEqual(await similaritiesTo([7]));
    expect(norms.some(Number.isNaN)).toBe(false);
  });

  it('give the logits of tracks without holding all their similarities', async () => {
    const random = new Random(2);
    const own = network(3, 200, random);
    const tracks = 1000;
    // Every seventh track has no window.
    const of = Int32Array.from(
      Array.from({ length: tracks }, (_, track): number[] =>
        track % 7 === 0 ? [] : Array<number>(1 + (track % 3)).fill(track),
      ).flat(),
    );
    const windows = rowsInMemory(random.normals(of.length * dim), dim);
    const found = await trackLogits(own, windows, of, tracks, {});
    const columns = await meanSimilarities(own, windows, of, tracks, {});
    const expected = await logitsOf(own, columns, tracks);
    const off = found.reduce((most, logit, i) => Math.max(most, Math.abs(logit - (expected[i] ?? NaN))), 0);
    expect(off).toBeLessThan(1e-5);
    expect(found.subarray(7 * 3, 8 * 3)).toEqual(own.data.bias);
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(trackLogits(own, windows, of, tracks, { signal: stopped })).rejects.toThrow('enough');
  });
});
