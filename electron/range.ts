export interface ByteRange {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * Reads an HTTP Range header for a resource of `size` bytes (RFC 9110 §14.1.2, one range only).
 * @returns the range, `null` when there is no usable header (send everything), or `'unsatisfiable'` (send 416).
 */
export function parseRange(header: string | null, size: number): ByteRange | null | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const length = Number(match[2]);
    return length === 0 || size === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start >= size) return 'unsatisfiable';
  return start > end ? null : { start, end };
}
