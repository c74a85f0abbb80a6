/**
 * Weights of channels `[K, dim]` from their scores: `dim`·softmax of each row, so that they are 1 in the mean. The same as in the
 * training graph, in float64.
 */
export function channelWeightsOf(scores: Float32Array, dim: number): Float32Array {
  const weights = new Float32Array(scores.length);
  for (let row = 0; row < scores.length; row += dim) {
    const own = scores.subarray(row, row + dim);
    const top = own.reduce((most, score) => Math.max(most, score), -Infinity);
    const exponentials = Array.from(own, (score) => Math.exp(score - top));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    exponentials.forEach((value, e) => (weights[row + e] = (dim * value) / total));
  }
  return weights;
}

/** Keeps the logarithm of a weight of 0 finite. */
const LEAST = 1e-6;

/** Scores that give these weights, to rounding. */
export function channelScoresOf(weights: Float32Array): Float32Array {
  return weights.map((weight) => Math.log(Math.max(weight, LEAST)));
}
