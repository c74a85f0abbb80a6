import { PrototypeError } from './errors.ts';
import { normalisationOf, normalise, type Normalisation } from './normalisation.ts';
import type { TrainingData } from './training-session.ts';

/** Labelled embeddings: n windows, D numbers each, C classes. */
export interface TrainingSet {
  /** [n, D] as the encoder gave them. */
  embeddings: Float32Array;
  count: number;
  dim: number;
  /** [n, C], 0 or 1; exactly one 1 per row in a single-label task. */
  labels: Uint8Array;
  classes: string[];
}

/** Windows of each class. */
export type ClassRows = Int32Array[];

/**
 * Checks a training set.
 * @returns the rows of each class.
 * @throws PrototypeError `shape`, `labels` (naming the row) or `empty-class` (naming the class).
 */
export function classRows(set: TrainingSet, task: 'single' | 'multi'): ClassRows {
  checkShape(set);
  const c = set.classes.length;
  const rows = set.classes.map((): number[] => []);
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
      `the class ${set.classes[empty] ?? ''} has no window to learn from`,
      'Label at least one track of that class for training, or leave the class out.',
    );
  }
  return rows.map((members) => Int32Array.from(members));
}

/** Normalisation of a training set. @throws PrototypeError `not-finite` naming the row. */
export function fitNormalisation(set: TrainingSet): Normalisation {
  return normalisationOf(set.embeddings, set.count, set.dim);
}

/** The set as ONNX Runtime takes it: normalised, labels as floats. */
export function prepare(set: TrainingSet, normalisation: Normalisation): TrainingData {
  return { x: normalise(set.embeddings, normalisation), y: Float32Array.from(set.labels) };
}

/**
 * Checks a validation set against the training set.
 * @throws PrototypeError `shape`, or `not-finite` naming the row.
 */
export function checkValidation(set: TrainingSet & { trackOf: Int32Array }, train: TrainingSet): void {
  checkShape(set);
  const same = set.dim === train.dim && set.classes.join('\0') === train.classes.join('\0');
  if (!same || set.trackOf.length !== set.count) {
    throw new PrototypeError(
      'shape',
      'the validation set does not fit the training set',
      'Use the same pack and the same classes for both, and one track per window.',
    );
  }
  const bad = set.embeddings.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new PrototypeError(
      'not-finite',
      `validation embedding ${Math.floor(bad / set.dim)} holds a value that is not a finite number`,
      'Compute the embedding of that window again.',
    );
  }
}

function checkShape({ embeddings, count, dim, labels, classes }: TrainingSet): void {
  const fits = embeddings.length === count * dim && labels.length === count * classes.length;
  if (count < 1 || dim < 1 || classes.length < 1 || !fits) {
    throw new PrototypeError(
      'shape',
      `${embeddings.length} numbers and ${labels.length} labels are not ${count} windows of ${dim} numbers and ${classes.length} classes`,
      'Check how the training set was put together.',
    );
  }
}
