/** Which rows of a long list are in sight. */
export interface Slice {
  first: number;
  /** Last row, inclusive; below `first` for an empty list. */
  last: number;
}

export function visibleSlice(
  total: number,
  rowHeight: number,
  scrollTop: number,
  viewHeight: number,
  overscan: number,
): Slice {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - overscan);
  const last = Math.min(total - 1, Math.ceil((scrollTop + viewHeight) / rowHeight) + overscan);
  return { first: Math.min(first, Math.max(0, total - 1)), last };
}

/** The scroll position that brings a row into sight with the least movement. */
export function scrollToShow(
  index: number,
  rowHeight: number,
  scrollTop: number,
  viewHeight: number,
): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  const bottom = top + rowHeight;
  return bottom > scrollTop + viewHeight ? bottom - viewHeight : scrollTop;
}

/** Where each row starts, in pixels; one more value says where the last one ends. */
export function rowTops(heights: readonly number[]): Float64Array {
  const tops = new Float64Array(heights.length + 1);
  heights.forEach((height, index) => (tops[index + 1] = (tops[index] ?? 0) + height));
  return tops;
}

/** The row at a vertical position: 0 above the first, the last one below the end; −1 without rows. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.min(low, tops.length - 2);
}
