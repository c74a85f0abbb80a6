import { ReductionError } from './errors.ts';
import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import { emitMajority, type Emitted } from './emit.ts';
import { mrhcCells } from './mrhc.ts';
import { mrsp3Cells } from './mrsp3.ts';
import type { RowDistances } from './distances.ts';

/**
 * RHC (Ougiaroglou & Evangelidis 2016): as MRHC, but from the *mean* of every class, and a prototype is the mean of
 * its cluster. For data with exactly one label per row.
 * @throws ReductionError `bad-label` for any other data; the pacer's abort reason.
 */
export async function rhc(
  data: LabelledVectors,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
): Promise<Emitted> {
  requireOneLabel(data, 'RHC', 'MRHC');
  const cells = await mrhcCells(data, pacer, onProgress, { centre: 'mean', shift: 0 });
  return emitMajority(data, cells, pacer, { centre: 'mean' });
}

/**
 * RSP3 (Sánchez 2004): as MRSP3, but a prototype is the mean of its cluster. For data with exactly one label per row.
 * @throws ReductionError `bad-label` for any other data; the pacer's abort reason.
 */
export async function rsp3(
  data: LabelledVectors,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances?: RowDistances,
): Promise<Emitted> {
  requireOneLabel(data, 'RSP3', 'MRSP3');
  const cells = await mrsp3Cells(data, pacer, onProgress, distances);
  return emitMajority(data, cells, pacer, { centre: 'mean' });
}

function requireOneLabel(data: LabelledVectors, method: string, instead: string): void {
  const labelCount = data.labelNames.length;
  for (let row = 0; row < data.count; row++) {
    let borne = 0;
    for (let l = 0; l < labelCount; l++) borne += at(data.labels, row * labelCount + l);
    if (borne !== 1)
      throw new ReductionError(
        'bad-label',
        `${method} needs exactly one label per row; row ${row} has ${borne}.`,
        `Use ${instead}, its form for any number of labels.`,
      );
  }
}
