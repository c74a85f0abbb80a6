import { kernel } from './polyphase.generated.ts';

export { reservedBytes } from './polyphase.generated.ts';

/** Exports of polyphase.as; addresses are byte offsets into the memory, multiples of 8. */
export interface PolyphaseKernel {
  /**
   * @param x float64: the first sample of the first output's window · @param bank float64 `[up, taps]`
   * @param out float32 `[count]` · @param taps a multiple of 4
   * @param step samples from one window to the next; one more when the phase, growing by `stepPhase`, reaches `up`
   * @param phase of the first output, 0 … up − 1
   */
  exact(
    x: number,
    bank: number,
    out: number,
    count: number,
    taps: number,
    up: number,
    step: number,
    stepPhase: number,
    phase: number,
  ): void;
  /** The same with a bank of `[rows + 1, taps]`, between whose rows it interpolates. */
  interpolated(
    x: number,
    bank: number,
    out: number,
    count: number,
    taps: number,
    up: number,
    step: number,
    stepPhase: number,
    phase: number,
    rows: number,
  ): void;
}

const module = new WebAssembly.Module(Buffer.from(kernel, 'base64'));

/** The kernel over a memory of the caller's. */
export function openPolyphaseKernel(memory: WebAssembly.Memory): PolyphaseKernel {
  // The exports are those of polyphase.as.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as PolyphaseKernel;
}
