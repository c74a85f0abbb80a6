import type { Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import type { Weights } from '../weights.ts';

/** A convolution's kernel and bias, ready for use. */
export interface Kernel {
  /** `[out, in, k]`, of a transposed convolution `[in, out, k]`. */
  dims: readonly [number, number, number];
  weight: Float32Array;
  bias: Float32Array;
}

/**
 * Reads a convolution with weight normalisation over all axes but the first, `w = v · g / ‖v‖₂`, and folds it; also
 * takes a plain `weight`.
 * @param weights those of the module that holds `weight_g`, `weight_v` and `bias`
 */
export async function foldedKernel(weights: Weights): Promise<Kernel> {
  const plain = weights.has('weight');
  const dims = kernelDims(weights, plain ? 'weight' : 'weight_v');
  const bias = await weights.read('bias');
  if (plain) return { dims, weight: await weights.read('weight'), bias };
  const [v, g] = [await weights.read('weight_v'), await weights.read('weight_g')];
  if (g.length !== dims[0])
    throw new GraphBuildError(
      weights.prefix,
      `weight_g has ${g.length} numbers where ${dims[0]} were expected`,
    );
  const weight = new Float32Array(v.length);
  const size = dims[1] * dims[2];
  for (const [row, gain] of g.entries()) {
    const part = v.subarray(row * size, (row + 1) * size);
    const scale = gain / Math.sqrt(part.reduce((sum, x) => sum + x * x, 0));
    for (const [i, x] of part.entries()) weight[row * size + i] = x * scale;
  }
  return { dims, weight, bias };
}

/** Sizes of a one-dimensional convolution's kernel, without reading it. */
export function kernelDims(weights: Weights, name = weights.has('weight') ? 'weight' : 'weight_v') {
  const [first, second, length, ...rest] = weights.shape(name);
  if (first === undefined || second === undefined || length === undefined || rest.length > 0)
    throw new GraphBuildError(`${weights.prefix}.${name}`, 'not the kernel of a one-dimensional convolution');
  return [first, second, length] as const;
}

/** The folded kernel and its bias as weights of the graph, under the names that the module would have without folding. */
export function asWeights(weights: Weights, { dims, weight, bias }: Kernel): { w: Value; b: Value } {
  return {
    w: weights.graph.weight(`${weights.prefix}.weight`, dims, weight),
    b: weights.graph.weight(`${weights.prefix}.bias`, [bias.length], bias),
  };
}
