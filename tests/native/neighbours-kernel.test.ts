import { rowsInMemory } from '../../models/neighbours/rows.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { kernel as scan } from '../../native/neighbours/scan.generated.ts';
import { kernel as layout } from '../../native/layout/layout.generated.ts';
import { kernel as polyphase } from '../../native/resample/polyphase.generated.ts';
import { kernel as phase } from '../../native/phase/spectra.generated.ts';
import { kernel as distances } from '../../native/reduction/distances.generated.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { CodeProduct } from '../../models/neighbours/product.ts';
import { offersRoom, Sieve } from '../../models/neighbours/sieve.ts';
import { Random } from '../../models/numerics/random.ts';
import { scanTwin } from '../support/scan-twin.ts';

/** Every row is infinitely far: sharpening finds nothing to lower the limit with. */
const neverSharper = (): number => Infinity;
const root = join(import.meta.dirname, '../..');

describe('the compiled kernels', () => {
  it.each([
    ['neighbours/scan', scan],
    ['reduction/distances', distances],
    ['phase/spectra', phase],
    ['layout/layout', layout],
    ['resample/polyphase', polyphase],
  ])('%s is what its source compiles to', async (name, kernel) => {
    const url = pathToFileURL(join(root, 'scripts/build-native.mjs')).href;
    const { compile } = (await import(/* @vite-ignore */ url)) as {
      compile: (text: string) => Promise<Uint8Array>;
    };
    const source = readFileSync(join(root, `native/${name}.as`), 'utf8');
    expect(Buffer.from(await compile(source)).toString('base64')).toBe(kernel);
  });
});

describe('the scan kernel', () => {
  it.each([
    ['euclidean', 30, 1003, 127],
    ['cosine', 17, 998, 64],
    ['euclidean', 8, 4100, 64],
  ] as const)(
    'offers exactly what its TypeScript twin offers (%s, %i × %i)',
    async (metric, dim, count, coarsest) => {
      const random = new Random(3);
      const vectors = random.normals(count * dim).map((value, i) => value * (1 + (i % dim)) + (i % 3));
      const queries = random.normals(12 * dim).map((value, i) => value * (1 + (i % dim)));
      const sieve = await Sieve.build(rowsInMemory(vectors, dim), metric, new Pacer());
      const product = await CodeProduct.open(coarsest);
      for (const k of [1, 10]) {
        for (const fineness of ['scan', 'coarse', 'fine'] as const) {
          const largest = fineness === 'scan' ? 32767 : product.largest[fineness];
          const asked = Array.from({ length: 12 }, (_, q) =>
            sieve.read(queries.subarray(q * dim, (q + 1) * dim), largest, neverSharper),
          );
          if (fineness === 'scan') {
            sieve.open(asked, { k, room: offersRoom(k) }, 0);
            await sieve.scan(asked, new Pacer());
          } else await product.sift(sieve, asked, { k, room: offersRoom(k) }, fineness, new Pacer());
          const found = asked.map((_, q) => sieve.offers(q));
          const { codes, facts } = sieve.views();
          for (const [q, query] of asked.entries()) {
            const twin = scanTwin(codes, facts, count, sieve.width, query, k, offersRoom(k));
            expect(twin?.length).toBeGreaterThanOrEqual(k);
            const own = found[q] ?? null;
            const byRow = (offers: { row: number; lowest: number }[]): string =>
              offers
                .sort((a, b) => a.row - b.row)
                .map(({ row, lowest }) => `${row}:${lowest}`)
                .join(' ');
            const ours = Array.from(own?.rows ?? [], (row, i) => ({ row, lowest: own?.lowest[i] ?? NaN }));
            expect(byRow(ours), `${fineness} ${k} ${q}`).toBe(byRow(twin ?? []));
          }
        }
      }
      await product.close();
    },
  );
});
