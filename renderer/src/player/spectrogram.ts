/** A spectrogram with as many columns as the drawing has pixels: cheap whatever the length of the sound. */

const size = 1024;
const lowHz = 40;

/** Magnitudes of a radix-2 FFT of a Hann-windowed frame, bins 0…size/2. `re` holds the frame and is overwritten. */
function magnitudes(re: Float32Array, im: Float32Array): void {
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const swap = re[i] ?? 0;
      re[i] = re[j] ?? 0;
      re[j] = swap;
    }
  }
  for (let length = 2; length <= size; length <<= 1) {
    const half = length >> 1;
    for (let k = 0; k < half; k += 1) {
      const angle = (-2 * Math.PI * k) / length;
      const cos = Math.cos(angle);
      const sin = Math.sin(angle);
      for (let start = k; start < size; start += length) {
        const end = start + half;
        const a = re[end] ?? 0;
        const b = im[end] ?? 0;
        const x = a * cos - b * sin;
        const y = a * sin + b * cos;
        re[end] = (re[start] ?? 0) - x;
        im[end] = (im[start] ?? 0) - y;
        re[start] = (re[start] ?? 0) + x;
        im[start] = (im[start] ?? 0) + y;
      }
    }
  }
  for (let i = 0; i <= size / 2; i += 1) re[i] = Math.hypot(re[i] ?? 0, im[i] ?? 0);
}

/**
 * @returns levels 0…1 ([height, width] row-major, high frequencies first) on a logarithmic frequency axis from 40 Hz to
 * half the sample rate; 0 is 80 dB below the loudest value.
 */
export function spectrogram(
  samples: Float32Array,
  sampleRate: number,
  width: number,
  height: number,
): Float32Array {
  const levels = new Float32Array(width * height);
  const window = Float32Array.from(
    { length: size },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size),
  );
  const re = new Float32Array(size);
  const im = new Float32Array(size);
  const top = Math.log(sampleRate / 2 / lowHz);
  let loudest = 1e-9;
  for (let column = 0; column < width; column += 1) {
    const centre = Math.floor(((column + 0.5) / width) * samples.length);
    for (let i = 0; i < size; i += 1) {
      re[i] = (samples[centre - size / 2 + i] ?? 0) * (window[i] ?? 0);
      im[i] = 0;
    }
    magnitudes(re, im);
    for (let row = 0; row < height; row += 1) {
      const hz = lowHz * Math.exp((top * (height - 1 - row + 0.5)) / height);
      const next = lowHz * Math.exp((top * (height - row + 0.5)) / height);
      const from = Math.min(size / 2, Math.floor((hz * size) / sampleRate));
      const to = Math.min(size / 2, Math.max(from, Math.ceil((next * size) / sampleRate) - 1));
      let level = 0;
      for (let bin = from; bin <= to; bin += 1) level = Math.max(level, re[bin] ?? 0);
      levels[row * width + column] = level;
      loudest = Math.max(loudest, level);
    }
  }
  return levels.map((level) => Math.max(0, 1 + (20 * Math.log10(level / loudest + 1e-12)) / 80));
}
