import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { chosenRows, rowsInMemory, RowsOnDisk, type Rows } from '../../../models/neighbours/rows.ts';
import { Pacer } from '../../../models/numerics/pacer.ts';
import { Random } from '../../../models/numerics/random.ts';
import { distinctRows } from '../../../models/projection/distinct-rows.ts';
import { fitPca, fitUmap, neighbourGraph, projectionTrust } from '../../../models/projection/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const [count, dim] = [700, 60];
const vectors = new Random(5).normals(count * dim);
// Copies: of one row several, and of a part.
vectors.copyWithin(40 * dim, 3 * dim, 4 * dim);
vectors.copyWithin(41 * dim, 3 * dim, 4 * dim);
vectors.copyWithin(600 * dim, 100 * dim, 130 * dim);
let file: RowsOnDisk;

beforeAll(async () => {
  const path = join(await temporaryFolder(), 'vectors.f32');
  writeFileSync(path, vectors);
  file = new RowsOnDisk(path, count, dim);
});

it('lays rows of a file out as those in memory, to the last bit', async () => {
  const [inMemory, onDisk] = [await fitPca(vectors, dim), await fitPca(file, dim)];
  expect(onDisk).toEqual(inMemory);
  expect(await onDisk.project(file)).toEqual(await inMemory.project(vectors));
  // Some of them laid out and the rest placed among these, and all of them.
  for (const mostLaidOut of [300, 1000]) {
    const options = { seed: 2, passes: 30, mostLaidOut };
    const [a, b] = [await fitUmap(vectors, dim, options), await fitUmap(file, dim, options)];
    expect([b.x, b.y]).toEqual([a.x, a.y]);
    const trust = await projectionTrust(vectors, dim, a, { seed: 1 });
    expect(await projectionTrust(file, dim, b, { seed: 1 })).toBe(trust);
  }
  expect(await neighbourGraph(file, dim, 5)).toEqual(await neighbourGraph(vectors, dim, 5));
});

it('tells of the rows that are placed how far it is, as of those laid out', async () => {
  const seen: number[] = [];
  await fitUmap(file, dim, { seed: 1, passes: 5, mostLaidOut: 100, onProgress: (done) => seen.push(done) });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  // A seventh of the rows is laid out: the layout is not the whole of it.
  expect(Math.max(...seen.filter((done) => done < 1))).toBeLessThan(0.3);
});

it('refuses rows of another length, and names a row that is no number', async () => {
  await expect(fitPca(file, dim + 1)).rejects.toMatchObject({ code: 'shape' });
  const bad = vectors.slice();
  bad[123 * dim + 4] = NaN;
  await expect(fitPca(rowsInMemory(bad, dim), dim)).rejects.toMatchObject({ code: 'not-finite' });
});

it('finds which rows are copies, and which of them is the first', async () => {
  const { rows, of } = await distinctRows(file, new Pacer());
  expect(rows).toHaveLength(count - 32);
  expect([of[40], of[41]]).toEqual([3, 3]);
  for (let row = 0; row < count; row++) {
    const first = rows[of[row] ?? -1] ?? -1;
    expect(first).toBeLessThanOrEqual(row);
    expect(vectors.subarray(first * dim, (first + 1) * dim)).toEqual(
      vectors.subarray(row * dim, (row + 1) * dim),
    );
  }
  // 0 and −0 are other bits.
  const zeros = await distinctRows(rowsInMemory(Float32Array.of(0, -0, 0), 1), new Pacer());
  expect([...zeros.of]).toEqual([0, 1, 0]);
});

it('gives chosen rows in any order, near to each other or not', () => {
  const chosen = [5, 3, 4, 699, 0, 0, 8];
  const some = chosenRows(file, chosen);
  expect(some.count).toBe(7);
  const wanted = chosen.flatMap((row) => [...vectors.subarray(row * dim, (row + 1) * dim)]);
  expect([...some.read(0, 7)]).toEqual(wanted);
  expect([...some.read(0, 3)]).toEqual(wanted.slice(0, 3 * dim));
  expect([...some.one(3)]).toEqual([...vectors.subarray(699 * dim)]);
  expect(some.read(2, 0)).toHaveLength(0);
});

it('reads chosen rows some megabytes at a time, however many are asked for', () => {
  const wide = 2 ** 19;
  const reads: number[] = [];
  const all: Rows = {
    count: 9,
    dim: wide,
    one: (row) => new Float32Array(wide).fill(row),
    read: (first, some) => {
      reads.push(some);
      return Float32Array.from({ length: some * wide }, (_, i) => first + Math.floor(i / wide));
    },
  };
  const found = chosenRows(all, [0, 1, 3, 4, 8, 6, 7]).read(0, 7);
  expect(Array.from({ length: 7 }, (_, i) => found[i * wide])).toEqual([0, 1, 3, 4, 8, 6, 7]);
  expect(Math.max(...reads)).toBeLessThanOrEqual(4);
});
