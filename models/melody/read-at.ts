import { kaiser } from '../audio/kaiser.ts';

/** Zero crossings of the sinc on each side, at the rate of the source. */
const CROSSINGS = 16;
const BETA = 9;
/** Entries of the table for each crossing; between them it is linear, which leaves an error below −100 dB. */
const FINE = 512;

const table = Float64Array.from({ length: CROSSINGS * FINE + 2 }, (_, i) => {
  const x = i / FINE;
  const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  return sinc * kaiser(x / CROSSINGS, BETA);
});

function kernel(x: number): number {
  const at = Math.abs(x) * FINE;
  const i = Math.floor(at);
  const [a, b] = [table[i] ?? 0, table[i + 1] ?? 0];
  return a + (at - i) * (b - a);
}

/** Samples of the source on each side of a position that are read for it. */
export const reachOf = (step: number): number => CROSSINGS * Math.max(1, step);

/**
 * A signal between its samples, by windowed-sinc interpolation.
 * @param position in samples; outside of the signal it is silent
 * @param step samples of the source to the next position that is read: above 1 what would alias is left out
 */
export function readAt(source: Float32Array, position: number, step: number): number {
  const scale = Math.max(1, step);
  const reach = reachOf(step);
  const first = Math.max(0, Math.ceil(position - reach));
  const last = Math.min(source.length - 1, Math.floor(position + reach));
  let sum = 0;
  for (let i = first; i <= last; i++) sum += (source[i] ?? 0) * kernel((position - i) / scale);
  return sum / scale;
}
