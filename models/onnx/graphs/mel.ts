import { GraphBuilder, type Value } from '../builder.ts';

/**
 * The front-end of EnCodecMAE v2's mel models: Kaldi's log mel energies of 26.56 ms frames every 13.28 ms at 24 kHz,
 * shifted and scaled by fixed numbers.
 */
export const melFrontEnd = {
  sampleRate: 24_000,
  window: 637,
  hop: 318,
  fft: 1024,
  bands: 256,
  lowHz: 20,
  preEmphasis: 0.97,
  /** Energies below it, such as those of silence and of the five bands that hold no bin, count as it. */
  floor: 1.1920928955078125e-7,
  shift: 6.12,
  scale: 4.82,
} as const;

/** Number of frames of a clip: only whole frames count. */
export function melFrames(samples: number): number {
  const { window, hop } = melFrontEnd;
  return samples < window ? 0 : 1 + Math.floor((samples - window) / hop);
}

/**
 * The front-end as a pack's `features` graph: `waveform` [batch, samples], mono in [−1, 1], at least one frame long →
 * `features` [batch, frames, 256].
 * @param options.raw leaves out the shift and scale; for tests
 * @param options.frames keeps only the first ones
 */
export function melGraph(options: { raw?: boolean; frames?: number } = {}): Uint8Array {
  const g = new GraphBuilder('mel-front-end');
  const waveform = g.input('waveform', 'float32', ['batch', 'samples']);
  const logs = logMel(g, waveform);
  const { shift, scale, bands } = melFrontEnd;
  const all = options.raw === true ? logs : g.div(g.add(logs, shift), scale);
  const features = options.frames === undefined ? all : g.slice(all, 0, options.frames, 1);
  g.output('features', features, ['batch', options.frames ?? 'frames', bands]);
  return g.build();
}

/**
 * Everything before the squares is linear in a frame: removal of its mean, pre-emphasis, window and Fourier transform
 * are one convolution, worked out in double precision. A matrix product sums the bins into bands.
 */
function logMel(g: GraphBuilder, waveform: Value): Value {
  const { window, hop, fft, bands, floor } = melFrontEnd;
  g.section('spectrum');
  const kernels = g.weight('spectrum.kernels', [fft, 1, window], spectrumKernels());
  const parts = g.op('Conv', [g.unsqueeze(waveform, [1]), kernels], {
    kernel_shape: [window],
    strides: [hop],
  });
  g.section('bands');
  const filters = g.weight('bands.filters', [bands, fft], twice(melFilters(), bands, fft / 2));
  const energies = g.matMul(filters, g.mul(parts, parts));
  const logs = g.log(g.max(energies, floor));
  g.section('');
  return g.transpose(logs, [0, 2, 1]);
}

/** `[fft, window]`: real parts of the bins 0 … fft/2 − 1, then their imaginary parts. */
function spectrumKernels(): Float32Array {
  const { window, fft, preEmphasis } = melFrontEnd;
  const bins = fft / 2;
  const hann = Float64Array.from(
    { length: window },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (window - 1)),
  );
  const kernels = new Float32Array(fft * window);
  const waves = [Math.cos, Math.sin].map((wave) =>
    Float64Array.from({ length: fft }, (_, i) => wave((2 * Math.PI * i) / fft)),
  );
  for (const [part, wave] of waves.entries())
    for (let bin = 0; bin < bins; bin++) {
      const plain = hann.map((h, n) => h * (wave[(bin * n) % fft] ?? NaN));
      // Pre-emphasis takes 0.97 of the sample before from each; the first sample counts as the one before itself.
      const emphasised = plain.map((value, n) => value - preEmphasis * (plain[n + 1] ?? 0));
      emphasised[0] = (emphasised[0] ?? 0) - preEmphasis * (plain[0] ?? 0);
      const mean = emphasised.reduce((sum, value) => sum + value, 0) / window;
      const row = (part * bins + bin) * window;
      for (const [n, value] of emphasised.entries()) kernels[row + n] = value - mean;
    }
  return kernels;
}

/**
 * Triangles whose slopes are straight on the mel scale, [bands, fft/2]; the bin at half the sample rate weighs nothing.
 */
export function melFilters(): Float32Array {
  const { sampleRate, fft, bands, lowHz } = melFrontEnd;
  const bins = fft / 2;
  const low = mel(lowHz);
  const step = (mel(sampleRate / 2) - low) / (bands + 1);
  const filters = new Float32Array(bands * bins);
  for (let band = 0; band < bands; band++)
    for (let bin = 0; bin < bins; bin++) {
      const position = (mel((bin * sampleRate) / fft) - low) / step - band;
      filters[band * bins + bin] = Math.max(0, Math.min(position, 2 - position));
    }
  return filters;
}

function mel(hz: number): number {
  return 1127 * Math.log(1 + hz / 700);
}

/** Each row beside itself: the same weights for the squares of real and imaginary parts. */
function twice(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(2 * matrix.length);
  for (let row = 0; row < rows; row++) {
    const part = matrix.subarray(row * columns, (row + 1) * columns);
    result.set(part, 2 * row * columns);
    result.set(part, (2 * row + 1) * columns);
  }
  return result;
}
