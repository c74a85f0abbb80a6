import { Pacer } from '../numerics/pacer.ts';
import type { Note } from './note.ts';

/** Beats a minute that are tried: what people count along with. */
const [SLOWEST, FASTEST] = [60, 180];
/** Parts of a beat that onsets may lie on: sixteenths, or thirds of eighths. */
const GRIDS = [4, 3] as const;
/** Of two tempi that fit alike, the one nearer to this is taken (Parncutt 1994), in beats a minute. */
const PREFERRED = 110;
const PREFERRED_OCTAVES = 0.9;
/** Steps of the frequency within the width of its peak. */
const FINENESS = 8;
/** Probability that onsets without a pulse are given one. */
const FALSE_ALARM = 0.01;
const FEWEST_ONSETS = 8;
/** Work of turning an onset on, for the pacer. */
const UNITS_PER_TURN = 8;

/** A steady tempo of notes. */
export interface Pulse {
  beatsPerMinute: number;
  /** How closely onsets lie on its grid, 0 … 1: the length of their mean direction on the circle of a part of a beat. */
  likeness: number;
}

/**
 * The tempo on whose sixteenths (or triplets) the onsets of notes lie, where one fits better than onsets without a pulse would:
 * Rayleigh's test over all tempi that are tried. Tempi of twice or half the speed cannot be told apart by that: the one whose beats
 * and eighths bear more onsets is taken, and of these the one nearer to 110.
 * @returns null where no steady tempo fits, or notes are few
 * @throws the signal's reason
 */
export async function pulseOf(notes: readonly Note[], signal?: AbortSignal): Promise<Pulse | null> {
  const sorted = [...new Set(notes.map(({ onsetSeconds }) => onsetSeconds))].sort((a, b) => a - b);
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
  const span = last - first;
  if (sorted.length < FEWEST_ONSETS || span <= 0) return null;
  const onsets = Float64Array.from(sorted, (onset) => onset - first);
  const tries = GRIDS.reduce((sum, parts) => sum + (span * parts * (FASTEST - SLOWEST)) / 60, 0);
  // n · R² of onsets without a pulse is exponential with mean 1 (Rayleigh); the best of many is larger.
  const least = Math.sqrt(Math.min(1, Math.log(Math.max(1, tries) / FALSE_ALARM) / onsets.length));
  const pacer = new Pacer(signal);
  let best: (Pulse & { score: number }) | null = null;
  for (const parts of GRIDS) {
    const step = 60 / (FINENESS * parts * span);
    const turning = new Turning(onsets, (parts * SLOWEST) / 60, (parts * step) / 60);
    for (let bpm = SLOWEST; bpm <= FASTEST; bpm += step) {
      // Ten minutes of notes are hundreds of millions of turns.
      if (pacer.due(UNITS_PER_TURN * onsets.length)) await pacer.pause();
      const own = turning.next();
      if (own < least) continue;
      const beat = bpm / 60;
      const octaves = Math.log2(bpm / PREFERRED) / PREFERRED_OCTAVES;
      const score =
        own ** 2 +
        (0.5 * likeness(onsets, beat) ** 2 + 0.5 * likeness(onsets, 2 * beat) ** 2) *
          (parts === 3 ? 0.9 : 1) +
        0.2 * Math.exp(-(octaves ** 2) / 2);
      if (!best || score > best.score) best = { beatsPerMinute: bpm, likeness: own, score };
    }
  }
  return best && { beatsPerMinute: best.beatsPerMinute, likeness: best.likeness };
}

/** Length of the mean direction of onsets at a frequency. */
function likeness(onsets: Float64Array, hertz: number): number {
  return new Turning(onsets, hertz, 0).next();
}

/** {@link likeness} at one frequency after the other, equally far apart: every onset turns on, which needs no sine. */
class Turning {
  readonly #directions: readonly [Float64Array, Float64Array];
  readonly #turns: readonly [Float64Array, Float64Array];

  constructor(onsets: Float64Array, hertz: number, stepHertz: number) {
    this.#directions = directionsOf(onsets, hertz);
    this.#turns = directionsOf(onsets, stepHertz);
  }

  next(): number {
    const [re, im] = this.#directions;
    const [cos, sin] = this.#turns;
    let [sumRe, sumIm] = [0, 0];
    for (let i = 0; i < re.length; i++) {
      const [x, y, c, s] = [re[i] as number, im[i] as number, cos[i] as number, sin[i] as number];
      sumRe += x;
      sumIm += y;
      re[i] = x * c - y * s;
      im[i] = x * s + y * c;
    }
    return Math.hypot(sumRe, sumIm) / re.length;
  }
}

function directionsOf(onsets: Float64Array, hertz: number): [Float64Array, Float64Array] {
  const angles = onsets.map((onset) => 2 * Math.PI * hertz * onset);
  return [angles.map(Math.cos), angles.map(Math.sin)];
}
