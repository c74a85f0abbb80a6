import { expect, it } from 'vitest';
import { numberTracks } from '../../../models/embeddings/tracks.ts';

it('numbers tracks by first appearance; a track that no group names is its own', () => {
  expect(numberTracks(['b', 'a', 'b', 'c'], new Map([['a', 'album']]))).toEqual({
    of: Int32Array.of(0, 1, 0, 2),
    ids: ['b', 'a', 'c'],
    groups: ['b', 'album', 'c'],
  });
});
