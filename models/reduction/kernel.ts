import { kernelCode } from '../../native/reduction/kernelCode.ts';
import { at, type Vectors } from '../knn/vectors.ts';

/** Exports of native/reduction/kernel.as; addresses and counts are plain numbers. */
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
  compiled ??= new WebAssembly.Module(Buffer.from(kernelCode, 'base64'));
  const abort = (): never => {
    throw new Error('the distance kernel aborted');
  };
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory, abort } });
  // The module is built from kernel.as, whose exports these are; a test rebuilds and compares it.
  return exports as unknown as KernelExports;
}

/** First address used: the module keeps nothing below, but address 0 should stay unused. */
export const firstAddress = 1024;

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
  let sum = 0;
  for (let i = 0; i < dim; i++) {
    const d = at(a, offsetA + i) - at(b, offsetB + i);
    sum += d * d;
  }
  return sum;
}
