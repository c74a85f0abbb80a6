import { expect, it } from 'vitest';
import { meanByTrack } from '../../../models/embeddings/pooling.ts';
import { Random } from '../../../models/numerics/random.ts';

it('means are the same bits whether the rows of a track follow each other or not', () => {
  const [rows, dim, tracks] = [300, 7, 40];
  const random = new Random(1);
  // The last track and one between have none.
  const of = Int32Array.from({ length: rows }, () => 2 * random.integer(19)).sort();
  const values = Float32Array.from(random.normals(rows * dim));
  const means = meanByTrack(values, dim, of, tracks);
  // Turned round by tracks, each with its rows in their order: sums are made in the same order.
  const order = Array.from(of.keys()).sort((a, b) => (of[b] ?? 0) - (of[a] ?? 0) || a - b);
  const turned = Float32Array.from(order.flatMap((row) => [...values.subarray(row * dim, (row + 1) * dim)]));
  expect(
    meanByTrack(
      turned,
      dim,
      Int32Array.from(order, (row) => of[row] ?? -1),
      tracks,
    ),
  ).toEqual(means);
  expect([...means.subarray(dim, 2 * dim)]).toEqual(new Array(dim).fill(0));
  const own = Array.from(of.keys()).filter((row) => of[row] === 4);
  const sum = own.reduce((all, row) => all + (values[row * dim + 3] ?? NaN), 0);
  expect(means[4 * dim + 3]).toBe(Math.fround(sum / own.length));
});
