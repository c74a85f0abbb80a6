import { GraphBuilder } from '../onnx/builder.ts';

/**
 * One block of an exhaustive search: `scores = query · blockᵀ + offset`, and the `k` smallest of each row.
 * Inputs `query [m, d]`, `block [n, d]`, `offset [n]`, `k [1]` (int64); outputs `score [m, k]`, `row [m, k]`.
 */
export function searchGraph(): Uint8Array {
  const g = new GraphBuilder('exact-search');
  const query = g.input('query', 'float32', ['m', 'd']);
  const block = g.input('block', 'float32', ['n', 'd']);
  const offset = g.input('offset', 'float32', ['n']);
  const k = g.input('k', 'int64', [1]);
  const { values, indices } = g.topK(g.gemm(query, block, { transB: true, c: offset }), k, {
    largest: false,
  });
  g.output('score', values, ['m', 'c']);
  g.output('row', indices, ['m', 'c']);
  return g.build();
}
