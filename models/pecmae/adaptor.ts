import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Random } from '../numerics/random.ts';

/** Shapes of the adaptor's parameters by name; names are those of the reference checkpoints (FORMATS.md §d). */
const ADAPTOR_PREFIX = 'time_summarizer.layers.0.';
/** Width of the adaptor's hidden layer, PyTorch's default. */
const FEED_FORWARD = 2048;
/** Share of activations that dropout zeroes. */
const DROPOUT = 0.1;

const EPSILON = 1e-5;

/** Dropout factors of one step: 0 or 1/(1 − dropout). */
export interface AdaptorMasks<T> {
  /** [K, 1]: attention weight of each prototype to itself. */
  attention: T;
  /** [K, D], after the attention's output projection. */
  attended: T;
  /** [K, FF], hidden layer. */
  hidden: T;
  /** [K, D], after the second linear layer. */
  output: T;
}

/** Parameter shapes of the adaptor for embeddings of `dim` numbers. */
export function adaptorShapes(dim: number): Record<string, number[]> {
  const shapes: Record<string, number[]> = {
    'self_attn.in_proj_weight': [3 * dim, dim],
    'self_attn.in_proj_bias': [3 * dim],
    'self_attn.out_proj.weight': [dim, dim],
    'self_attn.out_proj.bias': [dim],
    'linear1.weight': [FEED_FORWARD, dim],
    'linear1.bias': [FEED_FORWARD],
    'linear2.weight': [dim, FEED_FORWARD],
    'linear2.bias': [dim],
    'norm1.weight': [dim],
    'norm1.bias': [dim],
    'norm2.weight': [dim],
    'norm2.bias': [dim],
  };
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [ADAPTOR_PREFIX + name, shape]));
}

/** Initial values as PyTorch's `TransformerEncoderLayer` draws them. */
export function initialAdaptor(dim: number, random: Random): Record<string, Float32Array> {
  const uniform = (count: number, bound: number): Float32Array =>
    Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * bound);
  const linear = 1 / Math.sqrt(dim);
  const hidden = 1 / Math.sqrt(FEED_FORWARD);
  const values: Record<string, Float32Array> = {
    // Xavier over the stacked [3D, D] matrix.
    'self_attn.in_proj_weight': uniform(3 * dim * dim, Math.sqrt(6 / (4 * dim))),
    'self_attn.in_proj_bias': new Float32Array(3 * dim),
    'self_attn.out_proj.weight': uniform(dim * dim, linear),
    'self_attn.out_proj.bias': new Float32Array(dim),
    'linear1.weight': uniform(FEED_FORWARD * dim, linear),
    'linear1.bias': uniform(FEED_FORWARD, linear),
    'linear2.weight': uniform(dim * FEED_FORWARD, hidden),
    'linear2.bias': uniform(dim, hidden),
    'norm1.weight': new Float32Array(dim).fill(1),
    'norm1.bias': new Float32Array(dim),
    'norm2.weight': new Float32Array(dim).fill(1),
    'norm2.bias': new Float32Array(dim),
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [ADAPTOR_PREFIX + name, value]));
}

/** Draws the dropout factors of one step for `prototypes` rows. */
export function drawMasks(prototypes: number, dim: number, random: Random): AdaptorMasks<Float32Array> {
  const keep = 1 / (1 - DROPOUT);
  const threshold = DROPOUT * 2 ** 32;
  const draw = (count: number): Float32Array => {
    const factors = new Float32Array(count);
    for (let i = 0; i < count; i++) factors[i] = random.bits() < threshold ? 0 : keep;
    return factors;
  };
  return {
    attention: draw(prototypes),
    attended: draw(prototypes * dim),
    hidden: draw(prototypes * FEED_FORWARD),
    output: draw(prototypes * dim),
  };
}

/** Declares the four dropout factors as graph inputs `mask.*`. */
export function maskInputs(g: GraphBuilder, prototypes: number, dim: number): AdaptorMasks<Value> {
  return {
    attention: g.input('mask.attention', 'float32', [prototypes, 1]),
    attended: g.input('mask.attended', 'float32', [prototypes, dim]),
    hidden: g.input('mask.hidden', 'float32', [prototypes, FEED_FORWARD]),
    output: g.input('mask.output', 'float32', [prototypes, dim]),
  };
}

/** The adaptor in a graph: the projected prototypes, and how a gradient flows back through them. */
export interface AdaptorGraph {
  projected: Value;
  /** Gradients of the prototypes (`protos`) and of every adaptor parameter, given that of `projected`. */
  backward: (gradient: Value) => Record<string, Value>;
}

/**
 * The post-norm transformer layer on a sequence of length 1: softmax over one key is 1, so each prototype passes on
 * its own through LN2(u + W2·relu(W1·u + b1) + b2) with u = LN1(p + Wo(Wv·p + bv) + bo). The query and key rows of
 * in_proj take no part and get a gradient of zero; they stay in the state so that it fits reference checkpoints.
 * @param p prototypes [K, dim]; @param parameters by full name; @param masks null for no dropout.
 */
export function adaptorGraph(
  g: GraphBuilder,
  p: Value,
  parameters: Readonly<Record<string, Value>>,
  dim: number,
  masks: AdaptorMasks<Value> | null,
): AdaptorGraph {
  const get = (name: string): Value => {
    const value = parameters[ADAPTOR_PREFIX + name];
    if (value === undefined) throw new Error(`the adaptor needs its parameter ${name}`);
    return value;
  };
  const drop = (x: Value, mask: keyof AdaptorMasks<Value>): Value => (masks ? g.mul(x, masks[mask]) : x);
  const from = g.integers([2 * dim]);
  const to = g.integers([3 * dim]);
  const valueWeight = g.op('Slice', [get('self_attn.in_proj_weight'), from, to]);
  const valueBias = g.op('Slice', [get('self_attn.in_proj_bias'), from, to]);
  const outWeight = get('self_attn.out_proj.weight');
  const linear = (x: Value, weight: Value, c: Value): Value => g.gemm(x, weight, { transB: true, c });

  const value = drop(linear(p, valueWeight, valueBias), 'attention');
  const attended = drop(linear(value, outWeight, get('self_attn.out_proj.bias')), 'attended');
  const norm1 = layerNormGraph(g, g.add(p, attended), get('norm1.weight'), get('norm1.bias'));
  const u = norm1.output;
  const active = g.relu(linear(u, get('linear1.weight'), get('linear1.bias')));
  const hidden = drop(active, 'hidden');
  const output = drop(linear(hidden, get('linear2.weight'), get('linear2.bias')), 'output');
  const norm2 = layerNormGraph(g, g.add(u, output), get('norm2.weight'), get('norm2.bias'));

  const backward = (gradient: Value): Record<string, Value> => {
    const gNorm2 = norm2.backward(gradient);
    const gOutput = drop(gNorm2.input, 'output');
    const gHidden = drop(g.gemm(gOutput, get('linear2.weight')), 'hidden');
    const gPre = g.mul(gHidden, g.cast(g.greater(active, 0), 'float32'));
    const gU = g.add(gNorm2.input, g.gemm(gPre, get('linear1.weight')));
    const gNorm1 = norm1.backward(gU);
    const gAttended = drop(gNorm1.input, 'attended');
    const gValue = drop(g.gemm(gAttended, outWeight), 'attention');
    const gValueWeight = g.gemm(gValue, p, { transA: true });
    const inert = (dims: number[]): Value => g.op('Expand', [g.scalar(0), g.integers(dims)], {}, 'float32');
    const column = (x: Value): Value => g.reduceSum(x, [0], false);
    const gradients: Record<string, Value> = {
      'self_attn.in_proj_weight': g.op('Concat', [inert([2 * dim, dim]), gValueWeight], { axis: 0 }),
      'self_attn.in_proj_bias': g.op('Concat', [inert([2 * dim]), column(gValue)], { axis: 0 }),
      'self_attn.out_proj.weight': g.gemm(gAttended, value, { transA: true }),
      'self_attn.out_proj.bias': column(gAttended),
      'linear1.weight': g.gemm(gPre, u, { transA: true }),
      'linear1.bias': column(gPre),
      'linear2.weight': g.gemm(gOutput, hidden, { transA: true }),
      'linear2.bias': column(gOutput),
      'norm1.weight': gNorm1.weight,
      'norm1.bias': gNorm1.bias,
      'norm2.weight': gNorm2.weight,
      'norm2.bias': gNorm2.bias,
    };
    return {
      protos: g.add(gNorm1.input, g.gemm(gValue, valueWeight)),
      ...Object.fromEntries(Object.entries(gradients).map(([name, v]) => [ADAPTOR_PREFIX + name, v])),
    };
  };
  return { projected: norm2.output, backward };
}

interface LayerNormGraph {
  output: Value;
  backward: (gradient: Value) => { input: Value; weight: Value; bias: Value };
}

function layerNormGraph(g: GraphBuilder, x: Value, weight: Value, bias: Value): LayerNormGraph {
  const centred = g.sub(x, g.reduceMean(x, [-1], true));
  const variance = g.reduceMean(g.mul(centred, centred), [-1], true);
  const deviation = g.sqrt(g.add(variance, EPSILON));
  const unit = g.div(centred, deviation);
  return {
    output: g.add(g.mul(unit, weight), bias),
    backward: (gradient) => {
      const scaled = g.mul(gradient, weight);
      const alongUnit = g.mul(unit, g.reduceMean(g.mul(scaled, unit), [-1], true));
      const input = g.sub(g.sub(scaled, g.reduceMean(scaled, [-1], true)), alongUnit);
      return {
        input: g.div(input, deviation),
        weight: g.reduceSum(g.mul(gradient, unit), [0], false),
        bias: g.reduceSum(gradient, [0], false),
      };
    },
  };
}
