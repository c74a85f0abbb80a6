/** Where nothing better is known a label is predicted from this probability on. */
export const DEFAULT_THRESHOLD = 0.5;

/** With fewer tracks that bear a label, and as few that do not, a threshold would be fitted to chance. */
const LEAST = 3;

/**
 * For every label the probability from which on predicting it gives the best F1 on these rows (“SCut”; Yang, A study of
 * thresholding strategies for text categorization, SIGIR 2001). A threshold lies halfway between two neighbouring
 * probabilities; among thresholds of equal F1 the one nearest to ½ is taken.
 * @param truth `[count, labels]`, 0 or 1 · @param probabilities `[count, labels]`, 0…1
 * @returns one threshold per label, in (0, 1); null for a label that fewer than 3 rows bear, or fewer than 3 lack
 */
export function chooseThresholds(
  truth: Uint8Array,
  probabilities: Float32Array,
  count: number,
  labels: number,
): (number | null)[] {
  return Array.from({ length: labels }, (_, label) => {
    const rows = Array.from({ length: count }, (_, row) => ({
      probability: probabilities[row * labels + label] ?? 0,
      bears: truth[row * labels + label] === 1,
    }));
    const support = rows.filter(({ bears }) => bears).length;
    return support < LEAST || count - support < LEAST ? null : bestThreshold(rows, support);
  });
}

function bestThreshold(rows: { probability: number; bears: boolean }[], support: number): number {
  rows.sort((a, b) => b.probability - a.probability);
  let best = { threshold: DEFAULT_THRESHOLD, f1: -1 };
  let hits = 0;
  for (const [i, { probability, bears }] of rows.entries()) {
    hits += bears ? 1 : 0;
    const next = rows[i + 1]?.probability ?? 0;
    if (next === probability) continue;
    const threshold = nearestToHalf(next, probability);
    const f1 = (2 * hits) / (support + i + 1);
    const nearer = Math.abs(threshold - DEFAULT_THRESHOLD) < Math.abs(best.threshold - DEFAULT_THRESHOLD);
    if (f1 > best.f1 || (f1 === best.f1 && nearer)) best = { threshold, f1 };
  }
  return best.threshold;
}

/** ½ where it lies between two probabilities, since every threshold between them decides alike; else their middle. */
function nearestToHalf(low: number, high: number): number {
  return low < DEFAULT_THRESHOLD && DEFAULT_THRESHOLD <= high ? DEFAULT_THRESHOLD : (low + high) / 2;
}
