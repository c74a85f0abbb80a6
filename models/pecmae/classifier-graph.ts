import { GraphBuilder, type Value } from '../onnx/builder.ts';
import type { ResolvedNetworkData } from './network-data.ts';

/**
 * A prototype network as one ONNX graph: `features` float32 `[batch, D]`, embeddings as the encoder gave them →
 * `labels` uint8 `[batch, C]` of 0/1 (the class of the largest logit, or all from probability 0.5 for a multilabel
 * task), `scores` float32 `[batch, C]`, the probabilities, and `logits` float32 `[batch, C]`. A track's logits are the
 * mean over its windows. Distances are computed in float64 inside, as `PrototypeNetwork` does.
 */
export function networkGraph(data: ResolvedNetworkData): Uint8Array {
  const { classes, embeddingDim: D, weights, bias } = data;
  const C = classes.length;
  const K = data.prototypeClasses.length;
  const g = new GraphBuilder('prototype-network');
  const similarity = similarityValues(
    g,
    g.cast(g.input('features', 'float32', ['batch', D]), 'float64'),
    data,
  );
  const wide = (value: Value): Value => g.cast(value, 'float64');
  const sums = g.matMul(similarity, g.transpose(wide(g.floats(weights, [C, K])), [1, 0]));
  const logits = g.cast(g.add(sums, wide(g.floats(bias, [C]))), 'float32');
  decisions(g, logits, data);
  return g.build();
}

/**
 * Similarities `[batch, K]` of vectors to the prototypes of a network, as `PrototypeNetwork` has them.
 * @param vectors float64 `[batch, D]`, as they are given to the network
 */
export function similarityValues(
  g: GraphBuilder,
  vectors: Value,
  { embeddingDim: D, prototypes, prototypeClasses, normalisation, channelWeights }: ResolvedNetworkData,
): Value {
  const K = prototypeClasses.length;
  const wide = (value: Value): Value => g.cast(value, 'float64');
  const number = (value: number): Value => {
    const high = Math.fround(value);
    return g.add(wide(g.scalar(high)), wide(g.scalar(value - high)));
  };
  const x = g.div(g.sub(vectors, number(normalisation.mean)), number(normalisation.scale));
  const p = wide(g.floats(prototypes, [K, D]));
  const w = channelWeights && wide(g.floats(channelWeights, [K, D]));
  const wp = w ? g.mul(w, p) : p;
  const products = g.matMul(x, g.transpose(wp, [1, 0]));
  const xx = g.mul(x, x);
  const own = w ? g.matMul(xx, g.transpose(w, [1, 0])) : g.reduceSum(xx, [1], true);
  const distance = g.sub(g.add(own, g.reduceSum(g.mul(wp, p), [1], false)), g.add(products, products));
  return g.exp(g.neg(g.div(distance, wide(g.scalar(D)))));
}

/** The outputs `labels`, `scores` and `logits` of a classifier, from float32 logits `[batch, C]`. */
export function decisions(
  g: GraphBuilder,
  logits: Value,
  { classes, temperature, task }: Pick<ResolvedNetworkData, 'classes' | 'temperature' | 'task'>,
): void {
  const C = classes.length;
  const tempered = g.div(logits, temperature);
  const scores = task === 'multi' ? g.sigmoid(tempered) : g.softmax(tempered, -1);
  const labels =
    task === 'multi'
      ? g.op('GreaterOrEqual', [scores, g.scalar(0.5)], {}, 'bool')
      : g.oneHot(g.argMax(logits, 1, false), g.integers([C]));
  g.output('labels', g.cast(labels, 'uint8'), ['batch', C]);
  g.output('scores', scores, ['batch', C]);
  g.output('logits', logits, ['batch', C]);
}
