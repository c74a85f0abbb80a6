import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { r2 } from '../../../models/evaluation/metrics/regression.ts';
import { Random } from '../../../models/numerics/random.ts';
import { fitRidge, type Targets } from '../../../models/probes/ridge.ts';

const { signal } = new AbortController();

/** `count` tracks of one window each in `dim` dimensions. */
function rows(count: number, dim: number, seed: number): LabelledWindows {
  const random = new Random(seed);
  const ids = Array.from({ length: count }, (_, i) => `${i}`);
  return {
    features: Float32Array.from({ length: count * dim }, () => random.normal()),
    ...{ count, dim, labels: new Uint8Array(0), labelNames: [] },
    tracks: { of: Int32Array.from(ids.keys()), ids, groups: ids },
  };
}

const column = ({ names, values }: Targets, c: number): number[] =>
  [...values].filter((_, i) => i % names.length === c);

describe('ridge', () => {
  it.each([
    ['more tracks than dimensions', 400, 20],
    ['fewer', 60, 200],
  ])('recovers what can be known with %s, and nothing of noise', async (_, count, dim) => {
    const random = new Random(5);
    const weights = Array.from({ length: dim }, (__, d) => (d < 5 ? 1 : 0));
    const targetsOf = (set: LabelledWindows): Targets => ({
      names: ['linear', 'noise', 'half known'],
      values: Float64Array.from(
        Array.from({ length: set.count }, (__, row) => {
          const signalOf = weights.reduce<number>(
            (sum, w, d) => sum + w * (set.features[row * dim + d] ?? 0),
            0,
          );
          // Variance 5 of what can be known, and 1 that cannot: R² 5/6 at the best.
          return [7 + signalOf + random.normal(), random.normal(), row % 2 === 0 ? signalOf : NaN];
        }).flat(),
      ),
    });
    const [train, test] = [rows(count, dim, 1), rows(300, dim, 2)];
    const fitted = await fitRidge(
      { kind: 'ridge', strength: null },
      { train, targets: targetsOf(train), signal },
    );
    const truth = targetsOf(test);
    const predicted = { ...truth, values: fitted(test) };
    const [linear, noise] = [0, 1].map((c) => r2(column(truth, c), column(predicted, c)) ?? NaN);
    if (count > dim) expect(Math.abs((linear ?? NaN) - 5 / 6)).toBeLessThan(0.05);
    else expect(linear).toBeGreaterThan(0.02);
    expect(noise).toBeLessThan(0.03);
    expect(column(predicted, 2).every(Number.isFinite)).toBe(true);
  });

  it('says nothing of a target that is known of too few', async () => {
    const train = rows(20, 3, 1);
    const values = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i : i < 6 ? 1 : NaN));
    const fitted = await fitRidge(
      { kind: 'ridge', strength: 1 },
      { train, targets: { names: ['a', 'b'], values }, signal },
    );
    expect([...fitted(rows(2, 3, 2))].map(Number.isFinite)).toEqual([true, false, true, false]);
    const none = { names: ['b'], values: new Float64Array(20).fill(NaN) };
    await expect(
      fitRidge({ kind: 'ridge', strength: 1 }, { train, targets: none, signal }),
    ).rejects.toMatchObject({
      code: 'empty',
    });
  });

  it('agrees with scikit-learn where it is there', async ({ skip }) => {
    const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
    try {
      execFileSync(python, ['-c', 'import sklearn'], { stdio: 'ignore' });
    } catch {
      skip('no Python with scikit-learn');
    }
    for (const [count, dim] of [
      [50, 8],
      [8, 50],
    ] as const)
      await agrees(python, count, dim);
  });
});

async function agrees(python: string, count: number, dim: number): Promise<void> {
  const [train, test] = [rows(count, dim, 3), rows(5, dim, 4)];
  const random = new Random(6);
  const y = Array.from({ length: count }, () => random.normal());
  const script = `
import json, sys, numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
d = json.load(sys.stdin)
x, t = (np.array(d[k], dtype=np.float64).reshape(-1, d["dim"]) for k in ("x", "t"))
s = StandardScaler().fit(x)
print(json.dumps(Ridge(alpha=2.5).fit(s.transform(x), d["y"]).predict(s.transform(t)).tolist()))`;
  const input = JSON.stringify({ x: [...train.features], t: [...test.features], y, dim });
  const wanted = z
    .array(z.number())
    .parse(JSON.parse(execFileSync(python, ['-c', script], { input, encoding: 'utf8' })));
  const fitted = await fitRidge(
    { kind: 'ridge', strength: 2.5 },
    { train, targets: { names: ['y'], values: Float64Array.from(y) }, signal },
  );
  fitted(test).forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? NaN))).toBeLessThan(1e-5));
}
