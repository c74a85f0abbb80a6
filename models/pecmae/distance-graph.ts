import type { GraphBuilder, Value } from '../onnx/builder.ts';

/** How a window is compared with a prototype; the product uses `l2`, the others exist in the reference code. */
export type SimilarityKind = 'l2' | 'l1' | 'info_nce';

/** Distances and similarities in a graph, and how gradients flow back to the prototypes. */
export interface DistanceGraph {
  /** [B, K] */
  distance: Value;
  /** [B, K] */
  similarity: Value;
  /** Gradient of the prototypes [K, D], given those of `distance` and `similarity`, both [B, K]. */
  backward: (gDistance: Value, gSimilarity: Value) => Value;
}

/** torch's `cosine_similarity` floor for a vector's length. */
const COSINE_EPSILON = 1e-8;

/**
 * Compares every row of `x` [B, D] with every row of `p` [K, D] (FORMATS.md §d):
 * `l2`: d = mean (x − p)², S = exp(−d) · `l1`: d = mean |x − p|, S = exp(−d) · `info_nce`: S = cosine, d = exp(−S).
 */
export function distanceGraph(
  g: GraphBuilder,
  kind: SimilarityKind,
  x: Value,
  p: Value,
  dim: number,
): DistanceGraph {
  if (kind === 'info_nce') return cosineGraph(g, x, p);
  const { distance, backward } = kind === 'l2' ? squaredGraph(g, x, p, dim) : absoluteGraph(g, x, p, dim);
  const similarity = g.exp(g.neg(distance));
  return {
    distance,
    similarity,
    backward: (gDistance, gSimilarity) => backward(g.sub(gDistance, g.mul(gSimilarity, similarity))),
  };
}

type Comparison = Pick<DistanceGraph, 'distance'> & { backward: (gDistance: Value) => Value };

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
      return g.div(g.sub(g.gemm(total, xUnit, { transA: true }), g.mul(pUnit, along)), pLength);
    },
  };
}
