import type { Contribution } from '../api/classify.ts';

/** Every class with logit and probability, by descending logit. */
export function classScores(
  classes: readonly string[],
  { logits, probabilities }: { logits: Float32Array; probabilities: Float32Array },
): { class: string; logit: number; probability: number }[] {
  return classes
    .map((name, c) => ({ class: name, logit: logits[c] ?? 0, probability: probabilities[c] ?? 0 }))
    .sort((a, b) => b.logit - a.logit);
}

/** Contributions as the network gives them (largest magnitude first), with class names for class indices. */
export function namedContributions(
  classes: readonly string[],
  contributions: readonly (Omit<Contribution, 'prototypeClass'> & { prototypeClass: number })[],
): Contribution[] {
  return contributions.map((contribution) => ({
    ...contribution,
    prototypeClass: classes[contribution.prototypeClass] ?? '',
  }));
}

/** Index of the largest number, the first on ties. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}
