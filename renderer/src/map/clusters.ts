import type { Colouring } from './colouring.ts';

/** Where the name of a group is written. */
export interface ClusterLabel {
  name: string;
  paint: number;
  x: number;
  y: number;
}

/** Cells along the longer side in which points of a group are counted. */
const cells = 40;
const mostLabels = 40;
/** Of fewer points there is no cluster. */
const fewest = 3;

/** The largest groups, each at the middle of the place where most of its points lie. Values have no names. */
export function clusterLabels(
  x: Float32Array,
  y: Float32Array,
  { paints, of, scale }: Colouring,
  hidden: ReadonlySet<string>,
): ClusterLabel[] {
  if (scale !== null) return [];
  const named = paints
    .map((paint, number) => ({ ...paint, number }))
    .filter(
      ({ name, count, look }) => count >= fewest && look?.variable !== '--class-none' && !hidden.has(name),
    )
    .slice(0, mostLabels);
  if (named.length === 0) return [];
  const place = new Int32Array(paints.length).fill(-1);
  named.forEach(({ number }, i) => (place[number] = i));
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let point = 0; point < of.length; point += 1) {
    left = Math.min(left, x[point] as number);
    right = Math.max(right, x[point] as number);
    bottom = Math.min(bottom, y[point] as number);
    top = Math.max(top, y[point] as number);
  }
  const size = Math.max(right - left, top - bottom, 1e-12) / cells;
  const side = cells + 1;
  const cellOf = (point: number): number =>
    Math.floor(((y[point] as number) - bottom) / size) * side +
    Math.floor(((x[point] as number) - left) / size);
  const counts = new Int32Array(named.length * side * side);
  for (let point = 0; point < of.length; point += 1) {
    const group = place[of[point] as number] ?? -1;
    if (group < 0) continue;
    const at = group * side * side + cellOf(point);
    counts[at] = (counts[at] as number) + 1;
  }
  const dense = named.map((_, group) =>
    densest(counts.subarray(group * side * side, (group + 1) * side * side), side),
  );
  const sums = new Float64Array(3 * named.length);
  for (let point = 0; point < of.length; point += 1) {
    const group = place[of[point] as number] ?? -1;
    if (group < 0 || !near(cellOf(point), dense[group] ?? 0, side)) continue;
    [1, x[point] as number, y[point] as number].forEach((value, i) => {
      sums[3 * group + i] = (sums[3 * group + i] as number) + value;
    });
  }
  return named.map(({ name, number }, group) => {
    const count = Math.max(1, sums[3 * group] as number);
    return {
      name,
      paint: number,
      x: (sums[3 * group + 1] as number) / count,
      y: (sums[3 * group + 2] as number) / count,
    };
  });
}

/** The cell around which, with its neighbours, most points lie. */
function densest(counts: Int32Array, side: number): number {
  let [best, most] = [0, -1];
  for (let cell = 0; cell < counts.length; cell += 1) {
    if (counts[cell] === 0) continue;
    let sum = 0;
    for (let dy = -1; dy <= 1; dy += 1) {
      for (let dx = -1; dx <= 1; dx += 1) {
        const other = cell + dy * side + dx;
        if (near(other, cell, side)) sum += counts[other] ?? 0;
      }
    }
    if (sum > most) [best, most] = [cell, sum];
  }
  return best;
}

/** Whether two cells touch. */
function near(cell: number, other: number, side: number): boolean {
  return (
    Math.abs((cell % side) - (other % side)) <= 1 &&
    Math.abs(Math.floor(cell / side) - Math.floor(other / side)) <= 1
  );
}
