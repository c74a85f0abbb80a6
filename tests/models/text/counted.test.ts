import { expect, it } from 'vitest';
import { counted, thereAre } from '../../../models/text/counted.ts';

it('counts with the right grammar for none, one and many', () => {
  expect([0, 1, 2, 1200].map((count) => counted(count, 'track'))).toEqual([
    ...['no tracks', '1 track', '2 tracks', '1200 tracks'],
  ]);
  expect([0, 1, 2].map((count) => thereAre(count, 'class of “A”', 'classes of “A”'))).toEqual([
    'There are no classes of “A”',
    'There is 1 class of “A”',
    'There are 2 classes of “A”',
  ]);
});
