import type { Pacer } from '../numerics/pacer.ts';

const FADE_SECONDS = 0.03;
const LEAST_SECONDS = 0.2;
/** What is looked at before the sound repeats belongs to its beginning, which is heard once. */
const ATTACK_SECONDS = 0.05;
/** What a loop of all that is there may lack of likeness against a shorter one. */
const WORTH_OF_LENGTH = 0.05;

/** Where a sustained sound repeats: after `end` comes `start`. In samples; the crossing is faded in already. */
export interface Loop {
  start: number;
  end: number;
  /** Correlation of what is faded into each other, −1…1. */
  likeness: number;
}

/**
 * Finds the two places that are most alike, a whole number of periods apart, and fades what lies before `start` into what
 * lies before `end`, so that a jump from there to `start` is not heard.
 * @param samples of one pitch; the crossing is written into them
 * @param hertz their pitch
 * @returns null for what is too short
 */
export async function loopOf(
  samples: Float32Array,
  sampleRate: number,
  hertz: number,
  pacer: Pacer,
): Promise<Loop | null> {
  const fade = Math.round(FADE_SECONDS * sampleRate);
  const first = Math.max(fade, Math.round(ATTACK_SECONDS * sampleRate));
  const least = Math.round(LEAST_SECONDS * sampleRate);
  const period = sampleRate / hertz;
  const room = samples.length - first;
  if (room < least) return null;
  let best: Loop | null = null;
  let bestWorth = -Infinity;
  for (let start = first; start + least <= samples.length; start += fade) {
    for (
      let periods = Math.ceil(least / period);
      start + Math.round(periods * period) <= samples.length;
      periods++
    ) {
      if (pacer.due(3 * fade)) await pacer.pause();
      const end = start + Math.round(periods * period);
      const likeness = correlation(samples, start - fade, end - fade, fade);
      const worth = likeness + (WORTH_OF_LENGTH * (end - start)) / room;
      if (worth > bestWorth) {
        bestWorth = worth;
        best = { start, end, likeness };
      }
    }
  }
  if (!best) return null;
  // The pitch is known to a cent or two, which adds up over a long loop: the places around are looked at, too.
  const { start } = best;
  const near = Math.ceil(period / 4);
  const { end: about } = best;
  for (let end = about - near; end <= Math.min(samples.length, about + near); end++) {
    const likeness = correlation(samples, start - fade, end - fade, fade);
    if (likeness > best.likeness) best = { start, end, likeness };
  }
  crossFade(samples, best, fade);
  return best;
}

function correlation(samples: Float32Array, a: number, b: number, length: number): number {
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [x, y] = [samples[a + i] ?? 0, samples[b + i] ?? 0];
    product += x * y;
    left += x * x;
    right += y * y;
  }
  return left === 0 || right === 0 ? 0 : product / Math.sqrt(left * right);
}

/** Alike signals add up to an even level by shares that add up to one. */
function crossFade(samples: Float32Array, { start, end }: Loop, fade: number): void {
  for (let i = 0; i < fade; i++) {
    const share = 0.5 - 0.5 * Math.cos((Math.PI * (i + 1)) / fade);
    const [leaving, coming] = [samples[end - fade + i] ?? 0, samples[start - fade + i] ?? 0];
    samples[end - fade + i] = (1 - share) * leaving + share * coming;
  }
}
