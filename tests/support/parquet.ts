import { resolve } from 'node:path';
import { writeDatasetParquet } from '../../models/datasets/index.ts';

/**
 * A table of three rows, two features and one label, as `writeDatasetParquet` makes it, with byte 277 changed from 21 to
 * 103: a run of levels now claims to be hundreds of millions long, and hyparquet 1.31.5 writes them all.
 */
export const endlessRun = resolve(import.meta.dirname, '../fixtures/datasets/endless-run.parquet');

/** A table of four rows with one feature, x, and two labels, a and b, of which every combination occurs. */
export function smallParquet(): Promise<Uint8Array> {
  const neighbors = Array.from({ length: 4 }, () => ({ ids: [], distances: [] }));
  return writeDatasetParquet(
    {
      ...{ name: 'set', count: 4, dim: 1, featureNames: ['x'], labelNames: ['a', 'b'] },
      ...{ features: Float64Array.of(0, 1, 2, 3), labels: Uint8Array.of(1, 0, 0, 1, 1, 1, 0, 0) },
    },
    { x: new Float32Array(4), y: new Float32Array(4), neighbors },
    [],
  );
}
