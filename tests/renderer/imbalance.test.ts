import { describe, expect, it } from 'vitest';
import { balanceOf, bornTogether, smallestAndLargest } from '../../engine/api/label-balance.ts';

const labelsets = [
  { labelset: ['loud', 'oboe'], rows: 6, prototypes: 2 },
  { labelset: ['oboe'], rows: 2, prototypes: 0 },
  { labelset: ['flute', 'loud'], rows: 1, prototypes: 0 },
];
const names = ['flute', 'loud', 'oboe', 'unheard'];

describe('imbalance of labels', () => {
  it('counts by rows, the rarest first, IRLbl against the most frequent', () => {
    const { labels, meanImbalance } = balanceOf(names, labelsets, ({ rows }) => rows);
    expect(labels).toEqual([
      { name: 'unheard', count: 0, imbalance: null },
      { name: 'flute', count: 1, imbalance: 8 },
      { name: 'loud', count: 7, imbalance: 8 / 7 },
      { name: 'oboe', count: 8, imbalance: 1 },
    ]);
    expect(meanImbalance).toBeCloseTo((8 + 8 / 7 + 1) / 3, 12);
  });

  it('shows what a reduction lost', () => {
    const { labels, meanImbalance } = balanceOf(names, labelsets, ({ prototypes }) => prototypes);
    expect(labels.filter(({ count }) => count === 0).map(({ name }) => name)).toEqual(['flute', 'unheard']);
    expect(meanImbalance).toBe(1);
    expect(balanceOf(names, [], () => 0).meanImbalance).toBeNull();
  });

  it('counts rows that bear two labels, each label with itself on the diagonal', () => {
    expect(bornTogether(['oboe', 'loud', 'flute'], labelsets)).toEqual([
      [8, 6, 0],
      [6, 7, 1],
      [0, 1, 1],
    ]);
  });

  it('takes the smallest and the largest set of every method', () => {
    const set = (method: string, prototypeRows: number) => ({ method, prototypeRows });
    const sets = [set('MChen', 9), set('MRHC', 4), set('MChen', 2), set('MChen', 5)];
    expect(smallestAndLargest(sets)).toEqual([set('MChen', 2), set('MChen', 9), set('MRHC', 4)]);
  });
});
