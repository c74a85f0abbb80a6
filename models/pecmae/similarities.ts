import type { Normalisation } from './normalisation.ts';

/** Prototypes that are compared at once: four sums that do not wait for each other. */
const GROUP = 4;

/** Prototypes laid out for comparison: component by component, four prototypes side by side. */
export interface PackedPrototypes {
  count: number;
  dim: number;
  /** `[⌈count/4⌉, dim, 4]`, zeros where there is none: p, or w·p where channels have weights. */
  groups: Float64Array;
  /** `[4·⌈count/4⌉]`: Σ w·p² */
  squares: Float64Array;
  /** Weights w of the channels, laid out as `groups`; null: all are 1. */
  channels: Float64Array | null;
}

/** @param prototypes `[K, dim]`, normalised as embeddings are; @param weights `[K, dim]` of their channels, or null for 1 */
export function packPrototypes(
  prototypes: Float32Array,
  dim: number,
  weights: Float32Array | null = null,
): PackedPrototypes {
  const count = prototypes.length / dim;
  const padded = GROUP * Math.ceil(count / GROUP);
  const groups = new Float64Array(padded * dim);
  const squares = new Float64Array(padded);
  const channels = weights && new Float64Array(padded * dim);
  for (let k = 0; k < count; k++) {
    const inGroup = k % GROUP;
    let square = 0;
    for (let e = 0; e < dim; e++) {
      const value = prototypes[k * dim + e] as number;
      const weight = weights ? (weights[k * dim + e] as number) : 1;
      const place = (k - inGroup) * dim + e * GROUP + inGroup;
      groups[place] = weight * value;
      if (channels) channels[place] = weight;
      square += weight * value * value;
    }
    squares[k] = square;
  }
  return { count, dim, groups, squares, channels };
}

/**
 * exp(−mean (weighted) squared difference) of every embedding with every prototype, by |x|² + |p|² − 2x·p in float64: embeddings
 * are normalised to about unit size, so that nothing that matters cancels (1e-15 of the direct differences), and a product
 * takes less than half their time.
 * @param z `[n, dim]` as the encoder gave them; @returns `[n, K]`
 */
export function similarityMatrix(
  z: Float32Array,
  prototypes: PackedPrototypes,
  { mean, scale }: Normalisation,
): Float64Array {
  const { count, dim, groups, squares, channels } = prototypes;
  const n = z.length / dim;
  const result = new Float64Array(n * count);
  const x = new Float64Array(dim);
  const products = new Float64Array(squares.length);
  const xx = channels && new Float64Array(dim);
  const own = channels && new Float64Array(squares.length);
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let e = 0; e < dim; e++) {
      const value = ((z[i * dim + e] as number) - mean) / scale;
      x[e] = value;
      if (xx) xx[e] = value * value;
      square += value * value;
    }
    multiply(x, groups, products);
    if (channels && xx && own) multiply(xx, channels, own);
    for (let k = 0; k < count; k++) {
      const distance =
        (own ? (own[k] as number) : square) + (squares[k] as number) - 2 * (products[k] as number);
      result[i * count + k] = Math.exp(-Math.max(0, distance) / dim);
    }
  }
  return result;
}

/** x·p for all prototypes. Elements are read in place: this is the inner loop of training and classifying. */
function multiply(x: Float64Array, groups: Float64Array, products: Float64Array): void {
  const dim = x.length;
  let at = 0;
  for (let k = 0; k < products.length; k += GROUP) {
    let p0 = 0;
    let p1 = 0;
    let p2 = 0;
    let p3 = 0;
    for (let e = 0; e < dim; e++, at += GROUP) {
      const value = x[e] as number;
      p0 += value * (groups[at] as number);
      p1 += value * (groups[at + 1] as number);
      p2 += value * (groups[at + 2] as number);
      p3 += value * (groups[at + 3] as number);
    }
    products[k] = p0;
    products[k + 1] = p1;
    products[k + 2] = p2;
    products[k + 3] = p3;
  }
}
