import type { GraphBuilder, Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import type { Weights } from '../weights.ts';
import { linear, matrixShape } from './linear.ts';

/** How a stack is run. */
export interface ResidualTransformerOptions {
  /** Attention heads. The weights do not tell: a wrong number loads and gives wrong results. */
  heads: number;
  /** int32 `[B, T]`, 1 where a frame may be attended to; default: everywhere. */
  mask?: Value | undefined;
  /**
   * Compute the first token only: the last layer then asks one question instead of T (its feed-forward part, most of a
   * layer, runs on one token). The result is `[B, 1, D]`.
   */
  firstOnly?: boolean;
  /** Sees the values on the way, named `l0.q`, `l0.att_out`, `l0.x0`, `l0.x1`, …: for tests and inspection. */
  observe?: Observe | undefined;
}
/** Sees a named value while a graph is built. */
export type Observe = (stage: string, value: Value) => void;

const EPSILON = 1e-5;
/** What the reference adds to the scores of masked keys: finite, so that a row without keys is uniform, not NaN. */
const MASKED = -1e9;

/**
 * ResiDual transformer (Xie et al. 2023, as EnCodecMAE uses it): two residual streams, one normalised after each
 * sublayer and one summed up, added at the end; one feed-forward part shared by all layers.
 *
 * Everything but attention works on the matrix `[B·T, D]`, so that ONNX Runtime makes one Gemm of product, bias and
 * ReLU. Attention is `com.microsoft.MultiHeadAttention`, a single kernel on CPU, CUDA, DirectML and WebGPU (CoreML
 * leaves it to the CPU): ONNX's own Attention needs operator set 23, beyond DirectML; com.microsoft's Attention, which
 * holds the QKV weights itself, is not faster and would hide them from quantisation.
 *
 * @param weights holds `encoder_layers.{i}.…` and `final_norm.…`
 * @param x `[B, T, D]` with T and D known
 * @returns `[B, T, D]`, or `[B, 1, D]` with `firstOnly`
 * @throws GraphBuildError; CheckpointError when a tensor is missing
 */
export async function residualTransformer(
  weights: Weights,
  x: Value,
  { heads, mask, firstOnly = false, observe }: ResidualTransformerOptions,
): Promise<Value> {
  const g = weights.graph;
  const [frames, dim] = knownSizes(x);
  if (!Number.isInteger(heads) || heads < 1 || dim % heads !== 0)
    throw new GraphBuildError(weights.prefix, `${dim} columns cannot be shared out among ${heads} heads`);
  const layers = countLayers(weights);
  let normalised = g.reshape(x, [-1, dim]);
  let summed = normalised;
  let rows = frames;
  for (let i = 0; i < layers; i++) {
    const layer = weights.under(`encoder_layers.${i}`);
    g.section(layer.prefix);
    const see: Observe = (stage, value) => observe?.(`l${i}.${stage}`, value);
    const [q, k, v] = await queriesKeysValues(layer.under('att_layer'), normalised, heads);
    const keys = { k: unfold(g, k, frames, dim), v: unfold(g, v, frames, dim) };
    let queries = unfold(g, q, frames, dim);
    if (firstOnly && i === layers - 1) {
      const first = (value: Value) => g.reshape(g.slice(unfold(g, value, frames, dim), 0, 1, 1), [-1, dim]);
      [queries, normalised, summed] = [g.slice(queries, 0, 1, 1), first(normalised), first(summed)];
      rows = 1;
    }
    see('q', queries);
    see('k', keys.k);
    see('v', keys.v);
    const heard = attention(g, queries, keys.k, keys.v, heads, mask);
    const a = await mergeHeads(layer.under('att_layer'), g.reshape(heard, [-1, dim]), heads);
    see('att_out', unfold(g, a, rows, dim));
    normalised = await layerNorm(layer.under('norm1'), g.add(normalised, a));
    summed = g.add(summed, a);
    const f = await feedForward(layer.under('ff_layer'), normalised);
    normalised = await layerNorm(layer.under('norm2'), g.add(normalised, f));
    summed = g.add(summed, f);
    see('x0', unfold(g, normalised, rows, dim));
    see('x1', unfold(g, summed, rows, dim));
  }
  g.section(weights.prefix);
  const result = g.add(normalised, await layerNorm(weights.under('final_norm'), summed));
  return unfold(g, result, rows, dim);
}

/**
 * int32 `[B, T]`: 1 for the first `valid[b]` frames of item b.
 * @param valid int64 `[B]`
 */
export function keyPaddingMask(g: GraphBuilder, valid: Value, frames: number): Value {
  const positions = g.integers(
    Array.from({ length: frames }, (_, t) => t),
    [1, frames],
  );
  return g.cast(g.op('Less', [positions, g.unsqueeze(valid, [1])], {}, 'bool'), 'int32');
}

function countLayers(weights: Weights): number {
  let layers = 0;
  while (weights.has(`encoder_layers.${layers}.norm1.weight`)) layers++;
  if (layers === 0) throw new GraphBuildError(weights.prefix, 'there are no encoder_layers');
  return layers;
}

function knownSizes(x: Value): [frames: number, dim: number] {
  const [, frames, dim] = x.shape ?? [];
  if (typeof frames !== 'number' || typeof dim !== 'number')
    throw new GraphBuildError(x.name, 'a transformer needs a known number of frames and columns');
  return [frames, dim];
}

function unfold(g: GraphBuilder, x: Value, frames: number, dim: number): Value {
  return g.reshape(x, [-1, frames, dim]);
}

/** One product for the three projections, `[B·T, D]` each, the heads one after another. */
async function queriesKeysValues(weights: Weights, x: Value, heads: number): Promise<[Value, Value, Value]> {
  const [dim, columns] = matrixShape(weights, 'wq.weight');
  for (const name of ['wk.weight', 'wv.weight', 'wo.weight'])
    if (weights.shape(name).join() !== [dim, columns].join())
      throw new GraphBuildError(`${weights.prefix}.${name}`, 'its sizes are not those of wq');
  const joined = await weights.derive(
    `.qkv${heads}`,
    ['wq.weight', 'wk.weight', 'wv.weight'],
    [columns, 3 * dim],
    (...parts) => {
      const result = new Float32Array(3 * dim * columns);
      for (const [part, data] of parts.entries())
        for (let row = 0; row < dim; row++) {
          const from = channelOf(row, dim, heads) * columns;
          for (let column = 0; column < columns; column++)
            result[column * 3 * dim + part * dim + row] = data[from + column] ?? NaN;
        }
      return result;
    },
  );
  const g = weights.graph;
  const sizes = g.integers([dim, dim, dim]);
  const types = ['float32', 'float32', 'float32'] as const;
  const [q, k, v] = g.call('Split', [g.matMul(x, joined), sizes], { axis: 1 }, { types });
  if (k === undefined || v === undefined) throw new Error('Split has three outputs');
  return [q, k, v];
}

function attention(
  g: GraphBuilder,
  q: Value,
  k: Value,
  v: Value,
  heads: number,
  mask: Value | undefined,
): Value {
  const inputs = mask === undefined ? [q, k, v] : [q, k, v, null, mask];
  const attributes = { num_heads: heads, mask_filter_value: { float: MASKED } };
  return g.call('MultiHeadAttention', inputs, attributes, { domain: 'com.microsoft' })[0];
}

/** The output projection, its columns in the order of {@link queriesKeysValues}. */
async function mergeHeads(weights: Weights, x: Value, heads: number): Promise<Value> {
  const [rows, dim] = matrixShape(weights, 'wo.weight');
  const wo = await weights.derive(`.merge${heads}`, ['wo.weight'], [dim, rows], (data) => {
    const result = new Float32Array(data.length);
    for (let column = 0; column < dim; column++) {
      const from = channelOf(column, dim, heads);
      for (let row = 0; row < rows; row++) result[column * rows + row] = data[row * dim + from] ?? NaN;
    }
    return result;
  });
  return weights.graph.matMul(x, wo);
}

/**
 * EnCodecMAE deals channels out to heads like cards: channel c belongs to head `c mod H`. Attention operators want each
 * head's channels side by side: the one at `index` there is this one of the checkpoint.
 */
function channelOf(index: number, dim: number, heads: number): number {
  const size = dim / heads;
  return (index % size) * heads + Math.floor(index / size);
}

/** `relu(x·W1 + b1)·W2 + b2`. */
async function feedForward(weights: Weights, x: Value): Promise<Value> {
  const hidden = weights.graph.relu(await linear(weights.under('0'), x));
  return linear(weights.under('2'), hidden);
}

async function layerNorm(weights: Weights, x: Value): Promise<Value> {
  return weights.graph.layerNorm(x, await weights.load('weight'), await weights.load('bias'), EPSILON);
}
