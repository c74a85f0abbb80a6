import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitTracks } from '../../models/evaluation/splits/holdout.ts';

const library = fc
  .array(fc.record({ group: fc.integer({ min: 0, max: 25 }), label: fc.integer({ min: 0, max: 4 }) }), {
    maxLength: 120,
  })
  .map((rows) => rows.map(({ group, label }, i) => ({ id: `track ${i}`, group: `artist ${group}`, label })));
const shares = fc
  .tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
  .map(([a, b, c]) => ({ train: a / (a + b + c), validation: b / (a + b + c), test: c / (a + b + c) }));
const seed = fc.maxSafeInteger();

describe('splitTracks, any library', () => {
  it('assigns every track, keeps groups whole, and does not care about order', () => {
    fc.assert(
      fc.property(library, shares, seed, (items, fractions, s) => {
        const split = splitTracks(items, fractions, s);
        expect(split.size).toBe(items.length);
        const partOfGroup = new Map<string, string>();
        for (const { id, group } of items) {
          const part = split.get(id) ?? 'none';
          expect(partOfGroup.get(group) ?? part).toBe(part);
          partOfGroup.set(group, part);
        }
        const reversed = splitTracks([...items].reverse(), fractions, s);
        expect(new Map([...reversed].sort())).toEqual(new Map([...split].sort()));
      }),
    );
  });

  it('comes within one track of the shares when every track is its own group', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 80 }), shares, seed, (count, fractions, s) => {
        const items = Array.from({ length: count }, (_, i) => ({ id: `${i}`, group: `${i}`, label: 0 }));
        const parts = [...splitTracks(items, fractions, s).values()];
        for (const part of ['train', 'validation', 'test'] as const) {
          const size = parts.filter((p) => p === part).length;
          if (fractions[part] === 0) expect(size).toBe(0);
          else {
            expect(size).toBeGreaterThanOrEqual(1);
            // One for rounding, and up to two given away so that no part stays empty.
            expect(Math.abs(size - fractions[part] * count)).toBeLessThan(part === 'train' ? 3 : 2);
          }
        }
      }),
    );
  });
});
