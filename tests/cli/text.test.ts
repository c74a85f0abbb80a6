import { expect, it } from 'vitest';
import { someOf } from '../../cli/text.ts';

it('of a thousand names the first are told, and how many more there are', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `c${String(i)}`);
  expect(someOf(names, '; ', 3)).toBe('c0; c1; c2; … 997 more');
  expect(someOf(names.slice(0, 3), '; ', 3)).toBe('c0; c1; c2');
  expect(someOf([])).toBe('');
});
