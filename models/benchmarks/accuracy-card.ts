import { accuracyOf, scoredClassifiers, type ScoredClassifier } from './classifiers.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { crossCollection, leaveOneGroupOut, withinCollection, type Trial } from './protocols.ts';
import { spreadOf, type Spread } from './summary.ts';

/** The kinds of features that are compared; all go through the same trials. */
export type FeatureKind = 'embedding' | 'randomTwin' | 'logMel' | 'mfcc';
/** One collection seen through each kind of features, window by window the same. */
export type Views = Readonly<Record<FeatureKind, LabelledWindows>>;

/** Accuracy in per cent by classifier (`knn5`, `pecmae1` …) and kind of features. */
export type AccuracyTable = Record<string, Record<FeatureKind, Spread>>;

/** How trials are made of the views' collections. */
export type Protocol =
  | { kind: 'within'; collection: Views }
  | { kind: 'cross'; from: Views; to: Views }
  | { kind: 'leave-one-group-out'; collection: Views };

const KINDS: readonly FeatureKind[] = ['embedding', 'randomTwin', 'logMel', 'mfcc'];

/**
 * Every classifier on every kind of features, once per seed. The seed draws the trials and starts the networks, so all
 * kinds of features answer the same questions.
 */
export async function accuracyTable(
  protocol: Protocol,
  seeds: readonly number[],
  options: { signal: AbortSignal; classifiers?: readonly ScoredClassifier[]; onProgress?: () => void },
): Promise<AccuracyTable> {
  const table: AccuracyTable = {};
  for (const classifier of options.classifiers ?? scoredClassifiers) {
    // One network per album, kind of features and seed would take hours.
    if (protocol.kind === 'leave-one-group-out' && classifier.kind !== 'knn') continue;
    const row: Partial<Record<FeatureKind, Spread>> = {};
    for (const kind of KINDS) {
      const values: number[] = [];
      for (const seed of seeds) {
        const trials = trialsOf(protocol, kind, seed);
        // Networks are trained once per seed, on four fifths: five seeds hold out five different parts.
        const asked = classifier.kind === 'knn' || protocol.kind !== 'within' ? trials : trials.slice(0, 1);
        values.push(await accuracyOf(classifier, asked, { seed, ...options }));
        options.onProgress?.();
      }
      row[kind] = spreadOf(values);
    }
    table[nameOf(classifier)] = row as Record<FeatureKind, Spread>;
  }
  return table;
}

/** Key of a classifier in the card. */
export function nameOf(classifier: ScoredClassifier): string {
  return classifier.kind === 'knn' ? `knn${classifier.k}` : `pecmae${classifier.prototypesPerClass}`;
}

function trialsOf(protocol: Protocol, kind: FeatureKind, seed: number): Trial[] {
  switch (protocol.kind) {
    case 'within':
      return withinCollection(protocol.collection[kind], seed);
    case 'cross':
      return crossCollection(protocol.from[kind], protocol.to[kind], seed);
    case 'leave-one-group-out':
      return leaveOneGroupOut(protocol.collection[kind]);
  }
}
