import type { PackRuntime } from '../packs/runtime.ts';
import { cosine } from '../numerics/distances.ts';
import { accuracyOf } from './classifiers.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { selectTracks } from '../embeddings/tracks.ts';
import type { Deformation } from './deformations.ts';
import { embedCollection, type CutSound } from './embed.ts';
import { withinCollection } from './protocols.ts';
import { meanOf, round } from './summary.ts';

/** What a deformation does to embeddings and to kNN (k = 5) that learned from untouched sounds. */
export interface RobustnessScore {
  deformation: string;
  /** Mean cosine of a window's embeddings before and after. */
  cosine: number;
  /** Per cent, five folds. */
  accuracy: number;
  /** Points lost against untouched test sounds. */
  accuracyDrop: number;
}

/** @param clean the embeddings of `sounds` */
export async function scoreRobustness(
  runtime: PackRuntime,
  sounds: readonly CutSound[],
  clean: LabelledWindows,
  deformations: readonly Deformation[],
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<RobustnessScore[]> {
  const { sampleRate } = runtime.pack.manifest;
  const { dim } = clean;
  const trials = withinCollection(clean, seed);
  const knn = { kind: 'knn', k: 5 } as const;
  const untouched = await accuracyOf(knn, trials, { seed, signal });
  const scores: RobustnessScore[] = [];
  for (const { name, apply } of deformations) {
    const changed: CutSound[] = [];
    for (const [index, sound] of sounds.entries()) {
      signal.throwIfAborted();
      const windows: Float32Array[] = [];
      for (const window of sound.windows) windows.push(await apply(window, sampleRate, seed + index));
      changed.push({ ...sound, windows });
    }
    const after = await embedCollection(runtime, changed, { signal });
    const cosines = Array.from(clean.tracks.of.keys(), (row) =>
      cosine(
        clean.features.subarray(row * dim, (row + 1) * dim),
        after.features.subarray(row * dim, (row + 1) * dim),
      ),
    );
    const accuracy = await accuracyOf(
      knn,
      trials.map(({ train, test }) => {
        const asked = new Set(test.tracks.ids);
        return { train, test: selectTracks(after, (track) => asked.has(after.tracks.ids[track] ?? '')) };
      }),
      { seed, signal },
    );
    scores.push({
      deformation: name,
      cosine: round(meanOf(cosines), 4),
      accuracy: round(accuracy, 1),
      accuracyDrop: round(untouched - accuracy, 1),
    });
  }
  return scores;
}
