/** The confusion matrix as the window draws and lists it. Rows are true classes, columns predicted ones. */

export interface Pair {
  truth: number;
  predicted: number;
  count: number;
  /** Of the tracks of the true class, 0…1. */
  share: number;
}

/** Tracks of each true class. */
export function rowTotals(confusion: readonly (readonly number[])[]): number[] {
  return confusion.map((row) => row.reduce((a, b) => a + b, 0));
}

/** Which classes are taken for which, most tracks first; the diagonal is no confusion. */
export function confusedPairs(confusion: readonly (readonly number[])[]): Pair[] {
  const totals = rowTotals(confusion);
  return confusion
    .flatMap((row, truth) =>
      row.flatMap((count, predicted) =>
        count > 0 && predicted !== truth
          ? [{ truth, predicted, count, share: count / (totals[truth] ?? count) }]
          : [],
      ),
    )
    .sort((a, b) => b.count - a.count || b.share - a.share || a.truth - b.truth);
}

/** Sizes of a cell in pixels, from all classes at a glance to numbers that can be read. */
export const cellSizes = [2, 3, 4, 6, 9, 14, 20, 28] as const;

/** Room before the cells in pixels: for the names of classes where cells are tall enough for them, or for the axes alone. */
export function namesRoom(size: number): number {
  return size >= 9 ? 120 : 24;
}

/** The largest size at which the whole matrix fits with its names, as a place in {@link cellSizes}. */
export function fittingZoom(classes: number, room: number): number {
  return Math.max(
    0,
    cellSizes.findLastIndex((size) => size * classes + namesRoom(size) <= room),
  );
}

/** Moves a cell by an arrow key within the matrix; undefined for other keys. The first step leads onto the first cell. */
export function moveCell(
  cell: readonly [number, number] | null,
  key: string,
  classes: number,
): [number, number] | undefined {
  const [row, column] = cell ?? [0, 0];
  const end = classes - 1;
  const moves: Record<string, [number, number]> = {
    ArrowUp: [Math.max(0, row - 1), column],
    ArrowDown: [Math.min(end, row + 1), column],
    ArrowLeft: [row, Math.max(0, column - 1)],
    ArrowRight: [row, Math.min(end, column + 1)],
    Home: [row, 0],
    End: [row, end],
  };
  const moved = moves[key];
  return moved && cell === null ? [0, 0] : moved;
}
