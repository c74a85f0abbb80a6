import { Pacer } from '../numerics/pacer.ts';
import { loopOf, type Loop } from './loop.ts';
import { readAt } from './read-at.ts';
import { isNear, LEAST_CLARITY, tonalRegion, type TonalRegion } from './region.ts';
import { yin, type PitchTrack } from './yin.ts';

/** Root mean square that a sound is brought to. */
const LEVEL = 10 ** (-18 / 20);
/** Level is evened out over this, by at most so much. */
const EVEN_SECONDS = 0.05;
const MOST_EVENING = 10 ** (12 / 20);
/** A sound whose level falls by more than this from the first to the last third of its region dies away. */
const DYING_DB = 9;
/** What is struck is heard for so long at most, and from a little before it is loudest. */
const HIT_SECONDS = 1;
const HIT_LEAD_SECONDS = 0.01;

/** A sound that notes are played with. */
export type Instrument =
  | {
      kind: 'pitched';
      samples: Float32Array;
      sampleRate: number;
      /** Of the whole of `samples`, within a cent or two. */
      hertz: number;
      /** 0…1, of the region that was taken. */
      clarity: number;
      /** Where the region lay in the sound. */
      startSeconds: number;
      endSeconds: number;
      /** Null for a sound that dies away: it is heard once. */
      loop: Loop | null;
    }
  | {
      /** No pitch was found: notes say when it is struck. */
      kind: 'unpitched';
      samples: Float32Array;
      sampleRate: number;
      clarity: number;
      startSeconds: number;
      endSeconds: number;
    };

/**
 * Makes an instrument of a sound: the 0.5–2 s of it that are most clearly of one pitch (YIN), brought to that pitch
 * throughout, and looped where they are most alike; or, where the clarity is below 0.6, its loudest moment, which is struck.
 * It samples the sound; no network makes new sound.
 * @param samples mono
 * @throws the signal's reason
 */
export async function instrumentOf(
  samples: Float32Array,
  sampleRate: number,
  signal?: AbortSignal,
): Promise<Instrument> {
  const pacer = new Pacer(signal);
  const track = await yin(samples, sampleRate, pacer);
  const region = tonalRegion(track);
  if (!region || region.clarity < LEAST_CLARITY) return struck(samples, sampleRate, region?.clarity ?? 0);
  const start = Math.round(region.from * track.hopSeconds * sampleRate);
  const length = Math.round((region.to - region.from - 1) * track.hopSeconds * sampleRate);
  const end = Math.min(samples.length, start + length + Math.round(2 * track.middleSeconds * sampleRate));
  const flat = await flattened(samples, { start, end }, region, track, sampleRate, pacer);
  const dies = fallDb(flat) > DYING_DB;
  if (!dies) even(flat, sampleRate);
  toLevel(flat);
  return {
    ...{ kind: 'pitched', samples: flat, sampleRate, hertz: region.hertz, clarity: region.clarity },
    ...{ startSeconds: start / sampleRate, endSeconds: end / sampleRate },
    loop: dies ? null : await loopOf(flat, sampleRate, region.hertz, pacer),
  };
}

/** Reads a region at the speed that takes its pitch to that of its middle: vibrato and glides go. */
async function flattened(
  samples: Float32Array,
  { start, end }: { start: number; end: number },
  region: TonalRegion,
  track: PitchTrack,
  sampleRate: number,
  pacer: Pacer,
): Promise<Float32Array> {
  const contour = contourOf(region, track);
  const out: number[] = [];
  for (let at = start; at < end;) {
    if (pacer.due(64)) await pacer.pause();
    const frame = (at / sampleRate - track.middleSeconds) / track.hopSeconds - region.from;
    const step = region.hertz / between(contour, frame);
    out.push(readAt(samples, at, step));
    at += step;
  }
  return Float32Array.from(out);
}

/** Hz of each frame of a region; frames of another pitch, or of none, get that of their neighbours. */
function contourOf({ from, to, hertz }: TonalRegion, track: PitchTrack): Float64Array {
  const known: { frame: number; hertz: number }[] = [];
  for (let frame = from; frame < to; frame++) {
    const own = track.hertz[frame] ?? 0;
    if (own > 0 && isNear(own, hertz) && (track.clarity[frame] ?? 0) >= LEAST_CLARITY)
      known.push({ frame: frame - from, hertz: own });
  }
  const contour = new Float64Array(to - from).fill(hertz);
  let next = 0;
  for (let frame = 0; frame < contour.length; frame++) {
    while (next < known.length && (known[next]?.frame ?? 0) < frame) next++;
    const [before, after] = [known[next - 1] ?? known[next], known[next] ?? known[next - 1]];
    if (!before || !after) continue;
    const share =
      after.frame === before.frame
        ? 0
        : Math.max(0, Math.min(1, (frame - before.frame) / (after.frame - before.frame)));
    contour[frame] = before.hertz + share * (after.hertz - before.hertz);
  }
  return contour;
}

function between(values: Float64Array, at: number): number {
  const clipped = Math.max(0, Math.min(values.length - 1, at));
  const i = Math.floor(clipped);
  const [a, b] = [values[i] ?? 1, values[i + 1] ?? values[i] ?? 1];
  return a + (clipped - i) * (b - a);
}

function rms(samples: Float32Array, from = 0, to = samples.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (samples[i] ?? 0) ** 2;
  return Math.sqrt(sum / Math.max(1, to - from));
}

function fallDb(samples: Float32Array): number {
  const third = Math.floor(samples.length / 3);
  const [first, last] = [rms(samples, 0, third), rms(samples, samples.length - third)];
  return 20 * Math.log10(Math.max(first, 1e-9) / Math.max(last, 1e-9));
}

/** Takes out what a loop would repeat as a pulse: swells of level that are slower than its smoothing. */
function even(samples: Float32Array, sampleRate: number): void {
  const half = Math.round((EVEN_SECONDS * sampleRate) / 2);
  const sums = new Float64Array(samples.length + 1);
  for (let i = 0; i < samples.length; i++) sums[i + 1] = (sums[i] ?? 0) + (samples[i] ?? 0) ** 2;
  const whole = rms(samples);
  const gains = Float64Array.from(samples, (_, i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(samples.length, i + half)];
    const own = Math.sqrt(Math.max(0, ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from)));
    return Math.max(1 / MOST_EVENING, Math.min(MOST_EVENING, whole / Math.max(own, 1e-9)));
  });
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * (gains[i] ?? 1);
}

function toLevel(samples: Float32Array): void {
  const own = rms(samples);
  if (own === 0) return;
  for (let i = 0; i < samples.length; i++) samples[i] = ((samples[i] ?? 0) * LEVEL) / own;
}

/** The part around the steepest rise of level. */
function struck(samples: Float32Array, sampleRate: number, clarity: number): Instrument {
  const hop = Math.round(0.01 * sampleRate);
  let [at, steepest, before] = [0, -1, 0];
  for (let i = 0; i + hop <= samples.length; i += hop) {
    const level = rms(samples, i, i + hop);
    if (level - before > steepest) [at, steepest] = [i, level - before];
    before = level;
  }
  const start = Math.max(0, at - Math.round(HIT_LEAD_SECONDS * sampleRate));
  const end = Math.min(samples.length, start + Math.round(HIT_SECONDS * sampleRate));
  const own = samples.slice(start, end);
  toLevel(own);
  return {
    ...{ kind: 'unpitched', samples: own, sampleRate, clarity },
    ...{ startSeconds: start / sampleRate, endSeconds: end / sampleRate },
  };
}
