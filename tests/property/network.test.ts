import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../models/pecmae/edits.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { Random } from '../../models/numerics/random.ts';

/** Any network and a track for it; large weights and offsets, several windows. */
const problem = fc
  .record({
    seed: fc.maxSafeInteger(),
    classes: fc.integer({ min: 1, max: 6 }),
    perClass: fc.integer({ min: 1, max: 5 }),
    dim: fc.integer({ min: 1, max: 40 }),
    windows: fc.integer({ min: 1, max: 12 }),
    size: fc.constantFrom(0.1, 1, 5),
    task: fc.constantFrom('single' as const, 'multi' as const),
    weighted: fc.boolean(),
  })
  .map(({ seed, classes, perClass, dim, windows, size, task, weighted }) => {
    const random = new Random(seed);
    const network = new PrototypeNetwork({
      classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
      embeddingDim: dim,
      prototypesPerClass: perClass,
      task,
      normalisation: { mean: 3 * random.normal(), scale: 0.1 + 5 * random.uniform() },
      prototypes: random.normals(classes * perClass * dim).map((v) => v / 2),
      weights: random.normals(classes * classes * perClass).map((v) => size * v),
      bias: random.normals(classes),
      temperature: 0.1,
      channelWeights: weighted ? random.normals(classes * perClass * dim).map(Math.abs) : null,
    });
    return { network, windows, z: random.normals(windows * dim).map((v) => 3 * v), random, classes, dim };
  });

describe('prototype network, any weights', () => {
  it('explains every logit: bias and contributions sum to it', () => {
    fc.assert(
      fc.property(problem, ({ network, windows, z, classes }) => {
        const { logits } = network.classify(z, windows);
        for (let c = 0; c < classes; c++) {
          const { bias, logit, contributions } = network.explain(z, windows, c);
          const sum = contributions.reduce((total, part) => total + part.contribution, bias);
          expect(Math.abs(sum - (logits[c] ?? NaN))).toBeLessThan(1e-5);
          expect(Math.abs(logit - (logits[c] ?? NaN))).toBeLessThan(1e-5);
          expect(contributions.map((part) => part.prototype).sort((a, b) => a - b)).toEqual(
            Array.from({ length: network.prototypeCount }, (_, k) => k),
          );
          const sizes = contributions.map((part) => Math.abs(part.contribution));
          expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
        }
      }),
    );
  });

  it('gives probabilities', () => {
    fc.assert(
      fc.property(problem, ({ network, windows, z }) => {
        const { probabilities } = network.classify(z, windows);
        for (const p of probabilities) expect(p).toSatisfy((value: number) => value >= 0 && value <= 1);
        if (network.data.task === 'multi') return;
        expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }),
    );
  });

  it('comes back from its bytes, edited or not', () => {
    fc.assert(
      fc.property(problem, ({ network, dim, random }) => {
        for (const saved of [
          network,
          applyEdit(network, { kind: 'add', classIndex: 0, vector: random.normals(dim), name: 'Breath' }),
        ]) {
          const read = PrototypeNetwork.fromBytes(saved.toBytes());
          expect(read.data).toEqual(saved.data);
          expect(Buffer.from(read.toBytes()).equals(Buffer.from(saved.toBytes()))).toBe(true);
        }
      }),
    );
  });
});
