import { describe, expect, it } from 'vitest';
import { Random } from '../../models/numerics/random.ts';
import { squaredDistanceInOrder } from '../../models/numerics/distances.ts';
import { PythonRandom } from '../../models/numerics/python-random.ts';
import { Panel, PanelDistances } from '../../models/reduction/panels.ts';

describe('distance kernels', () => {
  it('give the bits of the plain sum, and a float32 bound above it', () => {
    const random = new Random(5);
    for (const [dim, rowsA, rowsB] of [
      [1, 1, 1],
      [24, 5, 3],
      [37, 9, 16],
      [103, 7, 11],
    ] as const) {
      const features = Float64Array.from({ length: 40 * dim }, () => random.normal() * 10 + 100);
      const centre = new Float64Array(dim).fill(100);
      const distances = new PanelDistances(features, dim, 16, 2, centre);
      const a = new Panel(Int32Array.from({ length: rowsA }, (_, i) => 3 * i));
      const b = new Panel(Int32Array.from({ length: rowsB }, (_, i) => 2 * i + 1));
      const bound = distances.squaresAtMost(a, b);
      const largest = distances.squares(a, b);
      const { values, start, stride } = distances.tile(b);
      let most = 0;
      for (const [i, row] of a.rows.entries())
        for (const [j, other] of b.rows.entries()) {
          const square = squaredDistanceInOrder(features, row * dim, features, other * dim, dim);
          expect(values[start + i * stride + j]).toBe(square);
          most = Math.max(most, square);
        }
      expect(largest).toBe(most);
      expect(bound).toBeGreaterThanOrEqual(most);
      if (dim >= 24) expect(bound).toBeLessThan(most * 1.01);
    }
  });

  it('sum distances exactly: any order of rows, any division into panels', () => {
    const random = new Random(6);
    const dim = 5;
    const features = random.normals(20 * dim);
    const ids = Int32Array.from({ length: 20 }, () => random.integer(3));
    const distances = new PanelDistances(features, dim, 24, 4, new Float64Array(dim));
    const total = (parts: number[][]): number[] => {
      const panels = parts.map((rows) => new Panel(Int32Array.from(rows)));
      const sums = new Float64Array(4);
      for (const [i, a] of panels.entries())
        for (const b of panels.slice(i)) {
          distances.squares(a, b);
          distances.addDistances(a, b, ids, 2 ** 36, sums);
        }
      return Array.from(sums);
    };
    const rows = Array.from({ length: 20 }, (_, row) => row);
    const whole = total([rows]);
    expect(total([random.shuffle(rows)])).toEqual(whole);
    expect(total([rows.slice(0, 7), rows.slice(7, 8), rows.slice(8)])).toEqual(whole);
    let plain = 0;
    for (const i of rows)
      for (const j of rows.slice(i + 1))
        plain += Math.sqrt(squaredDistanceInOrder(features, i * dim, features, j * dim, dim));
    const [high = NaN, low = NaN] = whole;
    expect((high * 2 ** 20 + low) / 2 ** 36).toBeCloseTo(plain, 6);
  });
});

describe('PythonRandom', () => {
  it('repeats the draws of Python’s random.seed(123)', () => {
    const bits = new PythonRandom(123);
    expect([bits.bits(), bits.bits(), bits.bits()]).toEqual([224899942, 1149664691, 374463918]);
    const random = new PythonRandom(123);
    expect(Array.from({ length: 8 }, () => random.below(10))).toEqual([0, 4, 1, 6, 4, 1, 0, 6]);
    expect(Array.from({ length: 3 }, () => random.below(1000))).toEqual([549, 575, 340]);
  });
});
