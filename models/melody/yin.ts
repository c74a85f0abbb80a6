import type { Pacer } from '../numerics/pacer.ts';

/** Fundamental frequency over time. */
export interface PitchTrack {
  /** Seconds between frames. */
  hopSeconds: number;
  /** Hz of each frame, where its middle is `(i + ½) · hop + …`; 0 where there is none. */
  hertz: Float64Array;
  /** 1 − d′ at the period: 1 is periodic, 0 noise. */
  clarity: Float64Array;
  /** Root mean square of each frame. */
  level: Float64Array;
  /** Seconds from the beginning of a frame to its middle. */
  middleSeconds: number;
}

const HOP_SECONDS = 0.01;
const LOWEST_HERTZ = 50;
const HIGHEST_HERTZ = 1500;
/** d′ below which the first dip is the period (de Cheveigné and Kawahara 2002, step 4; the paper names 0.1 to 0.15). */
const THRESHOLD = 0.15;

/**
 * YIN (de Cheveigné and Kawahara, JASA 111, 2002): the cumulative mean normalised difference function, its first dip below
 * the threshold, parabolic interpolation.
 * @param samples mono
 */
export async function yin(samples: Float32Array, sampleRate: number, pacer: Pacer): Promise<PitchTrack> {
  const hop = Math.round(HOP_SECONDS * sampleRate);
  const longest = Math.ceil(sampleRate / LOWEST_HERTZ);
  const shortest = Math.max(2, Math.floor(sampleRate / HIGHEST_HERTZ));
  const window = 2 * longest;
  const frames = Math.max(0, Math.floor((samples.length - window - longest) / hop) + 1);
  const track = {
    hopSeconds: hop / sampleRate,
    hertz: new Float64Array(frames),
    clarity: new Float64Array(frames),
    level: new Float64Array(frames),
    middleSeconds: (window + longest) / 2 / sampleRate,
  };
  const d = new Float64Array(longest + 2);
  for (let frame = 0; frame < frames; frame++) {
    if (pacer.due(window * longest)) await pacer.pause();
    const start = frame * hop;
    let energy = 0;
    for (let i = start; i < start + window; i++) energy += (samples[i] ?? 0) ** 2;
    track.level[frame] = Math.sqrt(energy / window);
    if (energy === 0) continue;
    normalisedDifference(samples, start, window, longest, d);
    const period = dipOf(d, shortest, longest);
    const { at, depth } = vertex(d, period);
    track.hertz[frame] = sampleRate / at;
    track.clarity[frame] = Math.max(0, Math.min(1, 1 - depth));
  }
  return track;
}

/** d′(τ) for τ = 1…longest, steps 2 and 3. */
function normalisedDifference(
  samples: Float32Array,
  start: number,
  window: number,
  longest: number,
  d: Float64Array,
): void {
  d[0] = 1;
  let sum = 0;
  for (let tau = 1; tau <= longest; tau++) {
    let difference = 0;
    for (let i = start, j = start + tau, end = start + window; i < end; i++, j++) {
      const delta = (samples[i] ?? 0) - (samples[j] ?? 0);
      difference += delta * delta;
    }
    sum += difference;
    d[tau] = sum === 0 ? 1 : (difference * tau) / sum;
  }
}

/** The bottom of the first dip below the threshold; the deepest one where none is. */
function dipOf(d: Float64Array, shortest: number, longest: number): number {
  let deepest = shortest;
  for (let tau = shortest; tau < longest; tau++) {
    if ((d[tau] ?? 1) < (d[deepest] ?? 1)) deepest = tau;
    if ((d[tau] ?? 1) < THRESHOLD) {
      while (tau + 1 < longest && (d[tau + 1] ?? 1) < (d[tau] ?? 1)) tau++;
      return tau;
    }
  }
  return deepest;
}

function vertex(d: Float64Array, tau: number): { at: number; depth: number } {
  const [left, middle, right] = [d[tau - 1] ?? 1, d[tau] ?? 1, d[tau + 1] ?? 1];
  const bend = left - 2 * middle + right;
  if (!(bend > 0) || tau < 1) return { at: tau, depth: middle };
  const shift = Math.max(-0.5, Math.min(0.5, (left - right) / (2 * bend)));
  return { at: tau + shift, depth: middle - ((left - right) * shift) / 4 };
}
