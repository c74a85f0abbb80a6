/**
 * Coefficient of determination: 1 exact, 0 no better than the mean of the truth, below 0 worse.
 * @returns null where fewer than two values are known, or all of them are alike
 */
export function r2(truth: readonly number[], predicted: readonly number[]): number | null {
  if (truth.length < 2) return null;
  const mean = truth.reduce((a, b) => a + b, 0) / truth.length;
  const total = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (total <= 1e-12 * truth.length * (1 + mean * mean)) return null;
  return 1 - truth.reduce((sum, value, i) => sum + (value - (predicted[i] ?? NaN)) ** 2, 0) / total;
}

/** Mean absolute error; null of nothing. */
export function meanAbsoluteError(truth: readonly number[], predicted: readonly number[]): number | null {
  if (truth.length === 0) return null;
  return truth.reduce((sum, value, i) => sum + Math.abs(value - (predicted[i] ?? NaN)), 0) / truth.length;
}
