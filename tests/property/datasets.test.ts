import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  DatasetError,
  readDataset,
  writeDatasetNpz,
  writeDatasetParquet,
  writeMeka,
  writeMulan,
  type WritableSet,
} from '../../models/datasets/index.ts';
import { readParquetDataset } from '../../models/datasets/parquet.ts';
import { temporaryFolder } from '../support/temporary.ts';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

/** Any text that a file can hold: whole characters, no control characters but the usual three. */
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .map((text) => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|\p{Cs}/gu, '_'));
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer().map(Number),
  fc.constantFrom(0, 1e-310, -1.5e300, 5e-324),
);

const sets: fc.Arbitrary<WritableSet> = fc
  .record({
    name: name.filter((text) => text.trim() === text && !/[:\\]/.test(text)),
    dim: fc.integer({ min: 1, max: 5 }),
    L: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 1, max: 6 }),
  })
  .chain(({ name: title, dim, L, count }) =>
    fc
      .record({
        names: fc.uniqueArray(name, { minLength: dim + L, maxLength: dim + L }),
        values: fc.array(number, { minLength: dim * count, maxLength: dim * count }),
        bits: fc.array(fc.constantFrom(0, 1), { minLength: L * count, maxLength: L * count }),
      })
      .map(({ names, values, bits }) => ({
        ...{ name: title, dim, count },
        // −0 and 0 are one number in text formats.
        features: Float64Array.from(values, (value) => value + 0),
        labels: Uint8Array.from(bits),
        featureNames: names.slice(0, dim),
        labelNames: names.slice(dim),
      })),
  );

const contents = ({ features, labels, labelNames, featureNames, count, dim }: Omit<WritableSet, 'name'>) => ({
  ...{ features, labels, labelNames, featureNames, count, dim },
});

describe('any labelled set', () => {
  it('comes back from ARFF, NPZ and Parquet exactly', async () => {
    const path = (file: string): string => join(folder, file);
    await fc.assert(
      fc.asyncProperty(sets, async (set) => {
        const { arff, xml } = writeMulan(set);
        writeFileSync(path('set.arff'), [...arff].join(''));
        writeFileSync(path('set.xml'), xml);
        writeFileSync(path('meka.arff'), [...writeMeka(set)].join(''));
        const points = new Float32Array(set.count);
        const neighbors = Array.from({ length: set.count }, () => ({ ids: [], distances: [] }));
        writeFileSync(
          path('set.parquet'),
          await writeDatasetParquet(set, { x: points, y: points, neighbors }, []),
        );
        for (const file of ['set.arff', 'meka.arff'])
          expect(contents(await readDataset(path(file))), file).toEqual(contents(set));
        // In this thread, which saves the start of sixty others.
        const table = await readParquetDataset(path('set.parquet'), {}, () => undefined);
        expect(contents(table)).toEqual(contents(set));
        // NumPy's text loses zero characters at the end of a name only; there are none here.
        writeFileSync(path('set.npz'), writeDatasetNpz(set));
        expect(contents(await readDataset(path('set.npz')))).toEqual(contents(set));
      }),
      { numRuns: 60 },
    );
  });

  it('in a file that was damaged is read or refused with a reason, never anything else', async () => {
    const path = join(folder, 'damaged.arff');
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.integer({ min: 0, max: 6 }),
      by: fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom('{', '}', "'", '"', ',', '\\', '%', '\n', '@data\n', '?'),
      ),
    });
    await fc.assert(
      fc.asyncProperty(sets, fc.array(damage, { minLength: 1, maxLength: 4 }), async (set, damages) => {
        let text = [...writeMeka(set)].join('');
        for (const { at, length, by } of damages) {
          const from = Math.floor(at * text.length);
          text = text.slice(0, from) + by + text.slice(from + length);
        }
        writeFileSync(path, text);
        try {
          const read = await readDataset(path, { missing: 'drop-rows' });
          expect(read.features.every(Number.isFinite)).toBe(true);
          expect(read.labels.every((bit) => bit === 0 || bit === 1)).toBe(true);
          expect(read.features).toHaveLength(read.count * read.dim);
          expect(read.labels).toHaveLength(read.count * read.labelNames.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused in an archive that was cut or changed', async () => {
    const bytes = writeDatasetNpz({
      ...{ name: 'set', count: 3, dim: 2, labelNames: ['l'], featureNames: ['a', 'b'] },
      ...{ features: Float64Array.of(1, 2, 3, 4, 5, 6), labels: Uint8Array.of(1, 0, 1) },
    });
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), changes, async (length, edits) => {
        const damaged = Uint8Array.from(length % 2 === 0 ? bytes : bytes.subarray(0, length));
        for (const [at, value] of edits) if (damaged.length > 0) damaged[at % damaged.length] = value;
        writeFileSync(join(folder, 'cut.npz'), damaged);
        try {
          const read = await readDataset(join(folder, 'cut.npz'));
          expect(read.features).toHaveLength(read.count * read.dim);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { numRuns: 150 },
    );
  });
});
