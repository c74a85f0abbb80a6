import { predictLpKnn } from '../knn/index.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../pecmae/trainer.ts';
import { classesOf, soundVectors, type Represented } from './collection.ts';
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
    test.sounds.forEach((sound, i) => (right += answers[i] === sound.class ? 1 : 0));
    asked += test.sounds.length;
  }
  return (100 * right) / asked;
}

/** Both sides in units of the training windows' mean and deviation: the same treatment for every kind of features. */
function standardised({ train, test }: Trial): Trial {
  const { dim } = train;
  const count = train.windows.length / dim;
  const mean = new Float64Array(dim);
  const deviation = new Float64Array(dim);
  train.windows.forEach((value, i) => (mean[i % dim] = (mean[i % dim] ?? 0) + value / count));
  train.windows.forEach((value, i) => {
    const d = i % dim;
    deviation[d] = (deviation[d] ?? 0) + (value - (mean[d] ?? 0)) ** 2 / count;
  });
  const scale = deviation.map((variance) => (variance > 0 ? 1 / Math.sqrt(variance) : 0));
  const apply = (side: Represented): Represented => ({
    ...side,
    windows: side.windows.map((value, i) => (value - (mean[i % dim] ?? 0)) * (scale[i % dim] ?? 0)),
  });
  return { train: apply(train), test: apply(test) };
}

async function nearestClasses(
  train: Represented,
  test: Represented,
  k: number,
  signal: AbortSignal,
): Promise<string[]> {
  const classes = classesOf(train);
  const set = {
    features: soundVectors(train),
    count: train.sounds.length,
    dim: train.dim,
    labels: oneHot(
      train.sounds.map((sound) => classes.indexOf(sound.class)),
      classes.length,
    ),
    labelNames: classes,
  };
  const predicted = await predictLpKnn(
    set,
    { features: soundVectors(test), count: test.sounds.length },
    { k: Math.min(k, set.count), signal },
  );
  return test.sounds.map((_, i) => {
    const row = predicted.subarray(i * classes.length, (i + 1) * classes.length);
    return classes[row.indexOf(1)] ?? '';
  });
}

async function networkClasses(
  train: Represented,
  test: Represented,
  prototypesPerClass: number,
  seed: number,
  signal: AbortSignal,
): Promise<string[]> {
  const classes = classesOf(train);
  const { network } = await trainPrototypeNetwork(
    trainingSet(train, classes),
    null,
    { ...defaultTrainParameters, prototypesPerClass, seed },
    { signal },
  );
  return test.sounds.map((_, sound) => {
    const rows = Array.from(test.soundOf.keys()).filter((row) => test.soundOf[row] === sound);
    const windows = new Float32Array(rows.length * test.dim);
    rows.forEach((row, i) =>
      windows.set(test.windows.subarray(row * test.dim, (row + 1) * test.dim), i * test.dim),
    );
    return classes[network.classify(windows, rows.length).prediction] ?? '';
  });
}

/** Every window of a collection as training data of a prototype network. */
export function trainingSet(collection: Represented, classes: string[]) {
  const labels = Array.from(collection.soundOf, (sound) =>
    classes.indexOf(collection.sounds[sound]?.class ?? ''),
  );
  return {
    embeddings: collection.windows,
    count: labels.length,
    dim: collection.dim,
    labels: oneHot(labels, classes.length),
    classes,
  };
}

function oneHot(rows: readonly number[], width: number): Uint8Array {
  const out = new Uint8Array(rows.length * width);
  rows.forEach((column, row) => (out[row * width + column] = 1));
  return out;
}
