import type { PitchTrack } from './yin.ts';

/** Below it the sound has no pitch that a melody could be played on. */
export const LEAST_CLARITY = 0.6;
const LENGTHS_SECONDS = [2, 1.5, 1, 0.75, 0.5] as const;
const STEP_FRAMES = 3;
/** Frames that are this much quieter than the loudest count as silence. */
const SILENCE = 10 ** (-35 / 20);
/** Frames of another pitch, which may be of another octave, do not count. */
const CENTS_APART = 60;
/** What a longer region may lack of clarity. */
const WORTH_OF_LENGTH = 0.03;

/** The part of a sound that is most clearly of one pitch. */
export interface TonalRegion {
  /** Frames of the pitch track. */
  from: number;
  to: number;
  hertz: number;
  /** Mean clarity, where frames of other pitches count 0; 0…1. */
  clarity: number;
}

/** Finds the most tonal 0.5–2 s; null where the sound is shorter than half a second, or silent. */
export function tonalRegion(track: PitchTrack): TonalRegion | null {
  const { hertz, clarity, level, hopSeconds } = track;
  const loudest = level.reduce((a, b) => Math.max(a, b), 0);
  if (loudest === 0) return null;
  const heard = (frame: number): boolean =>
    (hertz[frame] ?? 0) > 0 && (level[frame] ?? 0) > SILENCE * loudest;
  let best: TonalRegion | null = null;
  let bestWorth = -1;
  for (const seconds of LENGTHS_SECONDS) {
    const length = Math.round(seconds / hopSeconds);
    // What the frames at both ends reach over belongs to it: a sound of just that length has fewer frames.
    const frames = Math.min(length, hertz.length);
    if (frames < length - Math.ceil((2 * track.middleSeconds) / hopSeconds) || frames === 0) continue;
    for (let from = 0; from + frames <= hertz.length; from += STEP_FRAMES) {
      const to = from + frames;
      const own: number[] = [];
      for (let frame = from; frame < to; frame++) if (heard(frame)) own.push(hertz[frame] ?? 0);
      if (own.length === 0) continue;
      own.sort((a, b) => a - b);
      const middle = own[own.length >> 1] ?? 0;
      let sum = 0;
      for (let frame = from; frame < to; frame++)
        if (heard(frame) && isNear(hertz[frame] ?? 0, middle)) sum += clarity[frame] ?? 0;
      const mean = sum / frames;
      const worth = mean + WORTH_OF_LENGTH * (seconds / 2);
      if (worth > bestWorth) {
        bestWorth = worth;
        best = { from, to, hertz: middle, clarity: mean };
      }
    }
  }
  return best;
}

/** Whether two frequencies are one pitch. */
export function isNear(a: number, b: number): boolean {
  return Math.abs(1200 * Math.log2(a / b)) <= CENTS_APART;
}
