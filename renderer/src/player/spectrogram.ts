/** A spectrogram with as many columns as the drawing has pixels: cheap whatever the length of the sound. */

const size = 1024;
/** Where the frequency axis begins. */
export const LOWEST_HZ = 40;
/** What is drawn darkest, dB below the loudest value of the drawing. */
export const FLOOR_DB = -80;

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
 * half the sample rate; 0 is {@link FLOOR_DB} against the loudest value.
 * @param part samples that are drawn; those around it are heard at its ends
 */
export function spectrogram(
  samples: Float32Array,
  sampleRate: number,
  width: number,
  height: number,
  part = { from: 0, to: samples.length },
): Float32Array {
  const levels = new Float32Array(width * height);
  const window = Float32Array.from(
    { length: size },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size),
  );
  const re = new Float32Array(size);
  const im = new Float32Array(size);
  const top = Math.log(sampleRate / 2 / LOWEST_HZ);
  let loudest = 1e-9;
  for (let column = 0; column < width; column += 1) {
    const centre = part.from + Math.floor(((column + 0.5) / width) * (part.to - part.from));
    for (let i = 0; i < size; i += 1) {
      re[i] = (samples[centre - size / 2 + i] ?? 0) * (window[i] ?? 0);
      im[i] = 0;
    }
    magnitudes(re, im);
    for (let row = 0; row < height; row += 1) {
      const hz = LOWEST_HZ * Math.exp((top * (height - 1 - row + 0.5)) / height);
      const next = LOWEST_HZ * Math.exp((top * (height - row + 0.5)) / height);
      const from = Math.min(size / 2, Math.floor((hz * size) / sampleRate));
      const to = Math.min(size / 2, Math.max(from, Math.ceil((next * size) / sampleRate) - 1));
      let level = 0;
      for (let bin = from; bin <= to; bin += 1) level = Math.max(level, re[bin] ?? 0);
      levels[row * width + column] = level;
      loudest = Math.max(loudest, level);
    }
  }
  return levels.map((level) => Math.max(0, 1 + (20 * Math.log10(level / loudest + 1e-12)) / -FLOOR_DB));
}

/** Colour of a level 0…1: dark blue to yellow with steadily rising lightness, readable without telling hues apart. */
export function shade(level: number): [number, number, number] {
  return [
    255 * Math.min(1, Math.max(0, 1.5 * level - 0.4)),
    255 * Math.min(1, level ** 1.4),
    255 * (0.12 + 0.55 * level * (1 - level) * 2),
  ];
}

/** Marks of the frequency axis: `place` 0 is the top, half the sample rate; 1 the bottom. */
export function frequencyMarks(sampleRate: number): { hz: number; place: number; text: string }[] {
  const top = Math.log(sampleRate / 2 / LOWEST_HZ);
  return [100, 300, 1000, 3000, 10_000]
    .filter((hz) => hz < sampleRate / 2)
    .map((hz) => ({
      hz,
      place: 1 - Math.log(hz / LOWEST_HZ) / top,
      text: hz < 1000 ? `${String(hz)} Hz` : `${String(hz / 1000)} kHz`,
    }));
}
