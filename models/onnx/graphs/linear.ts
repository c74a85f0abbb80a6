import type { Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import { transposed, type Weights } from '../weights.ts';

/**
 * PyTorch's Linear `weights.weight [out, in]` (+ `weights.bias`) on the last axis of `x`. Written as MatMul and Add:
 * on matrices ONNX Runtime makes one Gemm of them, and quantisation finds the MatMul.
 */
export async function linear(weights: Weights, x: Value): Promise<Value> {
  const [rows, columns] = matrixShape(weights, 'weight');
  const w = await weights.derive('.transposed', ['weight'], [columns, rows], (data) =>
    transposed(data, rows, columns),
  );
  const product = weights.graph.matMul(x, w);
  return weights.has('bias') ? weights.graph.add(product, await weights.load('bias', [rows])) : product;
}

/**
 * Sizes of a weight that must be a matrix.
 * @throws GraphBuildError when it is not
 */
export function matrixShape(weights: Weights, name: string): [rows: number, columns: number] {
  const [rows, columns, ...others] = weights.shape(name);
  if (rows === undefined || columns === undefined || others.length > 0)
    throw new GraphBuildError(`${weights.prefix}.${name}`, 'a matrix was expected');
  return [rows, columns];
}
