import type { Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import type { Weights } from '../weights.ts';

const GATES = 4;
/** PyTorch keeps the gates as input, forget, cell, output; ONNX wants input, output, forget, cell. */
const ONNX_ORDER = [0, 3, 1, 2];

/**
 * EnCodec's LSTM block: a stack of layers that starts from zeros and runs over the whole clip, plus its own input.
 * @param weights those of the module that holds `lstm.weight_ih_l0` …
 * @param x `[T, B, C]`
 * @returns `[T, B, C]`
 */
export async function lstmWithSkip(weights: Weights, x: Value): Promise<Value> {
  const g = weights.graph;
  const lstm = weights.under('lstm');
  if (!lstm.has('weight_ih_l0')) throw new GraphBuildError(lstm.prefix, 'an LSTM without layers');
  let y = x;
  for (let layer = 0; lstm.has(`weight_ih_l${layer}`); layer++) {
    g.section(`${lstm.prefix}.l${layer}`);
    y = await lstmLayer(lstm, layer, y);
  }
  return g.add(y, x);
}

async function lstmLayer(lstm: Weights, layer: number, x: Value): Promise<Value> {
  const g = lstm.graph;
  const input = `weight_ih_l${layer}`;
  const recurrence = `weight_hh_l${layer}`;
  const [rows = 0, width = 0] = lstm.shape(input);
  const hidden = rows / GATES;
  const w = await lstm.derive('', [input], [1, rows, width], (data) => reordered(data));
  const r = await lstm.derive('', [recurrence], [1, rows, hidden], (data) => reordered(data));
  const biases = [`bias_ih_l${layer}`, `bias_hh_l${layer}`] as const;
  const b = await lstm.derive('.both', biases, [1, 2 * rows], (ih, hh) =>
    joined(reordered(ih), reordered(hh)),
  );
  const [y] = g.call('LSTM', [x, w, r, b], { hidden_size: hidden }, { types: [x.type] });
  return g.squeeze(y, [1]);
}

/** Puts the gates, which lie one after the other, into ONNX's order. */
function reordered(data: Float32Array): Float32Array {
  const size = data.length / GATES;
  const result = new Float32Array(data.length);
  for (const [i, gate] of ONNX_ORDER.entries())
    result.set(data.subarray(gate * size, (gate + 1) * size), i * size);
  return result;
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}
