import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compareAllRows } from '../../../models/neighbours/brute.ts';
import { ExactIndex } from '../../../models/neighbours/exact.ts';
import { rowsAtOnce, RowsOnDisk } from '../../../models/neighbours/rows.ts';
import { Random } from '../../../models/numerics/random.ts';
import { temporaryFolder } from '../../support/temporary.ts';

it(
  'answers from a file what it answers from memory, whichever way it is searched',
  { timeout: 60_000 },
  async () => {
    const [count, dim, k] = [70_000, 32, 7];
    const random = new Random(3);
    const vectors = Float32Array.from({ length: count * dim }, () => random.normal());
    // Copies are told apart by their rows.
    vectors.copyWithin(60_000 * dim, 100 * dim, 120 * dim);
    const path = join(await temporaryFolder(), 'vectors.f32');
    writeFileSync(path, vectors);
    const rows = new RowsOnDisk(path, count, dim);
    const queries = Float32Array.from(vectors.subarray(95 * dim, 107 * dim));
    for (const metric of ['euclidean', 'cosine'] as const) {
      const [inMemory, onDisk] = await Promise.all([
        ExactIndex.build(vectors, dim, metric),
        ExactIndex.over(rows, metric),
      ]);
      // Row by row, by scanning, and as a product; several at once share the file.
      for (const m of [1, 3, 12]) {
        const asked = queries.subarray(0, m * dim);
        const found = await Promise.all([onDisk.nearest(asked, k), onDisk.nearest(asked, k)]);
        expect(found[0]).toEqual(await inMemory.nearest(asked, k));
        expect(found[1]).toEqual(found[0]);
      }
      const plain = await compareAllRows(rows, { features: queries, count: 12 }, { k, metric });
      expect(plain).toEqual(
        await compareAllRows(
          { features: vectors, count, dim },
          { features: queries, count: 12 },
          { k, metric },
        ),
      );
      await Promise.all([inMemory.close(), onDisk.close()]);
    }
    rows.close();
  },
);

it('names the row that holds no number, in whichever part of them, and keeps parts of one row', async () => {
  const dim = 1 << 18;
  const count = rowsAtOnce(dim) + 1;
  const vectors = Float32Array.from({ length: count * dim }, (_, i) => Math.floor(i / dim));
  const path = join(await temporaryFolder(), 'vectors.f32');
  writeFileSync(path, vectors);
  const rows = new RowsOnDisk(path, count, dim);
  const last = rows.read(count - 1, 1);
  expect(rows.one(0)[0]).toBe(0);
  expect(last[0]).toBe(count - 1);
  rows.close();
  vectors[count * dim - 1] = NaN;
  await expect(ExactIndex.build(vectors, dim)).rejects.toThrow(`row ${count - 1} holds NaN`);
});
