import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { GraphBuilder } from '../onnx/builder.ts';

/** A complex spectrogram: `[frames, bins]` each, `bins = fftSize / 2 + 1`. */
export interface Spectrogram {
  real: Float32Array;
  imaginary: Float32Array;
  frames: number;
  bins: number;
}

/**
 * Short-time Fourier transform of real signals with a periodic Hann window, and its inverse. The transforms are matrix
 * products run by ONNX Runtime. Frames are centred: frame t lies around sample `t · hop`, zeros stand beyond the ends.
 */
export class Fourier {
  readonly fftSize: number;
  readonly hop: number;
  readonly bins: number;
  readonly window: Float32Array;
  readonly #session: InferenceSession;

  private constructor(fftSize: number, hop: number, session: InferenceSession) {
    this.fftSize = fftSize;
    this.hop = hop;
    this.bins = fftSize / 2 + 1;
    this.window = hann(fftSize);
    this.#session = session;
  }

  /** @param fftSize samples per frame, even; @param hop samples between frames, at most half of that. */
  static async open(fftSize: number, hop: number): Promise<Fourier> {
    if (fftSize % 2 !== 0 || fftSize < 4 || hop < 1 || hop > fftSize / 2)
      throw new RangeError(`no transform of ${fftSize} samples every ${hop}`);
    const session = await InferenceSession.create(transforms(fftSize), { interOpNumThreads: 1 });
    return new Fourier(fftSize, hop, session);
  }

  /** Frames that {@link analyse} makes of that many samples. */
  framesOf(samples: number): number {
    return 1 + Math.floor(samples / this.hop);
  }

  async analyse(samples: Float32Array): Promise<Spectrogram> {
    const { fftSize, hop, bins } = this;
    const frames = this.framesOf(samples.length);
    const framed = new Float32Array(frames * fftSize);
    for (let t = 0; t < frames; t++) {
      const first = t * hop - fftSize / 2;
      for (let i = Math.max(0, -first); i < fftSize && first + i < samples.length; i++)
        framed[t * fftSize + i] = (samples[first + i] ?? 0) * (this.window[i] ?? 0);
    }
    const { spectrum } = await this.#session.run(
      {
        frames: new Tensor('float32', framed, [frames, fftSize]),
        coefficients: new Tensor('float32', new Float32Array(0), [0, 2 * bins]),
      },
      ['spectrum'],
    );
    const both = floatsOf(spectrum);
    const real = new Float32Array(frames * bins);
    const imaginary = new Float32Array(frames * bins);
    for (let t = 0; t < frames; t++) {
      real.set(both.subarray(2 * t * bins, (2 * t + 1) * bins), t * bins);
      imaginary.set(both.subarray((2 * t + 1) * bins, (2 * t + 2) * bins), t * bins);
    }
    return { real, imaginary, frames, bins };
  }

  /** The signal of `length` samples whose spectrogram is nearest to the given one (Griffin, Lim 1984, eq. 6). */
  async synthesise({ real, imaginary, frames, bins }: Spectrogram, length: number): Promise<Float32Array> {
    const { fftSize, hop } = this;
    const both = new Float32Array(frames * 2 * bins);
    for (let t = 0; t < frames; t++) {
      both.set(real.subarray(t * bins, (t + 1) * bins), 2 * t * bins);
      both.set(imaginary.subarray(t * bins, (t + 1) * bins), (2 * t + 1) * bins);
    }
    const { signal } = await this.#session.run(
      {
        frames: new Tensor('float32', new Float32Array(0), [0, fftSize]),
        coefficients: new Tensor('float32', both, [frames, 2 * bins]),
      },
      ['signal'],
    );
    const pieces = floatsOf(signal);
    const sum = new Float32Array(length);
    const weight = new Float32Array(length);
    for (let t = 0; t < frames; t++) {
      const first = t * hop - fftSize / 2;
      for (let i = Math.max(0, -first); i < fftSize && first + i < length; i++) {
        const w = this.window[i] ?? 0;
        sum[first + i] = (sum[first + i] ?? 0) + w * (pieces[t * fftSize + i] ?? 0);
        weight[first + i] = (weight[first + i] ?? 0) + w * w;
      }
    }
    return sum.map((value, i) => value / Math.max(weight[i] ?? 0, 1e-8));
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

/** Magnitudes `[frames, bins]` of a spectrogram. */
export function magnitudes({ real, imaginary }: Spectrogram): Float32Array {
  return real.map((re, i) => Math.hypot(re, imaginary[i] ?? 0));
}

/** Periodic Hann window of that many samples. */
function hann(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
}

/** frames `[T, N]` → spectrum `[T, 2·bins]` (real parts, then imaginary), and the inverse of a one-sided spectrum. */
function transforms(size: number): Uint8Array {
  const bins = size / 2 + 1;
  const forward = new Float32Array(size * 2 * bins);
  const inverse = new Float32Array(2 * bins * size);
  for (let n = 0; n < size; n++) {
    for (let k = 0; k < bins; k++) {
      const angle = (2 * Math.PI * ((n * k) % size)) / size;
      const share = (k === 0 || k === bins - 1 ? 1 : 2) / size;
      forward[n * 2 * bins + k] = Math.cos(angle);
      forward[n * 2 * bins + bins + k] = -Math.sin(angle);
      inverse[k * size + n] = share * Math.cos(angle);
      inverse[(bins + k) * size + n] = -share * Math.sin(angle);
    }
  }
  const g = new GraphBuilder('fourier');
  const frames = g.input('frames', 'float32', ['t', size]);
  const coefficients = g.input('coefficients', 'float32', ['u', 2 * bins]);
  g.output('spectrum', g.matMul(frames, g.floats(forward, [size, 2 * bins])), ['t', 2 * bins]);
  g.output('signal', g.matMul(coefficients, g.floats(inverse, [2 * bins, size])), ['u', size]);
  return g.build();
}

function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('the transform gave no float32 tensor');
  return tensor.data;
}
