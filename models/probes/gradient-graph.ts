import { GraphBuilder, type Value } from '../onnx/builder.ts';

export type ProbeTask = 'single' | 'multi';

/** Sizes of the layers: numbers per vector, hidden units, labels. */
export type Layers = readonly number[];

/**
 * Loss and gradients of a multilayer perceptron (ReLU; softmax and cross-entropy, or sigmoid and binary cross-entropy), and
 * its logits: inputs `x [n, D]`, `y [n, L]`, `w0 [D, h] b0 [h] …`; outputs `loss`, `logits`, `gw0 gb0 …`. Penalties are
 * the optimiser's.
 */
export function gradientGraph(layers: Layers, task: ProbeTask): Uint8Array {
  const g = new GraphBuilder('probe');
  const [dim = 0] = layers;
  const labels = layers.at(-1) ?? 0;
  const x = g.input('x', 'float32', ['n', dim]);
  const y = g.input('y', 'float32', ['n', labels]);
  const parameters = layers.slice(1).map((size, i) => ({
    weights: g.input(`w${i}`, 'float32', [layers[i] ?? 0, size]),
    bias: g.input(`b${i}`, 'float32', [size]),
  }));
  const inputs: Value[] = [x];
  let logits = x;
  parameters.forEach(({ weights, bias }, i) => {
    logits = g.add(g.matMul(inputs[i] ?? x, weights), bias);
    if (i + 1 < parameters.length) inputs.push(g.relu(logits));
  });
  const ones = g.cast(g.shape(x), 'float32');
  const count = g.slice(ones, 0, 1, 0);
  const { loss, away } =
    task === 'single' ? crossEntropy(g, logits, y) : binaryCrossEntropy(g, logits, y, labels);
  g.output('loss', g.div(loss, count), [1]);
  g.output('logits', logits, ['n', labels]);
  let slope = g.div(away, count);
  for (let i = parameters.length - 1; i >= 0; i--) {
    const input = inputs[i] ?? x;
    const weights = parameters[i]?.weights;
    if (!weights) continue;
    g.output(`gw${i}`, g.gemm(input, slope, { transA: true }), [layers[i] ?? 0, layers[i + 1] ?? 0]);
    g.output(`gb${i}`, g.reduceSum(slope, [0], false), [layers[i + 1] ?? 0]);
    if (i > 0)
      slope = g.mul(g.gemm(slope, weights, { transB: true }), g.cast(g.greater(input, 0), 'float32'));
  }
  return g.build();
}

function crossEntropy(g: GraphBuilder, logits: Value, y: Value): { loss: Value; away: Value } {
  const logs = g.logSoftmax(logits, 1);
  const loss = g.neg(g.reshape(g.reduceSum(g.mul(logs, y), [0, 1], false), [1]));
  return { loss, away: g.sub(g.exp(logs), y) };
}

/** Mean over the labels. */
function binaryCrossEntropy(
  g: GraphBuilder,
  logits: Value,
  y: Value,
  labels: number,
): { loss: Value; away: Value } {
  // softplus(s) − y·s
  const each = g.sub(g.op('Softplus', [logits]), g.mul(y, logits));
  const loss = g.div(g.reshape(g.reduceSum(each, [0, 1], false), [1]), labels);
  return { loss, away: g.div(g.sub(g.sigmoid(logits), y), labels) };
}
