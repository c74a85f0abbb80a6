import type { Pacer } from '../numerics/pacer.ts';
import { Panel } from './panels.ts';

/** The farthest pair of a cluster: `first < second` in row order, or equal rows for a cluster of diameter 0. */
export interface FarthestPair {
  first: number;
  second: number;
  /** The cluster's diameter. */
  distance: number;
}

/** Rows of a cluster, in panels, with what is known about the distances between them. */
export interface Cell {
  /** A range of the run's order of rows; reordered when the cell is split. */
  rows: Int32Array;
  panels: Panel[];
  /** `[panels, panels]`, symmetric: upper bound of the distances between the rows of two panels. */
  bounds: Float64Array;
  /** A pair of the cell known already, to begin the search for the farthest with. */
  known: FarthestPair | null;
  /** The farthest pair, once searched for. */
  pair: FarthestPair | null;
}

/** Widens a bound so that it stays above every computed distance despite rounding. */
export const boundMargin = 1 + 1e-9;

/** Rows of a panel: 64, and more where 2048 panels would not hold all rows. */
export function panelRows(count: number): number {
  return Math.min(256, Math.max(64, Math.ceil(count / 2048 / 8) * 8));
}

/** No distance inside the cell is larger than this. */
export function widthAtMost(cell: Cell): number {
  if (cell.pair) return cell.pair.distance;
  let widest = 0;
  for (let i = 0; i < cell.bounds.length; i++) {
    const bound = cell.bounds[i] as number;
    if (!(bound <= widest)) widest = bound;
  }
  return widest;
}

/** Distances of every row of a cell, in the order of its rows, to the two rows of a pair. */
export interface PairDistances {
  toFirst: Float64Array;
  toSecond: Float64Array;
}

/** Part of a half that comes from one panel of the parent. */
interface Part {
  parent: number;
  /** Range of the half's rows. */
  start: number;
  end: number;
  /** How far it reaches from the pair's row. */
  reach: number;
}

interface Half {
  rows: Int32Array;
  count: number;
  parts: Part[];
  /** Row farthest from the pair's row of this half. */
  far: number;
  farDistance: number;
}

/**
 * Parts a cell into the rows nearer to `pair.first` (ties included) and the rest. The rows are reordered in place,
 * the nearer ones first; bounds are inherited and tightened.
 * @returns both halves; the second is null when no row is nearer to `pair.second`.
 */
export async function splitCell(
  cell: Cell,
  pair: FarthestPair,
  { toFirst, toSecond }: PairDistances,
  panelLimit: number,
  pacer: Pacer,
): Promise<[Cell, Cell | null]> {
  const size = cell.rows.length;
  const near: Half = { rows: new Int32Array(size), count: 0, parts: [], far: pair.first, farDistance: 0 };
  const rest: Half = { rows: new Int32Array(size), count: 0, parts: [], far: pair.second, farDistance: 0 };
  let s = 0;
  for (let parent = 0; parent < cell.panels.length; parent++) {
    const { rows } = cell.panels[parent] as Panel;
    const nearPart = { parent, start: near.count, end: 0, reach: 0 };
    const restPart = { parent, start: rest.count, end: 0, reach: 0 };
    for (let i = 0; i < rows.length; i++, s++) {
      const [a, b] = [toFirst[s] as number, toSecond[s] as number];
      if (a <= b) put(near, nearPart, rows[i] as number, a);
      else put(rest, restPart, rows[i] as number, b);
    }
    nearPart.end = near.count;
    restPart.end = rest.count;
    if (nearPart.end > nearPart.start) near.parts.push(nearPart);
    if (restPart.end > restPart.start) rest.parts.push(restPart);
    if (pacer.due(8 * rows.length)) await pacer.pause();
  }
  if (rest.count === 0) return [cell, null];
  const nearRows = cell.rows.subarray(0, near.count);
  const restRows = cell.rows.subarray(near.count);
  nearRows.set(near.rows.subarray(0, near.count));
  restRows.set(rest.rows.subarray(0, rest.count));
  return [
    makeHalf(cell, near, pair.first, nearRows, panelLimit),
    makeHalf(cell, rest, pair.second, restRows, panelLimit),
  ];
}

function put(half: Half, part: Part, row: number, distance: number): void {
  half.rows[half.count++] = row;
  if (!(distance <= part.reach)) part.reach = distance;
  if (distance > half.farDistance) {
    half.farDistance = distance;
    half.far = row;
  }
}

function makeHalf(parent: Cell, half: Half, from: number, rows: Int32Array, panelLimit: number): Cell {
  // Small parts are joined with their neighbours, so that there are never many more panels than rows fill.
  const groups: Part[][] = [];
  let size = 0;
  for (const part of half.parts) {
    const own = part.end - part.start;
    const last = groups.at(-1);
    if (last && size + own <= panelLimit) {
      last.push(part);
      size += own;
    } else {
      groups.push([part]);
      size = own;
    }
  }
  const panels = groups.map((group) => panelOf(parent, group, rows));
  const bounds = inheritedBounds(parent, groups);
  const known =
    half.farDistance > 0
      ? {
          first: Math.min(from, half.far),
          second: Math.max(from, half.far),
          distance: half.farDistance,
        }
      : null;
  return { rows, panels, bounds, known, pair: null };
}

/** A parent's panel that comes over whole keeps its packed form. */
function panelOf(parent: Cell, group: Part[], rows: Int32Array): Panel {
  const [first] = group;
  const last = group.at(-1);
  const own = rows.subarray(first?.start ?? 0, last?.end ?? 0);
  const old = first ? parent.panels[first.parent] : undefined;
  if (!old || group.length > 1 || old.rows.length !== own.length) return new Panel(own);
  old.rows = own;
  return old;
}

function inheritedBounds(parent: Cell, groups: Part[][]): Float64Array {
  const width = parent.panels.length;
  const count = groups.length;
  const bounds = new Float64Array(count * count);
  const reaches = groups.map((group) => Math.max(...group.map((part) => part.reach)));
  for (let i = 0; i < count; i++)
    for (let j = i; j < count; j++) {
      let most = 0;
      for (const a of groups[i] ?? [])
        for (const b of groups[j] ?? [])
          most = Math.max(most, parent.bounds[a.parent * width + b.parent] as number);
      const throughPair = ((reaches[i] as number) + (reaches[j] as number)) * boundMargin;
      const bound = Math.min(most, throughPair);
      bounds[i * count + j] = bound;
      bounds[j * count + i] = bound;
    }
  return bounds;
}
