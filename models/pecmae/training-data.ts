import { PrototypeError } from './errors.ts';
import { normalisationOf, normalise, type Normalisation } from './normalisation.ts';
import type { LabelledVectors, LabelledWindows } from '../embeddings/labelled-vectors.ts';
import type { TrainingData } from './training-session.ts';

/** Windows to learn from; exactly one label per row in a single-label task. */
export type TrainingSet = LabelledVectors<Float32Array>;

/** Windows of each class. */
export type ClassRows = Int32Array[];

/**
 * Checks a training set.
 * @returns the rows of each class.
 * @throws PrototypeError `shape`, `labels` (naming the row) or `empty-class` (naming the class).
 */
export function classRows(set: TrainingSet, task: 'single' | 'multi'): ClassRows {
  checkShape(set);
  const c = set.labelNames.length;
  const rows = set.labelNames.map((): number[] => []);
  for (let row = 0; row < set.count; row++) {
    let positive = 0;
    rows.forEach((members, classIndex) => {
      if (set.labels[row * c + classIndex] !== 1) return;
      positive += 1;
      members.push(row);
    });
    if (task === 'single' && positive !== 1) {
      throw new PrototypeError(
        'labels',
        `window ${row} has ${positive} classes in a single-label task`,
        'Give every window exactly one class, or train a multilabel network.',
      );
    }
  }
  const empty = rows.findIndex((members) => members.length === 0);
  if (empty >= 0) {
    throw new PrototypeError(
      'empty-class',
      `the class ${set.labelNames[empty] ?? ''} has no window to learn from`,
      'Label at least one track of that class for training, or leave the class out.',
    );
  }
  return rows.map((members) => Int32Array.from(members));
}

/** Normalisation of a training set. @throws PrototypeError `not-finite` naming the row. */
export function fitNormalisation(set: TrainingSet): Normalisation {
  return normalisationOf(set.features, set.count, set.dim);
}

/** The set as ONNX Runtime takes it: normalised, labels as floats. */
export function prepare(set: TrainingSet, normalisation: Normalisation): TrainingData {
  return { x: normalise(set.features, normalisation), y: Float32Array.from(set.labels) };
}

/**
 * Checks a validation set against the training set.
 * @throws PrototypeError `shape`, or `not-finite` naming the row.
 */
export function checkValidation(set: LabelledWindows, train: TrainingSet): void {
  checkShape(set);
  const same = set.dim === train.dim && set.labelNames.join('\0') === train.labelNames.join('\0');
  if (!same || set.tracks.of.length !== set.count) {
    throw new PrototypeError(
      'shape',
      'the validation set does not fit the training set',
      'Use the same pack and the same classes for both, and one track per window.',
    );
  }
  const bad = set.features.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new PrototypeError(
      'not-finite',
      `validation embedding ${Math.floor(bad / set.dim)} holds a value that is not a finite number`,
      'Compute the embedding of that window again.',
    );
  }
}

function checkShape({ features, count, dim, labels, labelNames }: TrainingSet): void {
  const fits = features.length === count * dim && labels.length === count * labelNames.length;
  if (count < 1 || dim < 1 || labelNames.length < 1 || !fits) {
    throw new PrototypeError(
      'shape',
      `${features.length} numbers and ${labels.length} labels are not ${count} windows of ${dim} numbers and ${labelNames.length} classes`,
      'Check how the training set was put together.',
    );
  }
}
