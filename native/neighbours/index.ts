import { kernel } from './scan.generated.ts';

export { reservedBytes } from './scan.generated.ts';

/**
 * Exports of scan.as; addresses are byte offsets into the memory. `record` is the address of a query's record, whose
 * fields {@link queryRecord} names.
 */
export interface ScanKernel {
  /**
   * Offers the rows of `codes` that may be among the nearest.
   * @param first number of the first row · @param count rows · @param width padded dimension, a multiple of 8
   */
  scan(
    codes: number,
    facts: number,
    first: number,
    count: number,
    width: number,
    query: number,
    record: number,
  ): void;
  /**
   * Lays the codes of `rows` rows out as columns, `[width, rows]` bytes at `out`.
   * @param rows a multiple of 4
   */
  columns(codes: number, rows: number, width: number, out: number): void;
  /**
   * As `scan`, on `count` int32 products of codes that were computed elsewhere: those at `high`, or, unless `low` is 0,
   * 128 times those plus the ones at `low`.
   */
  sift(high: number, low: number, facts: number, first: number, count: number, record: number): void;
  /** Looks again at the rows on offer, with the rests of their codes (row after row, in 254ths of a step). */
  refine(
    codes: number,
    rests: number,
    facts: number,
    narrow: number,
    width: number,
    query: number,
    record: number,
  ): void;
}

/** Rows that lie together in memory. */
export const rowsPerGroup = 4;
/** Components of a row that lie together in a group. */
export const componentsPerStep = 8;
/** Bytes of a group's facts: four vectors of four float32. */
export const factBytes = 64;

/** Byte offsets of the fields of a query's record; scan.as says what they mean. */
export const queryRecord = {
  limit: 0,
  gain: 4,
  spread: 8,
  blur: 12,
  slack: 16,
  wanted: 24,
  held: 28,
  heap: 32,
  room: 36,
  offered: 40,
  offers: 44,
  bytes: 48,
} as const;

let compiled: WebAssembly.Module | null = null;

/** A fresh instance of the kernel on the caller's memory; its first `reservedBytes` are the kernel's own. */
export function scanKernel(memory: WebAssembly.Memory): ScanKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(kernel, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // The module is made from scan.as, whose exports these are; a test compiles it anew and compares.
  return exports as unknown as ScanKernel;
}
