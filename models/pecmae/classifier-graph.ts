import { GraphBuilder, type Value } from '../onnx/builder.ts';
import type { ResolvedNetworkData } from './network-data.ts';

/**
 * A prototype network as one ONNX graph: `features` float32 `[batch, D]`, embeddings as the encoder gave them →
 * `labels` uint8 `[batch, C]` of 0/1 (the class of the largest logit, or all from probability 0.5 for a multilabel
 * task), `scores` float32 `[batch, C]`, the probabilities, and `logits` float32 `[batch, C]`. A track's logits are the
 * mean over its windows. Distances are computed in float64 inside, as `PrototypeNetwork` does.
 */
export function networkGraph(data: ResolvedNetworkData): Uint8Array {
  const { classes, embeddingDim: D, prototypes, weights, bias, normalisation, temperature, task } = data;
  const { channelWeights } = data;
  const C = classes.length;
  const K = data.prototypeClasses.length;
  const g = new GraphBuilder('prototype-network');
  const wide = (value: Value): Value => g.cast(value, 'float64');
  const number = (value: number): Value => {
    const high = Math.fround(value);
    return g.add(wide(g.scalar(high)), wide(g.scalar(value - high)));
  };
  const input = wide(g.input('features', 'float32', ['batch', D]));
  const x = g.div(g.sub(input, number(normalisation.mean)), number(normalisation.scale));
  const p = wide(g.floats(prototypes, [K, D]));
  const w = channelWeights && wide(g.floats(channelWeights, [K, D]));
  const wp = w ? g.mul(w, p) : p;
  const products = g.matMul(x, g.transpose(wp, [1, 0]));
  const xx = g.mul(x, x);
  const own = w ? g.matMul(xx, g.transpose(w, [1, 0])) : g.reduceSum(xx, [1], true);
  const distance = g.sub(g.add(own, g.reduceSum(g.mul(wp, p), [1], false)), g.add(products, products));
  const similarity = g.exp(g.neg(g.div(distance, wide(g.scalar(D)))));
  const sums = g.matMul(similarity, g.transpose(wide(g.floats(weights, [C, K])), [1, 0]));
  const logits = g.cast(g.add(sums, wide(g.floats(bias, [C]))), 'float32');
  const tempered = g.div(logits, temperature);
  const scores = task === 'multi' ? g.sigmoid(tempered) : g.softmax(tempered, -1);
  const labels =
    task === 'multi'
      ? g.op('GreaterOrEqual', [scores, g.scalar(0.5)], {}, 'bool')
      : g.oneHot(g.argMax(logits, 1, false), g.integers([C]));
  g.output('labels', g.cast(labels, 'uint8'), ['batch', C]);
  g.output('scores', scores, ['batch', C]);
  g.output('logits', logits, ['batch', C]);
  return g.build();
}
