import type { Pacer } from '../numerics/pacer.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import { widthAtMost, type Cell } from './cells.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';
import { SplitRun, type CellOrder, type SplitPath } from './splitPath.ts';

/** Share of the work that the first farthest pair takes in reported progress. */
const firstPairShare = 0.5;

interface Candidate {
  id: number;
  cell: Cell;
  /** The diameter once `cell.pair` is known, before that an upper bound of it. */
  width: number;
  /** Place in the order of cells. */
  place: number;
}

/**
 * Chen's splitting (Chen & Jóźwik 1996; multilabel: golden/multilabel/SPEC.md §3) to `cells` cells; `cellsAt` of the
 * result then gives every smaller partition too.
 * The cell of largest diameter among those with several labelsets is split next (among all when none is left), the
 * first in order on ties. Diameters are only worked out for cells that may be next.
 * @throws the pacer's abort reason.
 */
export async function chenPath(
  data: LabelledVectors,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
  cellOrder: CellOrder = 'moved',
): Promise<SplitPath> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const run = new SplitRun(data.count, cells, cellOrder);
  if (run.splits === 0) return run.path(Int32Array.from({ length: data.count }, (_, row) => row));
  const root = await distances.root(pacer);
  const farthest = new FarthestPairs(distances, pacer);

  const mixed = new Heap<Candidate>(isBefore);
  const uniform = new Heap<Candidate>(isBefore);
  let places = 1;
  const add = (id: number, cell: Cell, place: number): void => {
    if (cell.rows.length < 2) return;
    const labelset = at(ids, at(cell.rows, 0));
    const heap = cell.rows.some((row) => at(ids, row) !== labelset) ? mixed : uniform;
    heap.push({ id, cell, width: widthAtMost(cell), place });
  };
  const choose = async (): Promise<Candidate | undefined> => {
    const heap = mixed.size > 0 ? mixed : uniform;
    for (let top = heap.pop(); ; top = heap.pop()) {
      if (top === undefined || top.cell.pair) return top;
      top.width = (await farthest.of(top.cell)).distance;
      heap.push(top);
    }
  };

  // The first split takes the whole set, of one labelset or not.
  await farthest.of(root, (fraction) => onProgress?.(fraction * firstPairShare));
  let next: Candidate | undefined = { id: 1, cell: root, width: Infinity, place: 0 };
  while (next !== undefined) {
    const { id, cell, place } = next;
    const [near, rest] = await farthest.split(cell, await farthest.of(cell));
    const restId = run.record(id, near.rows.length);
    if (run.done) break;
    add(id, near, cellOrder === 'kept' ? place : places++);
    if (rest) add(restId, rest, places);
    places++;
    if (pacer.due(cell.rows.length)) {
      onProgress?.(firstPairShare + (1 - firstPairShare) * run.fraction);
      await pacer.pause();
    }
    next = await choose();
  }
  return run.path(root.rows);
}

/** Widest first; cells of unknown diameter before known ones they may equal; then by place. */
function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.width !== b.width) return a.width > b.width;
  if ((a.cell.pair === null) !== (b.cell.pair === null)) return a.cell.pair === null;
  return a.place < b.place;
}
