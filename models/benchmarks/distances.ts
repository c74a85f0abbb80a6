import { Fourier, magnitudes } from './fourier.ts';

/** Everything further below the reference's loudest bin counts as silence: 80 dB. */
const FLOOR = 1e-4;
const RESOLUTIONS = [512, 1024, 2048];

/** Two distances between signals of one length. */
export interface SpectralDistances {
  /** Log-spectral distance in dB: root mean square over bins, mean over the frames in which the reference is heard. */
  logSpectral: number;
  /**
   * Multi-resolution STFT distance: spectral convergence plus mean absolute log-magnitude difference, averaged over
   * frames of 512, 1024 and 2048 samples (Yamamoto et al. 2020, arXiv 1910.11480, eq. 3–6).
   */
  multiResolution: number;
}

/** Measures how far a signal is from a reference. */
export class DistanceMeter {
  readonly #transforms: Fourier[];

  private constructor(transforms: Fourier[]) {
    this.#transforms = transforms;
  }

  static async open(): Promise<DistanceMeter> {
    return new DistanceMeter(await Promise.all(RESOLUTIONS.map((size) => Fourier.open(size, size / 4))));
  }

  /** Null when the reference is digital silence: nothing can be near or far from it. */
  async measure(reference: Float32Array, signal: Float32Array): Promise<SpectralDistances | null> {
    let [multiResolution, logSpectral] = [0, 0];
    for (const transform of this.#transforms) {
      const a = magnitudes(await transform.analyse(reference));
      const b = magnitudes(await transform.analyse(signal));
      const floor = FLOOR * a.reduce((highest, value) => Math.max(highest, value), 0);
      if (floor === 0) return null;
      multiResolution += (convergence(a, b) + logDifference(a, b, floor)) / RESOLUTIONS.length;
      if (transform.fftSize === 1024) logSpectral = logSpectralDistance(a, b, transform.bins, floor);
    }
    return { logSpectral, multiResolution };
  }

  async close(): Promise<void> {
    await Promise.all(this.#transforms.map((transform) => transform.close()));
  }
}

function convergence(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  a.forEach((value, i) => {
    difference += (value - (b[i] ?? 0)) ** 2;
    norm += value * value;
  });
  return Math.sqrt(difference / norm);
}

function logDifference(a: Float32Array, b: Float32Array, floor: number): number {
  let sum = 0;
  a.forEach((value, i) => {
    sum += Math.abs(Math.log(Math.max(value, floor) / Math.max(b[i] ?? 0, floor)));
  });
  return sum / a.length;
}

function logSpectralDistance(a: Float32Array, b: Float32Array, bins: number, floor: number): number {
  let [sum, heard] = [0, 0];
  for (let first = 0; first < a.length; first += bins) {
    const frame = a.subarray(first, first + bins);
    if (!frame.some((value) => value > floor)) continue;
    let squares = 0;
    frame.forEach((value, k) => {
      const ratio = Math.max(value, floor) / Math.max(b[first + k] ?? 0, floor);
      squares += (20 * Math.log10(ratio)) ** 2;
    });
    sum += Math.sqrt(squares / bins);
    heard += 1;
  }
  return sum / heard;
}
