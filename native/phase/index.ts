import { kernel } from './spectra.generated.ts';

export { reservedBytes } from './spectra.generated.ts';

/**
 * Exports of spectra.as; addresses are byte offsets into the memory, a multiple of 16. Frames lie in groups of four, one to
 * a lane: a spectrum of a group is `[bins]` pairs of vectors (real, imaginary), magnitudes are `[bins]` vectors.
 */
export interface PhaseKernel {
  /**
   * @param size samples per frame, a power of two from 16
   * @param twiddles float32 pairs cos, −sin of 2πk/size, k = 0 … size/2
   * @param first scratch of size/2 pairs of vectors · @param second another
   */
  configure(size: number, twiddles: number, first: number, second: number): void;
  /**
   * The waveform closest to the magnitudes with the phases of the spectra.
   * @param groups of four frames · @param window `[size]`, divided by size/2
   * @param weight `[length]`: what each sample is multiplied by after overlap-adding · @param length of `wave`, a multiple of 4
   */
  consistent(
    spectra: number,
    magnitudes: number,
    groups: number,
    window: number,
    wave: number,
    weight: number,
    length: number,
    hop: number,
  ): void;
  /** spectra = new + momentum · (new − old), old = new, where `new` are the spectra of `wave` under `window`. */
  spectraOf(
    wave: number,
    groups: number,
    window: number,
    hop: number,
    momentum: number,
    spectra: number,
    old: number,
  ): void;
  /**
   * (log(floor + Σ weight · |X[k]|) − mean) / deviation of every band and frame, |X| = √(re² + im² + tiny).
   * @param magnitudes scratch of `[bins]` vectors · @param count of bands
   * @param spans int32 pairs `[count]`: first bin, number of bins · @param weights float32, one span after the other
   * @param means float32 `[count]` · @param deviations float32 `[count]` · @param out float32 `[4 · groups, count]`
   */
  bands(
    wave: number,
    groups: number,
    window: number,
    hop: number,
    magnitudes: number,
    tiny: number,
    count: number,
    spans: number,
    weights: number,
    floor: number,
    means: number,
    deviations: number,
    out: number,
  ): void;
}

/** Frames that are transformed together. */
export const framesPerGroup = 4;

const module = new WebAssembly.Module(Buffer.from(kernel, 'base64'));

/** The kernel over a memory of the caller's. */
export function openPhaseKernel(memory: WebAssembly.Memory): PhaseKernel {
  // The exports are those of spectra.as.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as PhaseKernel;
}
