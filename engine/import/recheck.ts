import { AudioError, cutWindows } from '../../models/audio/index.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { EmbeddedWindow } from '../library/embeddings.ts';
import type { TrackResult } from './track-store.ts';

/** Mixed hardware gives other last digits; anything further off was computed from something else. */
export const LEAST_COSINE = 0.99999;
/** Windows of a track that are computed again. */
const WINDOWS = 2;

export interface RecheckOptions {
  runtime: PackRuntime;
  /** A file as the pack hears it. */
  audioOf: (path: string, signal: AbortSignal) => AsyncIterable<Float32Array>;
  signal: AbortSignal;
  /** 0 … 1, not to be foreseen by whoever is checked. */
  random: () => number;
}

/**
 * Computes some windows of a track again, here.
 * @returns what is wrong with the answer; null when nothing is, or the file cannot be read here
 */
export async function recheck(
  path: string,
  { windows }: TrackResult,
  { runtime, audioOf, signal, random }: RecheckOptions,
): Promise<string | null> {
  const chosen = new Map<number, EmbeddedWindow>();
  for (let i = 0; i < WINDOWS; i++) {
    const window = windows[Math.floor(random() * windows.length)];
    if (window) chosen.set(window.index, window);
  }
  const last = Math.max(...chosen.keys());
  const { windowSamples } = runtime.pack.manifest;
  try {
    for await (const window of cutWindows(audioOf(path, signal), { windowSamples })) {
      const answered = chosen.get(window.index);
      if (answered) {
        chosen.delete(window.index);
        const cosine = cosineOf(await runtime.embed(window.samples, 1), answered.z);
        if (!(cosine >= LEAST_COSINE))
          return `its vector of window ${window.index} of ${path} has a cosine of ${cosine.toFixed(5)} with the one computed here`;
      }
      if (window.index >= last) break;
    }
  } catch (thrown) {
    if (thrown instanceof AudioError) return null;
    throw thrown;
  }
  return chosen.size === 0 ? null : `it answered window ${last} of ${path}, which there is not`;
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const other = b[i] ?? 0;
    ab += value * other;
    aa += value * value;
    bb += other * other;
  });
  // Silence may be the zero vector.
  return aa === 0 && bb === 0 ? 1 : ab / Math.sqrt(aa * bb);
}
