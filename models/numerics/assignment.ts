import type { Pacer } from './pacer.ts';

/**
 * The assignment of least total cost: of every row a column of its own (of some rows only, where there are fewer columns).
 * Shortest augmenting paths with potentials (R. Jonker and A. Volgenant, Computing 38, 1987; for rectangles D. F. Crouse,
 * IEEE TAES 52, 2016): O(n²·m) for n ≤ m.
 * @param cost `[rows, columns]`, finite
 * @returns of every row its column; −1 where it has none
 * @throws the pacer's signal's reason
 */
export async function assign(
  cost: Float64Array,
  rows: number,
  columns: number,
  pacer: Pacer,
): Promise<Int32Array> {
  if (rows > columns) {
    const turned = new Float64Array(cost.length);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) turned[j * rows + i] = cost[i * columns + j] ?? 0;
    const rowOf = await assign(turned, columns, rows, pacer);
    const columnOf = new Int32Array(rows).fill(-1);
    for (const [column, row] of rowOf.entries()) columnOf[row] = column;
    return columnOf;
  }
  const rowPotential = new Float64Array(rows);
  const columnPotential = new Float64Array(columns);
  const rowOf = new Int32Array(columns).fill(-1);
  const columnOf = new Int32Array(rows).fill(-1);
  for (let start = 0; start < rows; start++) {
    const shortest = new Float64Array(columns).fill(Infinity);
    const before = new Int32Array(columns).fill(-1);
    const done = new Uint8Array(columns);
    const path: number[] = [];
    let [row, reached] = [start, 0];
    let free = -1;
    while (free < 0) {
      if (pacer.due(columns)) await pacer.pause();
      let [nearest, least] = [-1, Infinity];
      for (let j = 0; j < columns; j++) {
        if (done[j]) continue;
        const reduced =
          (cost[row * columns + j] as number) -
          (rowPotential[row] as number) -
          (columnPotential[j] as number);
        const length = reached + reduced;
        if (length < (shortest[j] as number)) {
          shortest[j] = length;
          before[j] = row;
        }
        if ((shortest[j] as number) < least) [nearest, least] = [j, shortest[j] as number];
      }
      reached = least;
      done[nearest] = 1;
      path.push(nearest);
      const owner = rowOf[nearest] as number;
      if (owner < 0) free = nearest;
      else row = owner;
    }
    rowPotential[start] = (rowPotential[start] as number) + reached;
    for (const j of path) {
      const slack = reached - (shortest[j] as number);
      columnPotential[j] = (columnPotential[j] as number) - slack;
      const owner = rowOf[j] as number;
      if (owner >= 0) rowPotential[owner] = (rowPotential[owner] as number) + slack;
    }
    for (let j = free; ;) {
      const owner = before[j] as number;
      const next = columnOf[owner] as number;
      rowOf[j] = owner;
      columnOf[owner] = j;
      if (owner === start) break;
      j = next;
    }
  }
  return columnOf;
}
