import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import { forward, type ProjectionLayers } from './contrast-graph.ts';

/** From an embedding to the learned space: standardised, through the layers, to unit length. */
export interface LearnedProjection {
  layers: ProjectionLayers;
  /** `[D]`, subtracted. */
  mean: Float32Array;
  /** `[D]`, multiplied; 0 for what does not vary. */
  scale: Float32Array;
  /** One matrix a layer, `[from, to]`, row-major. */
  weights: Float32Array[];
}

/** `embedding [batch, D]` → `z [batch, d]`; the same bytes for the same projection. */
export function projectionGraph({ layers, mean, scale, weights }: LearnedProjection): Uint8Array {
  const g = new GraphBuilder('learned-similarity');
  const [dim = 0] = layers;
  const x = g.mul(g.sub(g.input('embedding', 'float32', ['batch', dim]), g.floats(mean)), g.floats(scale));
  const matrices = weights.map((values, i) =>
    g.weight(`layer${i}`, [layers[i] ?? 0, layers[i + 1] ?? 0], values),
  );
  const { output } = forward(g, x, matrices);
  const length = g.sqrt(g.add(g.reduceSum(g.mul(output, output), [1], true), 1e-12));
  g.output('z', g.div(output, length), ['batch', layers.at(-1) ?? 0]);
  return g.build();
}

/** Rows `[n, D]` in the learned space, `[n, d]`. @throws the signal's reason */
export async function project(
  projection: LearnedProjection,
  rows: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { layers, mean, scale, weights } = projection;
  const [dim = 0] = layers;
  const width = layers.at(-1) ?? 0;
  const count = rows.length / dim;
  const out = new Float32Array(count * width);
  const pacer = new Pacer(signal);
  const work = weights.reduce((sum, { length }) => sum + length, 0);
  for (let row = 0; row < count; row++) {
    let values: Float64Array = new Float64Array(dim);
    for (let d = 0; d < dim; d++) values[d] = (at(rows, row * dim + d) - at(mean, d)) * at(scale, d);
    weights.forEach((matrix, i) => {
      if (i > 0) values = values.map((value) => Math.max(0, value));
      values = times(values, matrix, layers[i + 1] ?? 0);
    });
    let squared = 1e-12;
    for (const value of values) squared += value * value;
    const length = Math.sqrt(squared);
    for (let d = 0; d < width; d++) out[row * width + d] = at(values, d) / length;
    if (pacer.due(work)) await pacer.pause();
  }
  return out;
}

function times(values: Float64Array, matrix: Float32Array, width: number): Float64Array {
  const out = new Float64Array(width);
  for (let from = 0, cell = 0; from < values.length; from++) {
    const value = at(values, from);
    for (let to = 0; to < width; to++, cell++) out[to] = at(out, to) + value * at(matrix, cell);
  }
  return out;
}
