import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { meanByTrack } from '../embeddings/pooling.ts';
import { borneLabels, selectTracks, withLabels } from '../embeddings/tracks.ts';
import { groupedFolds } from '../evaluation/splits/folds.ts';
import { defaultTrainParameters, trainPrototypeNetwork, type TrainParameters } from '../pecmae/trainer.ts';

/** What a classifier says of every track that it has not learned from. */
export interface OutOfFold {
  /**
   * `[tracks, C]`: softmax(logits/τ) of a single-label task, sigmoid(logits/τ) of a multilabel one; 0 for a class that no
   * track outside the fold bears.
   */
  probabilities: Float32Array;
  /** `[tracks]`: number of the fold that holds the track. */
  foldOf: Uint8Array;
  /** `[tracks, C]`, 0 or 1: whether the class was learned where the track was held out. */
  known: Uint8Array;
}

export interface OutOfFoldOptions {
  task: 'single' | 'multi';
  /** From 2 to as many as groups. */
  folds: number;
  seed: number;
  signal: AbortSignal;
  training?: Partial<Omit<TrainParameters, 'seed' | 'task'>>;
  /** Awaited before each training step. */
  pace?: () => Promise<void>;
  /** @param done share of the work, 0 … 1 */
  onProgress?: (done: number) => void;
  /** A fold's rows `[tracks of the fold, C]` from an earlier run that ended early. */
  recall?: (fold: number) => Float32Array | null;
  keep?: (fold: number, rows: Float32Array) => void;
}

/**
 * Predicts every track by a prototype network that has learned from the other folds only: a network that has learned
 * from a wrong label repeats it. Groups (artist, album, copies) are never cut apart.
 * @throws NumericError `bad-parameter` for folds; PrototypeError; the signal's reason
 */
export async function outOfFold(set: LabelledWindows, options: OutOfFoldOptions): Promise<OutOfFold> {
  const width = set.labelNames.length;
  const { ids } = set.tracks;
  const folds = foldsOf(set, options);
  const probabilities = new Float32Array(ids.length * width);
  const known = new Uint8Array(ids.length * width);
  for (let fold = 0; fold < options.folds; fold++) {
    const learned = selectTracks(set, (track) => folds[track] !== fold);
    const classes = borneLabels(learned);
    const columns = classes.map((name) => set.labelNames.indexOf(name));
    const held = [...ids.keys()].filter((track) => folds[track] === fold);
    const rows = options.recall?.(fold) ?? (await predictFold(set, learned, classes, held, fold, options));
    options.keep?.(fold, rows);
    held.forEach((track, i) => {
      columns.forEach((column, c) => {
        probabilities[track * width + column] = rows[i * classes.length + c] ?? 0;
        known[track * width + column] = 1;
      });
    });
    options.onProgress?.((fold + 1) / options.folds);
  }
  return { probabilities, foldOf: folds, known };
}

/** Number of each track's fold: groups whole, classes dealt evenly by their first label. */
export function foldsOf(
  set: LabelledWindows,
  { folds, seed }: Pick<OutOfFoldOptions, 'folds' | 'seed'>,
): Uint8Array {
  const { groups, of } = set.tracks;
  const width = set.labelNames.length;
  const first = new Int32Array(groups.length);
  of.forEach((track, row) => {
    first[track] = Math.max(0, set.labels.subarray(row * width, (row + 1) * width).indexOf(1));
  });
  const items = groups.map((group, track) => ({ group, label: first[track] ?? 0 }));
  const foldOf = new Uint8Array(groups.length);
  groupedFolds(items, folds, seed).forEach((held, fold) => {
    groups.forEach((group, track) => {
      if (held.has(group)) foldOf[track] = fold;
    });
  });
  return foldOf;
}

async function predictFold(
  set: LabelledWindows,
  learned: LabelledWindows,
  classes: readonly string[],
  held: readonly number[],
  fold: number,
  { task, folds, seed, signal, pace, training, onProgress }: OutOfFoldOptions,
): Promise<Float32Array> {
  const { network } = await trainPrototypeNetwork(
    withLabels(learned, classes),
    null,
    { ...foldTraining, ...training, seed: seed + fold, task },
    {
      signal,
      ...(pace && { pace }),
      onProgress: ({ step, steps }) => onProgress?.((fold + step / steps) / folds),
    },
  );
  const places = new Map(held.map((track, place) => [track, place]));
  const asked = selectTracks(set, (track) => places.has(track));
  const logits = meanByTrack(
    network.logits(asked.features, asked.count),
    classes.length,
    asked.tracks.of,
    held.length,
  );
  const rows = new Float32Array(logits.length);
  for (let i = 0; i < held.length; i++) {
    const own = logits.subarray(i * classes.length, (i + 1) * classes.length);
    rows.set(network.probabilities(own), i * classes.length);
  }
  return rows;
}

/** How the network of a fold is trained. */
export const foldTraining: Omit<TrainParameters, 'seed' | 'task'> = { ...defaultTrainParameters };
