import { at } from '../numerics/vectors.ts';
import type { Modality } from './kinds.ts';

/** One track of a step: its modalities, whitened, and the class each is taught as. */
export interface SharedItem {
  inputs: Partial<Record<Modality, Float64Array>>;
  labels: Partial<Record<Modality, number>>;
}

/** What is learned. Matrices are `[inputs, dim]`, class vectors `[classes, dim]`; lengths of either do not count. */
export interface SharedWeights {
  matrices: Partial<Record<Modality, Float64Array>>;
  classes: Float64Array;
}

export interface SharedLossSettings {
  dim: number;
  /** s of the cosine softmax. */
  scale: number;
  /** Taken from the cosine to the own class. */
  margin: number;
}

/** A unit vector with the length it had. */
interface Placed {
  unit: Float64Array;
  length: number;
  /** Gradient of the loss by `unit`. */
  slope: Float64Array;
}

/**
 * Loss of the shared classifier (Sari et al. 2021) and its gradients. For every track: the cross-entropy of softmax(s cos(z, w)) of
 * each modality's z, and of the mean (z_a + z_b) / 2 of each two modalities that are taught as one class, all with the same class
 * vectors w. The mean over tracks.
 * @param gradients as `weights`, set to the gradients
 */
export function sharedLoss(
  items: readonly SharedItem[],
  weights: SharedWeights,
  { dim, scale, margin }: SharedLossSettings,
  gradients: SharedWeights,
): number {
  const classes = weights.classes.length / dim;
  const share = 1 / items.length;
  const protos = Array.from({ length: classes }, (_, c) =>
    unitOf(weights.classes.subarray(c * dim, (c + 1) * dim)),
  );
  gradients.classes.fill(0);
  for (const matrix of Object.values(gradients.matrices)) matrix.fill(0);
  const scores = new Float64Array(classes);
  let loss = 0;
  /** Cross-entropy of the mean of some units; its slope goes to them and to the class vectors. */
  const term = (parts: readonly Placed[], label: number): void => {
    const mean = new Float64Array(dim);
    const back = new Float64Array(dim);
    for (const { unit } of parts)
      for (let d = 0; d < dim; d++) mean[d] = at(mean, d) + at(unit, d) / parts.length;
    let most = -Infinity;
    for (let c = 0; c < classes; c++) {
      const { unit } = protos[c] as Placed;
      let cosine = 0;
      for (let d = 0; d < dim; d++) cosine += at(mean, d) * at(unit, d);
      scores[c] = scale * (cosine - (c === label ? margin : 0));
      most = Math.max(most, at(scores, c));
    }
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(at(scores, c) - most);
    loss += share * (most + Math.log(sum) - at(scores, label));
    for (let c = 0; c < classes; c++) {
      const { unit, slope } = protos[c] as Placed;
      const pull = share * scale * (Math.exp(at(scores, c) - most) / sum - (c === label ? 1 : 0));
      for (let d = 0; d < dim; d++) {
        back[d] = at(back, d) + pull * at(unit, d);
        slope[d] = at(slope, d) + pull * at(mean, d);
      }
    }
    for (const { slope } of parts)
      for (let d = 0; d < dim; d++) slope[d] = at(slope, d) + at(back, d) / parts.length;
  };
  for (const { inputs, labels } of items) {
    const placed: { of: Modality; input: Float64Array; at: Placed; label: number }[] = [];
    for (const [of, input] of Object.entries(inputs) as [Modality, Float64Array][]) {
      const matrix = weights.matrices[of];
      const label = labels[of];
      if (!matrix || label === undefined) continue;
      placed.push({ of, input, at: unitOf(multiply(input, matrix, dim)), label });
    }
    placed.forEach((own, i) => {
      term([own.at], own.label);
      for (const other of placed.slice(i + 1))
        if (other.label === own.label) term([own.at, other.at], own.label);
    });
    for (const own of placed) {
      const gradient = gradients.matrices[own.of];
      const back = throughLength(own.at);
      if (!gradient) continue;
      for (let k = 0; k < own.input.length; k++)
        for (let d = 0; d < dim; d++)
          gradient[k * dim + d] = at(gradient, k * dim + d) + at(own.input, k) * at(back, d);
    }
  }
  protos.forEach((proto, c) => gradients.classes.set(throughLength(proto), c * dim));
  return loss;
}

/** `[inputs]` times `[inputs, dim]`. */
function multiply(input: Float64Array, matrix: Float64Array, dim: number): Float64Array {
  const out = new Float64Array(dim);
  for (let k = 0; k < input.length; k++) {
    const value = at(input, k);
    for (let d = 0; d < dim; d++) out[d] = at(out, d) + value * at(matrix, k * dim + d);
  }
  return out;
}

function unitOf(vector: Float64Array): Placed {
  let squares = 1e-24;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return { unit: vector.map((value) => value / length), length, slope: new Float64Array(vector.length) };
}

/** The slope by what was brought to length 1: what would only change its length does not count. */
function throughLength({ unit, length, slope }: Placed): Float64Array {
  let along = 0;
  for (let d = 0; d < unit.length; d++) along += at(unit, d) * at(slope, d);
  return slope.map((value, d) => (value - along * at(unit, d)) / length);
}
