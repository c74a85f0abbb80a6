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
