import { kernel } from '../../native/reduction/distances.generated.ts';
import type { Vectors } from './vectors.ts';

/** Exports of native/reduction/distances.as; addresses and counts are plain numbers. */
interface KernelExports {
  pack64(source: number, count: number, dim: number, target: number): void;
  pack32(source: number, count: number, dim: number, centre: number, target: number, norms: number): number;
  squares(
    a: number,
    countA: number,
    b: number,
    countB: number,
    dim: number,
    out: number,
    same: boolean,
  ): number;
  reach32(
    a: number,
    countA: number,
    normsA: number,
    b: number,
    countB: number,
    normsB: number,
    dim: number,
  ): number;
  columnMaxima(squares: number, countA: number, countB: number, stride: number, target: number): void;
  addDistances(
    squares: number,
    countA: number,
    countB: number,
    stride: number,
    idsA: number,
    idsB: number,
    scale: number,
    same: boolean,
    sums: number,
  ): void;
  assign(
    points: number,
    rows: number,
    centres: number,
    k: number,
    dim: number,
    labels: number,
    distances: number,
  ): void;
}

let compiled: WebAssembly.Module | null = null;

/** A fresh instance of the kernels on a memory of its own; compiling the two kilobytes happens once. */
export function instantiateKernel(memory: WebAssembly.Memory): KernelExports {
  compiled ??= new WebAssembly.Module(Buffer.from(kernel, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // The module is built from distances.as, whose exports these are; a test rebuilds and compares it.
  return exports as unknown as KernelExports;
}

/** First address used: the module keeps nothing below, but address 0 should stay unused. */
export const firstAddress = 1024;

/** A memory of so many bytes that can grow. */
export function makeMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536), maximum: 65536 });
}

/** Makes a memory hold at least `bytes`. Views on its buffer made before are then empty. */
export function ensureBytes(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
}

/**
 * Squared Euclidean distance as the kernel computes it: the plain float64 sum of squared differences in component
 * order. Symmetric, and the same bits wherever it is computed.
 */
export function squaredDistance(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
): number {
  // Elements are read in place here and in the other inner loops of this folder: a helper such as `at`, fed with every
  // kind of array, is compiled for all of them at once and several times slower.
  let sum = 0;
  for (let i = 0; i < dim; i++) {
    const d = (a[offsetA + i] as number) - (b[offsetB + i] as number);
    sum += d * d;
  }
  return sum;
}

/**
 * Distances of the rows of a cluster to two of its rows, `first` and `second`: as the root of {@link squaredDistance},
 * two rows at a time because the additions of one sum must wait for each other.
 */
export function distancesToPair(
  features: Vectors,
  dim: number,
  rows: Int32Array,
  from: number,
  to: number,
  first: number,
  second: number,
  toFirst: Float64Array,
  toSecond: Float64Array,
): void {
  const p = first * dim;
  const q = second * dim;
  for (let s = from; s < to; s += 2) {
    const a = (rows[s] as number) * dim;
    const b = (rows[Math.min(s + 1, to - 1)] as number) * dim;
    let [ap, aq, bp, bq] = [0, 0, 0, 0];
    for (let i = 0; i < dim; i++) {
      const x = features[p + i] as number;
      const y = features[q + i] as number;
      const u = features[a + i] as number;
      const v = features[b + i] as number;
      ap += (u - x) * (u - x);
      aq += (u - y) * (u - y);
      bp += (v - x) * (v - x);
      bq += (v - y) * (v - y);
    }
    toFirst[s] = Math.sqrt(ap);
    toSecond[s] = Math.sqrt(aq);
    if (s + 1 < to) {
      toFirst[s + 1] = Math.sqrt(bp);
      toSecond[s + 1] = Math.sqrt(bq);
    }
  }
}
