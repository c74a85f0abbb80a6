import { describe, expect, it } from 'vitest';
import { sampleRows } from '../../../models/reduction/row-sample.ts';

const rows = Int32Array.from({ length: 5000 }, (_, row) => row);

describe('sampleRows', () => {
  it('takes all rows where there are few', () => {
    expect(Array.from(sampleRows(Int32Array.of(7, 3, 5), 3))).toEqual([3, 5, 7]);
  });

  it('takes as many as asked, whatever their order', () => {
    const sample = sampleRows(rows, 512);
    expect(sample).toHaveLength(512);
    expect(new Set(sample).size).toBe(512);
    expect(sampleRows(rows.slice().reverse(), 512)).toEqual(sample);
  });

  it('spreads over the rows', () => {
    // Of 1000 rows in each fifth 512/5 = 102.4 are expected, with a standard deviation of 8.6.
    const sample = sampleRows(rows, 512);
    for (let fifth = 0; fifth < 5; fifth++) {
      const inside = sample.filter((row) => Math.floor(row / 1000) === fifth).length;
      expect(Math.abs(inside - 102.4)).toBeLessThan(4 * 8.6);
    }
  });

  it('of a part keeps what the whole kept of it', () => {
    const part = rows.filter((row) => row % 2 === 0);
    const kept = new Set(sampleRows(part, 512));
    for (const row of sampleRows(rows, 512)) if (row % 2 === 0) expect(kept.has(row)).toBe(true);
  });
});
