const FFT = 1024;
const HOP = 480;

/** Root mean square in dB relative to full scale. */
export function rmsDbfs(samples: Float32Array): number {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  return 10 * Math.log10(Math.max(power, 1e-20));
}

/** Largest absolute sample. */
export function peakOf(samples: Float32Array): number {
  return samples.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/**
 * Magnitude-weighted mean frequency in Hz over short-time spectra (Hann, 1024 samples, hop 480): the definition behind
 * `levels.centroidHz` of a pack.
 */
export function spectralCentroid(samples: Float32Array, sampleRate: number): number {
  let weighted = 0;
  let total = 0;
  for (let start = 0; start + FFT <= samples.length; start += HOP) {
    for (const [bin, magnitude] of magnitudes(samples.subarray(start, start + FFT)).entries()) {
      weighted += magnitude * ((bin * sampleRate) / FFT);
      total += magnitude;
    }
  }
  return weighted / (total + 1e-9);
}

/** Magnitude spectrum of one Hann-windowed frame, bins 0 … 512. */
function magnitudes(frame: Float32Array): Float64Array {
  const re = Float64Array.from(frame, (value, n) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FFT)));
  const im = new Float64Array(FFT);
  fft(re, im);
  return Float64Array.from({ length: FFT / 2 + 1 }, (_, k) => Math.hypot(re[k] ?? 0, im[k] ?? 0));
}

/** In-place radix-2 transform. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  if (n === 1) return;
  const half = n / 2;
  const pick = (from: Float64Array, odd: number) => from.filter((_, i) => i % 2 === odd);
  const [evenRe, evenIm, oddRe, oddIm] = [pick(re, 0), pick(im, 0), pick(re, 1), pick(im, 1)];
  fft(evenRe, evenIm);
  fft(oddRe, oddIm);
  for (let k = 0; k < half; k++) {
    const [c, s] = [Math.cos((-2 * Math.PI * k) / n), Math.sin((-2 * Math.PI * k) / n)];
    const [or = 0, oi = 0, er = 0, ei = 0] = [oddRe[k], oddIm[k], evenRe[k], evenIm[k]];
    const [tr, ti] = [or * c - oi * s, or * s + oi * c];
    re[k] = er + tr;
    im[k] = ei + ti;
    re[k + half] = er - tr;
    im[k + half] = ei - ti;
  }
}
