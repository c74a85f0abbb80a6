import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { borneLabels, selectTracks, withLabels } from '../embeddings/tracks.ts';
import { groupedFolds } from '../evaluation/splits/folds.ts';
import { rowsInMemory } from '../neighbours/rows.ts';
import { Pacer } from '../numerics/pacer.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';
import { defaultTrainParameters, trainPrototypeNetwork, type TrainParameters } from '../pecmae/trainer.ts';
import { trackLogits } from '../pecmae/window-products.ts';

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
  /** `[others, C]`: of tracks that bear no label and were learned by nobody, the mean over all folds. */
  others: Float32Array;
}

export interface OutOfFoldOptions {
  task: 'single' | 'multi';
  /** From 2 to as many as groups. */
  folds: number;
  seed: number;
  signal: AbortSignal;
  /**
   * `[tracks]`: what the folds are dealt evenly by; without it the first label of each. Folds stay what they are when
   * labels change, as long as these and the groups do not.
   */
  strata?: ArrayLike<number>;
  /** Tracks without labels, to be predicted as well. */
  others?: LabelledWindows | null;
  training?: Partial<Omit<TrainParameters, 'seed' | 'task'>>;
  /** Awaited before each training step. */
  pace?: () => Promise<void>;
  /** @param done share of the work, 0 … 1 */
  onProgress?: (done: number) => void;
  /** A fold's rows `[tracks of the fold and others, classes learned]` from an earlier run that ended early. */
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
  const unlabelled = options.others?.tracks.ids.length ?? 0;
  const others = new Float32Array(unlabelled * width);
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
    for (let track = 0; track < unlabelled; track++)
      columns.forEach((column, c) => {
        const cell = track * width + column;
        const row = held.length + track;
        others[cell] = (others[cell] ?? 0) + (rows[row * classes.length + c] ?? 0) / options.folds;
      });
    options.onProgress?.((fold + 1) / options.folds);
  }
  return { probabilities, foldOf: folds, known, others };
}

/** Number of each track's fold: groups whole, classes dealt evenly. */
export function foldsOf(
  set: LabelledWindows,
  { folds, seed, strata }: Pick<OutOfFoldOptions, 'folds' | 'seed' | 'strata'>,
): Uint8Array {
  const { groups, of } = set.tracks;
  const width = set.labelNames.length;
  const first = new Int32Array(groups.length);
  of.forEach((track, row) => {
    first[track] = Math.max(0, set.labels.subarray(row * width, (row + 1) * width).indexOf(1));
  });
  const items = groups.map((group, track) => ({ group, label: strata?.[track] ?? first[track] ?? 0 }));
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
  { task, folds, seed, signal, pace, training, onProgress, others }: OutOfFoldOptions,
): Promise<Float32Array> {
  const { network } = await trainPrototypeNetwork(
    withLabels(learned, classes),
    null,
    {
      ...foldTraining,
      ...(classes.length > MANY_CLASSES && { prototypesPerClass: 1 }),
      ...training,
      seed: seed + fold,
      task,
    },
    {
      signal,
      ...(pace && { pace }),
      onProgress: ({ step, steps }) => onProgress?.((fold + step / steps) / folds),
    },
  );
  const places = new Map(held.map((track, place) => [track, place]));
  const asked = selectTracks(set, (track) => places.has(track));
  const rows = await predictTracks(network, asked, signal);
  if (!others) return rows;
  const more = await predictTracks(network, others, signal);
  const all = new Float32Array(rows.length + more.length);
  all.set(rows);
  all.set(more, rows.length);
  return all;
}

/** `[tracks, classes of the network]` @throws the signal's reason */
async function predictTracks(
  network: PrototypeNetwork,
  { features, dim, tracks }: LabelledWindows,
  signal: AbortSignal,
): Promise<Float32Array> {
  const width = network.data.classes.length;
  const { of, ids } = tracks;
  const logits = await trackLogits(network, rowsInMemory(features, dim), of, ids.length, { signal });
  const rows = new Float32Array(logits.length);
  const pacer = new Pacer(signal);
  for (let start = 0; start < rows.length; start += width) {
    if (pacer.due(16 * width)) await pacer.pause();
    rows.set(network.probabilities(logits.subarray(start, start + width)), start);
  }
  return rows;
}

/**
 * How the network of a fold is trained: shorter than one that is kept, and with fewer prototypes. It found planted
 * mistakes as well as the longer training or better, on rendered instruments and the demo sounds: what learns for long
 * learns the mistakes, too.
 */
const foldTraining: Omit<TrainParameters, 'seed' | 'task'> = {
  ...defaultTrainParameters,
  prototypesPerClass: 3,
  steps: 500,
};
/** From so many classes on, one prototype a class tells them apart, in a third of the time. */
const MANY_CLASSES = 100;
