import { kernel } from './layout.generated.ts';

export { reservedBytes } from './layout.generated.ts';

/** Exports of layout.as; addresses are byte offsets into the memory, multiples of 4. */
export interface LayoutKernel {
  /** Starts the random numbers anew; `value` is a whole number in 1…2³²−1. */
  seed(value: number): void;
  /**
   * How much each of a row's neighbours belongs to it, 0…1.
   * @param distances float32 `[count, width]`, ascending · @param target what those of a row sum to
   * @param weights float32, the same shape, written
   */
  memberships(distances: number, count: number, width: number, target: number, weights: number): void;
  /**
   * One edge for every pair of neighbours, with its strength, 0…1.
   * @param neighbours int32 `[count, width]` · @param heads, tails, strengths room for `count · width` each, written
   * @returns how many edges there are
   */
  unite(
    neighbours: number,
    weights: number,
    count: number,
    width: number,
    heads: number,
    tails: number,
    strengths: number,
  ): number;
  /**
   * One pass over the edges.
   * @param points float32 `[count, 2]`, moved · @param shares float32 `[edges]`: strengths in parts of the strongest
   * @param due float32 `[edges]`, zeros before the first pass · @param a, b of the curve 1 / (1 + a d^2b) · @param rate 0…1
   */
  pass(
    points: number,
    count: number,
    heads: number,
    tails: number,
    shares: number,
    due: number,
    edges: number,
    a: number,
    b: number,
    rate: number,
  ): void;
}

let compiled: WebAssembly.Module | null = null;

/** The compiled kernel, which imports its memory as `env.memory`; it can be sent to a thread. */
export function layoutModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(kernel, 'base64'));
  return compiled;
}
