import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedLogits, trackLogitsOf } from '../../engine/experiments/track-logits.ts';
import { LibraryVectors } from '../../engine/library/vectors.ts';
import { Random } from '../../models/numerics/random.ts';
import { applyEdit, type PrototypeEdit } from '../../models/pecmae/edits.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { space } from '../renderer/fake.ts';

const { signal } = new AbortController();

/** A network, and a library of about unit size in its normalised space, some windows of which are prototypes. */
const problem = fc
  .record({
    seed: fc.maxSafeInteger(),
    classes: fc.integer({ min: 2, max: 7 }),
    perClass: fc.integer({ min: 1, max: 5 }),
    dim: fc.integer({ min: 1, max: 70 }),
    tracks: fc.integer({ min: 1, max: 40 }),
    weighted: fc.boolean(),
    task: fc.constantFrom('single' as const, 'multi' as const),
  })
  .map(({ seed, classes, perClass, dim, tracks, weighted, task }) => {
    const random = new Random(seed);
    const [mean, scale] = [random.normal(), 0.5 + 2 * random.uniform()];
    const K = classes * perClass;
    const network = new PrototypeNetwork({
      classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
      embeddingDim: dim,
      prototypesPerClass: perClass,
      task,
      normalisation: { mean, scale },
      prototypes: random.normals(K * dim),
      weights: random.normals(classes * K),
      bias: random.normals(classes),
      temperature: 0.1,
      channelWeights: weighted ? random.normals(K * dim).map(Math.abs) : null,
    });
    const counts = Array.from({ length: tracks }, () => 1 + random.integer(5));
    const count = counts.reduce((a, b) => a + b, 0);
    const vectors = random.normals(count * dim).map((x) => x * scale + mean);
    for (let row = 0; row < count; row += 3)
      vectors.set(network.prototypeVector(random.integer(K)), row * dim);
    const trackIds = counts.map((_, track) => `t${track}`);
    const windows = {
      ...{ space, dim, count, trackIds, contentHashes: trackIds, vectors },
      trackOf: Int32Array.from(counts.flatMap((n, track) => Array.from({ length: n }, () => track))),
      windowIndex: Int32Array.from(counts.flatMap((n) => [...Array(n).keys()])),
      startSeconds: new Float32Array(count),
      durationSeconds: new Float32Array(count),
    };
    return { network, windows, counts, random };
  });

type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never;

/** Edits of every kind, one after the other. */
function someEdits({ network, windows, random }: Problem): PrototypeEdit[] {
  const { dim } = windows;
  const window = (): Float32Array => {
    const row = random.integer(windows.count);
    return windows.vectors.slice(row * dim, (row + 1) * dim);
  };
  const [classIndex, index] = [
    random.integer(network.data.classes.length),
    random.integer(network.prototypeCount),
  ];
  const several = network.data.prototypesPerClass > 1;
  return [
    { kind: 'add', classIndex, vector: window() },
    { kind: 'move', index, vector: window() },
    { kind: 'split', index, vectors: [window(), window()] },
    { kind: 'rename', index, name: 'a breath' },
    { kind: 'weight', index, classIndex, value: 3 * random.normal() },
    ...(several
      ? ([
          { kind: 'remove', index },
          { kind: 'merge', indices: [0, 1] },
          { kind: 'reassign', index, classIndex },
        ] satisfies PrototypeEdit[])
      : []),
  ];
}

describe('what a network says of the tracks of a library', () => {
  it('is what it says of each track alone, and what an edit changes is what the edited network says', async () => {
    await fc.assert(
      fc.asyncProperty(problem, async (of) => {
        const { network, windows, counts } = of;
        const vectors = new LibraryVectors(windows);
        const known = await trackLogitsOf(network, vectors, { signal });
        expectLogits(known.logits, alone(network, windows.vectors, counts));
        for (const edit of someEdits(of)) {
          const edited = applyEdit(network, edit);
          const { logits, tops } = await changedLogits(network, edited, known, vectors, signal);
          const anew = await trackLogitsOf(edited, new LibraryVectors(windows), { signal });
          expectLogits(logits, anew.logits);
          expectLogits(logits, alone(edited, windows.vectors, counts));
          const C = edited.data.classes.length;
          tops.forEach((top, row) => {
            const own = logits.subarray(row * C, (row + 1) * C);
            expect(own[top]).toBe(Math.max(...own));
          });
        }
        // What is kept was not written into.
        expect(await trackLogitsOf(network, vectors, { signal })).toEqual(known);
      }),
      { numRuns: 25 },
    );
  });
});

/** By the network's own float64, track by track. */
function alone(network: PrototypeNetwork, vectors: Float32Array, counts: readonly number[]): Float32Array {
  const { embeddingDim: dim, classes } = network.data;
  const logits = new Float32Array(counts.length * classes.length);
  let first = 0;
  for (const [track, n] of counts.entries()) {
    const own = vectors.subarray(first * dim, (first + n) * dim);
    logits.set(network.classify(own, n).logits, track * classes.length);
    first += n;
  }
  return logits;
}

/** Within 1e-5 of one another, or of the largest of them. */
function expectLogits(found: Float32Array, expected: Float32Array): void {
  expect(found).toHaveLength(expected.length);
  const largest = expected.reduce((most, logit) => Math.max(most, Math.abs(logit)), 1);
  const off = found.reduce((most, logit, i) => Math.max(most, Math.abs(logit - (expected[i] ?? NaN))), 0);
  expect(off).toBeLessThan(1e-5 * largest);
}
