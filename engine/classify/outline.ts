/** Slices of a small picture. */
const SLICES = 50;

/**
 * A waveform for a small picture.
 * @param peaks lowest and highest sample of each slice in turn, −1…1
 * @returns the same of at most 50 slices, in thousandths of full scale: short as text
 */
export function outlineOf(peaks: Float32Array): number[] {
  const pairs = Math.floor(peaks.length / 2);
  const slices = Math.min(SLICES, pairs);
  const outline: number[] = [];
  for (let slice = 0; slice < slices; slice++) {
    const first = Math.floor((slice * pairs) / slices);
    const end = Math.floor(((slice + 1) * pairs) / slices);
    const part = peaks.subarray(2 * first, 2 * end);
    outline.push(thousandths(Math.min(...part)), thousandths(Math.max(...part)));
  }
  return outline;
}

// Adding 0 turns −0, which JSON does not know, into 0.
const thousandths = (value: number): number => Math.round(value * 1000) + 0;
