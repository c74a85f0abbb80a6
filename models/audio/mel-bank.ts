import { melScales } from './mel-scale.ts';

const { mel: melOf, hz: hzOf } = melScales.slaney;

/** Triangular bands on the Slaney mel scale, each of weight 1 in all. */
export interface MelBank {
  bands: number;
  bins: number;
  /** `[bands, bins]` */
  weights: Float32Array;
}

/**
 * @param bands number of bands between the two ends
 * @param ends Hz; default: 20 Hz and half the sample rate
 */
export function melBank(
  bands: number,
  fftSize: number,
  sampleRate: number,
  ends: readonly [number, number] = [20, sampleRate / 2],
): MelBank {
  const bins = fftSize / 2 + 1;
  const [low, high] = [melOf(ends[0]), melOf(ends[1])];
  const edges = Array.from({ length: bands + 2 }, (_, i) => hzOf(low + ((high - low) * i) / (bands + 1)));
  const weights = new Float32Array(bands * bins);
  for (let band = 0; band < bands; band++) {
    const [left = 0, centre = 0, right = 0] = edges.slice(band, band + 3);
    const row = weights.subarray(band * bins, (band + 1) * bins);
    let sum = 0;
    for (let k = 0; k < bins; k++) {
      const hz = (k * sampleRate) / fftSize;
      const value = Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre)));
      row[k] = value;
      sum += value;
    }
    // The lowest triangles are narrower than a bin: the nearest bin stands for them.
    if (sum === 0) row[Math.round((centre * fftSize) / sampleRate)] = 1;
    else for (let k = 0; k < bins; k++) row[k] = (row[k] ?? 0) / sum;
  }
  return { bands, bins, weights };
}

/** Band values `[frames, bands]` of magnitudes or powers `[frames, bins]`. */
export function applyBank({ bands, bins, weights }: MelBank, spectrum: Float32Array): Float32Array {
  const frames = spectrum.length / bins;
  const out = new Float32Array(frames * bands);
  for (let band = 0; band < bands; band++) {
    const row = weights.subarray(band * bins, (band + 1) * bins);
    const first = row.findIndex((w) => w > 0);
    const last = row.findLastIndex((w) => w > 0);
    for (let t = 0; t < frames; t++) {
      let sum = 0;
      for (let k = first; k <= last; k++) sum += (row[k] ?? 0) * (spectrum[t * bins + k] ?? 0);
      out[t * bands + band] = sum;
    }
  }
  return out;
}
