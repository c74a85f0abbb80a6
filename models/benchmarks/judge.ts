import { accuracyOf } from './classifiers.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { describeCollection } from './embed.ts';
import type { Describer } from './handcrafted.ts';
import { round } from './summary.ts';

/** Share, 0…1, of sounds `[S]` each that a listener takes for the class they were made for. */
export type Judge = (
  sounds: readonly Float32Array[],
  classes: readonly string[],
  signal: AbortSignal,
) => Promise<number>;

/**
 * A listener that shares nothing with the pack: the five nearest neighbours by MFCC+Δ among a collection's real sounds.
 * A decoder may learn to please the pack's own encoder; it never met this one. How well it knows real sounds it has not
 * heard is the `mfcc` column of the accuracy table.
 * @param known the collection by MFCC+Δ, as {@link describeCollection} gives it
 */
export function handcraftedJudge(features: Describer, known: LabelledWindows): Judge {
  return async (sounds, classes, signal) => {
    const asked = sounds.map((samples, i) => {
      const name = String(i);
      return { name, class: classes[i] ?? '', group: name, windows: [samples] };
    });
    const { mfcc } = await describeCollection(features, asked, { signal });
    const percent = await accuracyOf({ kind: 'knn', k: 5 }, [{ train: known, test: mfcc }], {
      seed: 0,
      signal,
    });
    return round(percent / 100, 4);
  };
}
