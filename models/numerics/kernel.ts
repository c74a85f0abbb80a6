import { kernel } from '../../native/reduction/distances.generated.ts';

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
