import type { GraphBuilder, Value } from '../onnx/builder.ts';

/** How a window is compared with a prototype; the product uses `l2`, the others exist in the reference code. */
export type SimilarityKind = 'l2' | 'l1' | 'info_nce';

/** Distances and similarities in a graph, and how gradients flow back to the prototypes. */
export interface DistanceGraph {
  /** [B, K] */
  distance: Value;
  /** [B, K] */
  similarity: Value;
  /** Gradients, given those of `distance` and `similarity`, both [B, K]. */
  backward: (gDistance: Value, gSimilarity: Value) => DistanceGradients;
}

/** Gradients of what windows are compared with. */
export interface DistanceGradients {
  /** [K, D] */
  prototypes: Value;
  /** [K, D], of the scores of the channels; null where all count the same. */
  channels: Value | null;
}

/** torch's `cosine_similarity` floor for a vector's length. */
const COSINE_EPSILON = 1e-8;

/**
 * Compares every row of `x` [B, D] with every row of `p` [K, D] (FORMATS.md §d):
 * `l2`: d = mean w·(x − p)², S = exp(−d), where w = D·softmax(`channels`) [K, D],
 * or 1 without these · `l1`: d = mean |x − p|, S = exp(−d) · `info_nce`: S = cosine, d = exp(−S).
 */
export function distanceGraph(
  g: GraphBuilder,
  kind: SimilarityKind,
  x: Value,
  p: Value,
  dim: number,
  channels: Value | null = null,
): DistanceGraph {
  if (channels && kind !== 'l2') throw new RangeError(`channels have weights in l2 only, not in ${kind}`);
  if (kind === 'info_nce') return cosineGraph(g, x, p);
  const { distance, backward } = channels
    ? weightedGraph(g, x, p, channels, dim)
    : alike(kind === 'l2' ? squaredGraph(g, x, p, dim) : absoluteGraph(g, x, p, dim));
  const similarity = g.exp(g.neg(distance));
  return {
    distance,
    similarity,
    backward: (gDistance, gSimilarity) => backward(g.sub(gDistance, g.mul(gSimilarity, similarity))),
  };
}

interface Comparison {
  distance: Value;
  /** Gradient of the prototypes. */
  backward: (gDistance: Value) => Value;
}

/** A comparison in which all channels count the same. */
function alike({ distance, backward }: Comparison) {
  return {
    distance,
    backward: (gDistance: Value): DistanceGradients => ({ prototypes: backward(gDistance), channels: null }),
  };
}

/** |x|² + |p|² − 2x·p as one matrix product: normalised embeddings keep the cancellation below 1e-6. */
function squaredGraph(g: GraphBuilder, x: Value, p: Value, dim: number): Comparison {
  const xx = g.reduceMean(g.mul(x, x), [-1], true);
  const pp = g.transpose(g.reduceMean(g.mul(p, p), [-1], true), [1, 0]);
  const xp = g.mul(g.gemm(x, p, { transB: true }), 2 / dim);
  return {
    distance: g.max(g.sub(g.add(xx, pp), xp), 0),
    backward: (gDistance) => {
      const perPrototype = g.transpose(g.reduceSum(gDistance, [0], true), [1, 0]);
      const pull = g.sub(g.mul(p, perPrototype), g.gemm(gDistance, x, { transA: true }));
      return g.mul(pull, 2 / dim);
    },
  };
}

/**
 * The squared comparison with a weight w ≥ 0 for every number of every prototype; w = D·softmax(scores), so that weights are
 * 1 in the mean and distances stay of one size.
 */
function weightedGraph(g: GraphBuilder, x: Value, p: Value, scores: Value, dim: number) {
  const w = g.mul(g.softmax(scores, -1), dim);
  const [squares, wp] = [g.mul(x, x), g.mul(w, p)];
  const xx = g.mul(g.gemm(squares, w, { transB: true }), 1 / dim);
  const pp = g.transpose(g.reduceMean(g.mul(wp, p), [-1], true), [1, 0]);
  const xp = g.mul(g.gemm(x, wp, { transB: true }), 2 / dim);
  return {
    distance: g.max(g.sub(g.add(xx, pp), xp), 0),
    backward: (gDistance: Value): DistanceGradients => {
      const perPrototype = g.transpose(g.reduceSum(gDistance, [0], true), [1, 0]);
      const towards = g.gemm(gDistance, x, { transA: true });
      const pull = g.sub(g.mul(p, perPrototype), towards);
      // Σ_b g·(x − p)², the derivative by w but for 1/D; then through the softmax.
      const spread = g.add(
        g.gemm(gDistance, squares, { transA: true }),
        g.mul(p, g.sub(g.mul(p, perPrototype), g.mul(towards, 2))),
      );
      const gWeights = g.mul(spread, 1 / dim);
      const mean = g.reduceMean(g.mul(w, gWeights), [-1], true);
      return {
        prototypes: g.mul(g.mul(w, pull), 2 / dim),
        channels: g.mul(w, g.sub(gWeights, mean)),
      };
    },
  };
}

function absoluteGraph(g: GraphBuilder, x: Value, p: Value, dim: number): Comparison {
  const difference = g.sub(g.unsqueeze(p, [0]), g.unsqueeze(x, [1]));
  return {
    distance: g.reduceMean(g.abs(difference), [-1], false),
    backward: (gDistance) => {
      const pull = g.mul(g.sign(difference), g.unsqueeze(gDistance, [2]));
      return g.mul(g.reduceSum(pull, [0], false), 1 / dim);
    },
  };
}

function cosineGraph(g: GraphBuilder, x: Value, p: Value): DistanceGraph {
  const length = (v: Value): Value => g.max(g.sqrt(g.reduceSum(g.mul(v, v), [-1], true)), COSINE_EPSILON);
  const xUnit = g.div(x, length(x));
  const pLength = length(p);
  const pUnit = g.div(p, pLength);
  const similarity = g.gemm(xUnit, pUnit, { transB: true });
  const distance = g.exp(g.neg(similarity));
  return {
    distance,
    similarity,
    backward: (gDistance, gSimilarity) => {
      const total = g.sub(gSimilarity, g.mul(gDistance, distance));
      const along = g.transpose(g.reduceSum(g.mul(total, similarity), [0], true), [1, 0]);
      const pull = g.sub(g.gemm(total, xUnit, { transA: true }), g.mul(pUnit, along));
      return { prototypes: g.div(pull, pLength), channels: null };
    },
  };
}
