import { describe, expect, it } from 'vitest';
import { splitTracks, type Part, type SplitItem } from '../../../models/evaluation/splits/holdout.ts';

const fractions = { train: 0.7, validation: 0.15, test: 0.15 };

function items(counts: readonly number[]): SplitItem[] {
  return counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ id: `${label}/${i}`, group: `${label}/${i}`, label })),
  );
}

function sizes(split: Map<string, Part>, prefix: string): number[] {
  const parts = [...split].filter(([id]) => id.startsWith(prefix)).map(([, part]) => part);
  return (['train', 'validation', 'test'] as const).map((part) => parts.filter((p) => p === part).length);
}

describe('splitTracks', () => {
  it('keeps the shares within each class', () => {
    const split = splitTracks(items([100, 20, 3]), fractions, 1);
    expect(sizes(split, '0/')).toEqual([70, 15, 15]);
    expect(sizes(split, '1/')).toEqual([14, 3, 3]);
    expect(sizes(split, '2/')).toEqual([1, 1, 1]);
  });

  it('leaves a class of one or two groups to train', () => {
    const split = splitTracks(items([2, 1]), fractions, 1);
    expect([...split.values()]).toEqual(['train', 'train', 'train']);
  });

  it('gives nothing to a part with a share of 0', () => {
    const split = splitTracks(items([10]), { train: 0.5, validation: 0, test: 0.5 }, 3);
    expect(sizes(split, '')).toEqual([5, 0, 5]);
  });

  it('changes with the seed', () => {
    const one = JSON.stringify([...splitTracks(items([30]), fractions, 1)].sort());
    const two = JSON.stringify([...splitTracks(items([30]), fractions, 2)].sort());
    expect(one).not.toBe(two);
  });

  it('refuses shares that make no split, and an id twice', () => {
    expect(() => splitTracks([], { train: 0.5, validation: 0.2, test: 0.2 }, 1)).toThrow(/sum to 1/);
    expect(() => splitTracks([], { train: 1.2, validation: -0.2, test: 0 }, 1)).toThrow(/negative/);
    expect(() => splitTracks([], { train: NaN, validation: 0.5, test: 0.5 }, 1)).toThrow(RangeError);
    expect(() => splitTracks([], { train: 0, validation: 0.5, test: 0.5 }, 1)).toThrow(/train/);
    expect(() => splitTracks([...items([1]), ...items([1])], fractions, 1)).toThrow(/twice/);
  });
});
