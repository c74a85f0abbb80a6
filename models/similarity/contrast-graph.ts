import { GraphBuilder, type Value } from '../onnx/builder.ts';

/** Sizes of the layers: numbers per vector, hidden units if any, numbers per projected vector. No layer has a bias. */
export type ProjectionLayers = readonly number[];

/** Added to a similarity that must not count: far below any, and finite in float32. */
export const NEVER = -1e9;

/**
 * NT-Xent (Chen et al. 2020) of unit vectors and its gradients. For rows i with partners j(i) and S = cosine / t:
 * mean over i of −S_i,j(i) + log Σ_k exp S_ik, over the k that are not masked.
 *
 * Inputs: `x [n, D]`, the pairs' rows; `mask [n, n]`, 0 or {@link NEVER} (each row itself, and what is not to be held
 * different); `partner [n, n]`, one 1 a row; `w0 [D, h] …`. Outputs: `loss [1]`, `gw0 …`.
 */
export function contrastGraph(layers: ProjectionLayers, temperature: number): Uint8Array {
  const g = new GraphBuilder('nt-xent');
  const [dim = 0] = layers;
  const x = g.input('x', 'float32', ['n', dim]);
  const mask = g.input('mask', 'float32', ['n', 'n']);
  const partner = g.input('partner', 'float32', ['n', 'n']);
  const weights = declare(g, layers);
  const { inputs, output: z } = forward(g, x, weights);
  const length = g.sqrt(g.add(g.reduceSum(g.mul(z, z), [1], true), 1e-12));
  const u = g.div(z, length);
  const s = g.add(g.mul(g.gemm(u, u, { transB: true }), 1 / temperature), mask);
  const logs = g.logSoftmax(s, 1);
  const count = g.cast(g.slice(g.shape(x), 0, 1, 0), 'float32');
  g.output(
    'loss',
    g.div(g.neg(g.reshape(g.reduceSum(g.mul(logs, partner), [0, 1], false), [1])), count),
    [1],
  );

  const away = g.div(g.sub(g.exp(logs), partner), count);
  const both = g.add(away, g.transpose(away, [1, 0]));
  const toUnit = g.mul(g.matMul(both, u), 1 / temperature);
  // What would only change the length does not count.
  let slope = g.div(g.sub(toUnit, g.mul(u, g.reduceSum(g.mul(toUnit, u), [1], true))), length);
  for (let i = weights.length - 1; i >= 0; i--) {
    const input = inputs[i] ?? x;
    const weight = weights[i];
    if (!weight) continue;
    g.output(`gw${i}`, g.gemm(input, slope, { transA: true }), [layers[i] ?? 0, layers[i + 1] ?? 0]);
    if (i > 0) slope = g.mul(g.gemm(slope, weight, { transB: true }), g.cast(g.greater(input, 0), 'float32'));
  }
  return g.build();
}

function declare(g: GraphBuilder, layers: ProjectionLayers): Value[] {
  return layers.slice(1).map((size, i) => g.input(`w${i}`, 'float32', [layers[i] ?? 0, size]));
}

/** Layers with ReLU between them; `inputs` are what each layer saw. */
export function forward(
  g: GraphBuilder,
  x: Value,
  weights: readonly Value[],
): { inputs: Value[]; output: Value } {
  const inputs: Value[] = [];
  let output = x;
  weights.forEach((weight, i) => {
    const input = i === 0 ? output : g.relu(output);
    inputs.push(input);
    output = g.matMul(input, weight);
  });
  return { inputs, output };
}
