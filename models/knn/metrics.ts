import { ReductionError } from './errors.ts';
import { at } from './vectors.ts';

/** Multilabel scores in 0..1; every undefined ratio counts as 0 (golden/multilabel/SPEC.md §8). */
export interface MultilabelMetrics {
  /** Share of wrong cells. Lower is better. */
  hammingLoss: number;
  /** Share of rows whose whole labelset is right. */
  exactMatch: number;
  /** Mean over rows of |T∩P| / |T∪P| (jaccard, samples). */
  accuracy: number;
  f1Samples: number;
  f1Micro: number;
  /** Plain mean over all labels; a label absent from truth and prediction adds 0. */
  f1Macro: number;
  jaccardMicro: number;
  jaccardMacro: number;
  /** Label-ranking loss fed the hard 0/1 predictions as scores. Lower is better. */
  rankingLossHard: number;
}

const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);

/**
 * Scores of 0/1 predictions.
 * @param truth `[count, labels]` · @param predicted `[count, labels]`
 * @throws ReductionError `empty` without rows or labels, `shape` when sizes disagree.
 */
export function multilabelMetrics(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  labels: number,
): MultilabelMetrics {
  if (count < 1 || labels < 1)
    throw new ReductionError('empty', 'There is nothing to score.', 'Give at least one row and one label.');
  if (truth.length !== count * labels || predicted.length !== count * labels)
    throw new ReductionError('shape', 'Truth and prediction differ in size.', 'Predict every test row.');
  const both = new Float64Array(labels);
  const trueOf = new Float64Array(labels);
  const predictedOf = new Float64Array(labels);
  let wrong = 0;
  let exact = 0;
  let accuracy = 0;
  let f1 = 0;
  let ranking = 0;
  for (let row = 0; row < count; row++) {
    let t = 0;
    let p = 0;
    let hit = 0;
    for (let l = 0; l < labels; l++) {
      const isTrue = at(truth, row * labels + l);
      const isPredicted = at(predicted, row * labels + l);
      const isBoth = isTrue & isPredicted;
      t += isTrue;
      p += isPredicted;
      hit += isBoth;
      trueOf[l] = at(trueOf, l) + isTrue;
      predictedOf[l] = at(predictedOf, l) + isPredicted;
      both[l] = at(both, l) + isBoth;
    }
    const misses = t + p - 2 * hit;
    wrong += misses;
    if (misses === 0) exact++;
    accuracy += ratio(hit, t + p - hit);
    f1 += ratio(2 * hit, t + p);
    const irrelevant = labels - t;
    // Badly ordered pairs: every pair of a missed relevant label, and found relevant × wrongly predicted ones.
    ranking += ratio((t - hit) * irrelevant + hit * (p - hit), t * irrelevant);
  }
  const pooled = { both: 0, sum: 0 };
  let f1Macro = 0;
  let jaccardMacro = 0;
  for (let l = 0; l < labels; l++) {
    const sum = at(trueOf, l) + at(predictedOf, l);
    pooled.both += at(both, l);
    pooled.sum += sum;
    f1Macro += ratio(2 * at(both, l), sum);
    jaccardMacro += ratio(at(both, l), sum - at(both, l));
  }
  return {
    hammingLoss: wrong / (count * labels),
    exactMatch: exact / count,
    accuracy: accuracy / count,
    f1Samples: f1 / count,
    f1Micro: ratio(2 * pooled.both, pooled.sum),
    f1Macro: f1Macro / labels,
    jaccardMicro: ratio(pooled.both, pooled.sum - pooled.both),
    jaccardMacro: jaccardMacro / labels,
    rankingLossHard: ranking / count,
  };
}
