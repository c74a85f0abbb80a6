import { voteLabelsets } from '../knn/lpknn.ts';
import { nearestRows } from '../knn/nearest.ts';
import { poolTracks } from '../embeddings/pooling.ts';
import { classOfTracks, selectTracks } from '../embeddings/tracks.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { accuracyOf, standardised } from './classifiers.ts';
import { sharedClasses, withinCollection, type Trial } from './protocols.ts';
import { round } from './summary.ts';

/** A collection as it comes from the pack, from the untrained twin and from the hand-made features, row by row the same. */
export type FolderVectors = Readonly<Record<'embedding' | 'randomTwin' | 'logMel' | 'mfcc', LabelledWindows>>;

/**
 * What is compared: the embedding as it is and with every dimension brought to unit deviation, the hand-made features alone
 * and together, and the embedding of the untrained twin.
 */
export const folderViews = [
  'embedding',
  'embeddingStandardised',
  'logMel',
  'mfcc',
  'both',
  'randomTwin',
] as const;
export type FolderView = (typeof folderViews)[number];

/** Share of right answers in per cent on one collection, or from one to another. */
export interface FolderScore {
  /** Names of collections: learned from, asked for. The same: every sound is asked while all others are known. */
  from: string;
  to: string;
  /** Five nearest neighbours of a sound, or a prototype network with five prototypes per class (within: five folds). */
  classifier: 'knn5' | 'pecmae5';
  classes: number;
  /** Sounds that were asked for. */
  asked: number;
  /** Share of the largest class among them, in per cent: what always giving the same answer would get. */
  largestClass: number;
  /** Networks standardise what they learn from, so the second view says nothing new of them. */
  accuracy: Partial<Record<FolderView, number>>;
}

/** How a folder is scored. */
export interface FolderOptions {
  seed: number;
  /** Nearest neighbours alone: training networks takes most of the time. */
  quick: boolean;
  /** What is compared; all if left out. */
  views?: readonly FolderView[];
  signal: AbortSignal;
}

const NEIGHBOURS = 5;
const PROTOTYPES = 5;

/** How each view sees two collections; deviations are those of what is learned from. */
const seen: Readonly<Record<FolderView, (from: FolderVectors, to: FolderVectors) => Trial>> = {
  embedding: (from, to) => ({ train: from.embedding, test: to.embedding }),
  embeddingStandardised: (from, to) => standardised({ train: from.embedding, test: to.embedding }),
  logMel: (from, to) => standardised({ train: from.logMel, test: to.logMel }),
  mfcc: (from, to) => standardised({ train: from.mfcc, test: to.mfcc }),
  both: (from, to) => {
    const [one, other] = [seen.logMel(from, to), seen.mfcc(from, to)];
    return { train: beside(one.train, other.train), test: beside(one.test, other.test) };
  },
  randomTwin: (from, to) => ({ train: from.randomTwin, test: to.randomTwin }),
};

/**
 * All views of one collection, every sound asked with all others known (networks: five folds).
 */
export async function scoreWithin(
  name: string,
  collection: FolderVectors,
  options: FolderOptions,
): Promise<FolderScore[]> {
  const classes = classOfTracks(collection.embedding);
  const head = { from: name, to: name, ...headOf(classes) };
  const nearest: Partial<Record<FolderView, number>> = {};
  for (const view of options.views ?? folderViews) {
    const answers = await leaveOneOutClasses(seen[view](collection, collection).train, options.signal);
    nearest[view] = percentRight(answers, classes);
  }
  const rows: FolderScore[] = [{ ...head, classifier: 'knn5', accuracy: nearest }];
  if (!options.quick)
    rows.push({
      ...head,
      classifier: 'pecmae5',
      accuracy: await ofNetworks(
        (view) => withinCollection(seen[view](collection, collection).train, options.seed),
        options,
      ),
    });
  return rows;
}

/** All views from one collection to another over the classes both have; no rows where there are not two. */
export async function scoreBetween(
  from: { name: string; vectors: FolderVectors },
  to: { name: string; vectors: FolderVectors },
  options: FolderOptions,
): Promise<FolderScore[]> {
  const shared = sharedClasses(from.vectors.embedding, to.vectors.embedding);
  if (shared.length < 2) return [];
  const [known, asked] = [ofClasses(from.vectors, shared), ofClasses(to.vectors, shared)];
  const head = { from: from.name, to: to.name, ...headOf(classOfTracks(asked.embedding)) };
  const nearest: Partial<Record<FolderView, number>> = {};
  for (const view of options.views ?? folderViews)
    nearest[view] = await nearestAccuracy(seen[view](known, asked), options.signal);
  const rows: FolderScore[] = [{ ...head, classifier: 'knn5', accuracy: nearest }];
  if (!options.quick)
    rows.push({
      ...head,
      classifier: 'pecmae5',
      accuracy: await ofNetworks((view) => [seen[view](known, asked)], options),
    });
  return rows;
}

/**
 * The class that the five nearest other sounds give each sound (Euclidean, on the mean of its windows). Equal votes go to
 * the class whose first sound comes first.
 */
export async function leaveOneOutClasses(set: LabelledWindows, signal: AbortSignal): Promise<string[]> {
  const tracks = poolTracks(set);
  const k = Math.min(NEIGHBOURS, tracks.count - 1);
  const all = await nearestRows(tracks, tracks, { k: k + 1, signal });
  const rows = new Int32Array(tracks.count * k);
  const distances = new Float64Array(tracks.count * k);
  for (let own = 0; own < tracks.count; own++) {
    const found = Array.from({ length: k + 1 }, (_, j) => own * (k + 1) + j);
    // Copies of a sound lie at no distance either, so it need not be the first, nor among them at all.
    const others = found.filter((at) => all.rows[at] !== own).slice(0, k);
    for (const [j, at] of others.entries()) {
      rows[own * k + j] = all.rows[at] ?? 0;
      distances[own * k + j] = all.distances[at] ?? 0;
    }
  }
  return namesOf(voteLabelsets(tracks, { k, rows, distances }), tracks.labelNames);
}

async function nearestAccuracy({ train, test }: Trial, signal: AbortSignal): Promise<number> {
  const [known, asked] = [poolTracks(train), poolTracks(test)];
  const nearest = await nearestRows(known, asked, { k: Math.min(NEIGHBOURS, known.count), signal });
  return percentRight(namesOf(voteLabelsets(known, nearest), known.labelNames), classOfTracks(test));
}

async function ofNetworks(
  trials: (view: FolderView) => Trial[],
  options: FolderOptions,
): Promise<Partial<Record<FolderView, number>>> {
  const classifier = { kind: 'pecmae', prototypesPerClass: PROTOTYPES } as const;
  const accuracy: Partial<Record<FolderView, number>> = {};
  for (const view of (options.views ?? folderViews).filter((name) => name !== 'embeddingStandardised'))
    accuracy[view] = round(await accuracyOf(classifier, trials(view), options));
  return accuracy;
}

function ofClasses(vectors: FolderVectors, names: readonly string[]): FolderVectors {
  const kept = new Set(names);
  const of = (set: LabelledWindows): LabelledWindows => {
    const classes = classOfTracks(set);
    return selectTracks(set, (track) => kept.has(classes[track] ?? ''));
  };
  const { embedding, randomTwin, logMel, mfcc } = vectors;
  return { embedding: of(embedding), randomTwin: of(randomTwin), logMel: of(logMel), mfcc: of(mfcc) };
}

/** Two kinds of features side by side, each with the same share in a distance. */
function beside(one: LabelledWindows, other: LabelledWindows): LabelledWindows {
  const dim = one.dim + other.dim;
  const features = new Float32Array(one.count * dim);
  for (const { set, at } of [
    { set: one, at: 0 },
    { set: other, at: one.dim },
  ]) {
    const scale = 1 / Math.sqrt(set.dim);
    set.features.forEach(
      (value, i) => (features[Math.floor(i / set.dim) * dim + at + (i % set.dim)] = value * scale),
    );
  }
  return { ...one, features, dim };
}

function headOf(classes: readonly string[]): { classes: number; asked: number; largestClass: number } {
  const counts = new Map<string, number>();
  for (const name of classes) counts.set(name, (counts.get(name) ?? 0) + 1);
  const largest = Math.max(0, ...counts.values());
  return {
    classes: counts.size,
    asked: classes.length,
    largestClass: round((100 * largest) / Math.max(1, classes.length)),
  };
}

function namesOf(predicted: Uint8Array, labelNames: readonly string[]): string[] {
  const width = labelNames.length;
  return Array.from(
    { length: predicted.length / width },
    (_, row) => labelNames[predicted.subarray(row * width, (row + 1) * width).indexOf(1)] ?? '',
  );
}

function percentRight(answers: readonly string[], classes: readonly string[]): number {
  const right = answers.filter((name, i) => name === classes[i]).length;
  return round((100 * right) / Math.max(1, classes.length));
}
