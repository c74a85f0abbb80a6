import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { decisions, similarityValues } from '../pecmae/classifier-graph.ts';
import type { ViewNetworkData } from './view-network-data.ts';

/**
 * A network of several views as one ONNX graph: `features_0`, `features_1` … float32 `[batch, D_v]`, embeddings as the
 * encoders gave them, and `present` float32 `[batch, V]`, 1 where the row has a view and 0 where it lacks it (then its features
 * may be anything) → `labels`, `scores` and `logits` as those of a network of one space. A row needs one view at least.
 */
export function viewsGraph({ views, joint }: ViewNetworkData): Uint8Array {
  const g = new GraphBuilder('view-network');
  const wide = (value: Value): Value => g.cast(value, 'float64');
  const present = g.input('present', 'float32', ['batch', views.length]);
  const C = joint.bias.length;
  const total = joint.weights.length / C;
  let logits = wide(g.floats(joint.bias, [C]));
  let start = 0;
  views.forEach(({ network: { data, prototypeCount: K }, standardisation, typical }, v) => {
    const D = data.embeddingDim;
    const input = wide(g.input(`features_${v}`, 'float32', ['batch', D]));
    const centred = g.mul(g.sub(input, doubles(g, standardisation.mean)), doubles(g, standardisation.scale));
    // Rounded as the application rounds it.
    const own = similarityValues(g, wide(g.cast(centred, 'float32')), data);
    const has = g.greater(g.gather(present, g.integers([v]), 1), 0.5);
    const similarity = g.op('Where', [has, own, wide(g.floats(typical, [K]))], {}, 'float64');
    const weights = new Float32Array(C * K);
    for (let c = 0; c < C; c++)
      weights.set(joint.weights.subarray(c * total + start, c * total + start + K), c * K);
    logits = g.add(logits, g.matMul(similarity, g.transpose(wide(g.floats(weights, [C, K])), [1, 0])));
    start += K;
  });
  const [first] = views;
  if (!first) throw new RangeError('there are no views');
  decisions(g, g.cast(logits, 'float32'), first.network.data);
  return g.build();
}

/** A float64 constant as the sum of two of float32 (48 bits). */
function doubles(g: GraphBuilder, values: Float64Array): Value {
  const high = Float32Array.from(values);
  const low = Float32Array.from(values, (value, i) => value - (high[i] ?? 0));
  const dims = [values.length];
  return g.add(g.cast(g.floats(high, dims), 'float64'), g.cast(g.floats(low, dims), 'float64'));
}
