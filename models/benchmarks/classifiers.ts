import { predictLpKnn } from '../knn/index.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../pecmae/trainer.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { poolTracks } from '../embeddings/pooling.ts';
import { borneLabels, classOfTracks, selectTracks, withLabels } from '../embeddings/tracks.ts';
import type { Trial } from './protocols.ts';

/** kNN with five neighbours on sound vectors, or a prototype network on windows. */
export type ScoredClassifier = { kind: 'knn'; k: number } | { kind: 'pecmae'; prototypesPerClass: number };

/** The classifiers of the quality card. */
export const scoredClassifiers: readonly ScoredClassifier[] = [
  { kind: 'knn', k: 5 },
  ...[1, 3, 5, 10].map((prototypesPerClass) => ({ kind: 'pecmae', prototypesPerClass }) as const),
];

/** Share of right answers over all test sounds of the trials, in per cent. */
export async function accuracyOf(
  classifier: ScoredClassifier,
  trials: readonly Trial[],
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<number> {
  let [right, asked] = [0, 0];
  for (const trial of trials) {
    signal.throwIfAborted();
    const { train, test } = standardised(trial);
    const answers =
      classifier.kind === 'knn'
        ? await nearestClasses(train, test, classifier.k, signal)
        : await networkClasses(train, test, classifier.prototypesPerClass, seed, signal);
    classOfTracks(test).forEach((name, i) => (right += answers[i] === name ? 1 : 0));
    asked += test.tracks.ids.length;
  }
  return (100 * right) / asked;
}

/** Both sides in units of the training windows' mean and deviation: the same treatment for every kind of features. */
export function standardised({ train, test }: Trial): Trial {
  const { dim, count } = train;
  const mean = new Float64Array(dim);
  const deviation = new Float64Array(dim);
  train.features.forEach((value, i) => (mean[i % dim] = (mean[i % dim] ?? 0) + value / count));
  train.features.forEach((value, i) => {
    const d = i % dim;
    deviation[d] = (deviation[d] ?? 0) + (value - (mean[d] ?? 0)) ** 2 / count;
  });
  const scale = deviation.map((variance) => (variance > 0 ? 1 / Math.sqrt(variance) : 0));
  const apply = (side: LabelledWindows): LabelledWindows => ({
    ...side,
    features: side.features.map((value, i) => (value - (mean[i % dim] ?? 0)) * (scale[i % dim] ?? 0)),
  });
  return { train: apply(train), test: apply(test) };
}

async function nearestClasses(
  train: LabelledWindows,
  test: LabelledWindows,
  k: number,
  signal: AbortSignal,
): Promise<string[]> {
  const known = poolTracks(train);
  const asked = poolTracks(test);
  const predicted = await predictLpKnn(known, asked, { k: Math.min(k, known.count), signal });
  const width = known.labelNames.length;
  return asked.tracks.ids.map((_, track) => {
    const row = predicted.subarray(track * width, (track + 1) * width);
    return known.labelNames[row.indexOf(1)] ?? '';
  });
}

async function networkClasses(
  train: LabelledWindows,
  test: LabelledWindows,
  prototypesPerClass: number,
  seed: number,
  signal: AbortSignal,
): Promise<string[]> {
  const set = trainingSet(train);
  const { network } = await trainPrototypeNetwork(
    set,
    null,
    { ...defaultTrainParameters, prototypesPerClass, seed },
    { signal },
  );
  return test.tracks.ids.map((_, track) => {
    const { features, count } = selectTracks(test, (other) => other === track);
    return set.labelNames[network.classify(features, count).prediction] ?? '';
  });
}

/** A collection as training data of a prototype network, whose classes are those that occur. */
export function trainingSet(collection: LabelledWindows): LabelledWindows {
  return withLabels(collection, borneLabels(collection));
}
