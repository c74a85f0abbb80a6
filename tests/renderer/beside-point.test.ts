import { describe, expect, it } from 'vitest';
import { besidePoint } from '../../renderer/src/prototypes/beside-point.ts';

describe('going from point to point of a map', () => {
  const points = [
    { x: 0, y: 0 },
    { x: 10, y: 1 },
    { x: 6, y: 8 },
    { x: 0, y: -5 },
  ];

  it('takes what lies next in the direction, not merely nearest', () => {
    expect(besidePoint(points, 0, 'right')).toBe(1);
    expect(besidePoint(points, 0, 'down')).toBe(2);
    expect(besidePoint(points, 0, 'up')).toBe(3);
    expect(besidePoint(points, 1, 'left')).toBe(0);
  });

  it('begins with the first, and stays where nothing lies there', () => {
    expect(besidePoint(points, -1, 'left')).toBe(0);
    expect(besidePoint(points, 1, 'right')).toBe(-1);
    expect(besidePoint([], -1, 'up')).toBe(-1);
  });

  it('reaches every point by some key', () => {
    const seen = new Set([0]);
    for (const from of seen)
      for (const direction of ['left', 'right', 'up', 'down'] as const) {
        const next = besidePoint(points, from, direction);
        if (next >= 0) seen.add(next);
      }
    expect(seen.size).toBe(points.length);
  });
});
