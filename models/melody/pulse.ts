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
 */
export function pulseOf(notes: readonly Note[]): Pulse | null {
  const onsets = [...new Set(notes.map(({ onsetSeconds }) => onsetSeconds))].sort((a, b) => a - b);
  const [first = 0, last = 0] = [onsets[0], onsets.at(-1)];
  const span = last - first;
  if (onsets.length < FEWEST_ONSETS || span <= 0) return null;
  const n = onsets.length;
  /** Length of the mean direction at a frequency. */
  const likeness = (hertz: number): number => {
    let [re, im] = [0, 0];
    for (const onset of onsets) {
      const angle = 2 * Math.PI * hertz * (onset - first);
      re += Math.cos(angle);
      im += Math.sin(angle);
    }
    return Math.hypot(re, im) / n;
  };
  const tries = GRIDS.reduce((sum, parts) => sum + (span * parts * (FASTEST - SLOWEST)) / 60, 0);
  // n · R² of onsets without a pulse is exponential with mean 1 (Rayleigh); the best of many is larger.
  const least = Math.sqrt(Math.min(1, Math.log(Math.max(1, tries) / FALSE_ALARM) / n));
  let best: (Pulse & { score: number }) | null = null;
  for (const parts of GRIDS) {
    const step = 60 / (FINENESS * parts * span);
    for (let bpm = SLOWEST; bpm <= FASTEST; bpm += step) {
      const beat = bpm / 60;
      const own = likeness(parts * beat);
      if (own < least) continue;
      const octaves = Math.log2(bpm / PREFERRED) / PREFERRED_OCTAVES;
      const score =
        own ** 2 +
        (0.5 * likeness(beat) ** 2 + 0.5 * likeness(2 * beat) ** 2) * (parts === 3 ? 0.9 : 1) +
        0.2 * Math.exp(-(octaves ** 2) / 2);
      if (!best || score > best.score) best = { beatsPerMinute: bpm, likeness: own, score };
    }
  }
  return best && { beatsPerMinute: best.beatsPerMinute, likeness: best.likeness };
}
