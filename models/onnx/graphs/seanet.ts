import type { GraphBuilder, Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import type { Weights } from '../weights.ts';
import { lstmWithSkip } from './lstm.ts';
import { reflectPadded } from './reflect.ts';
import { asWeights, foldedKernel, kernelDims } from './weight-norm.ts';

/** Hears about the value after each module of the sequence; for tests. */
export type Probe = (module: number, value: Value) => void;

/**
 * A SEANet encoder or decoder: modules applied one after the other, which the checkpoint tells by its keys. Modules
 * without keys are ELUs; a convolution that is neither first nor last has the stride of half its kernel.
 *
 * @param weights those of the sequence, `0.conv.conv.weight_v` …
 * @param x `[B, C, T]`
 * @returns `[B, C', T']`; every length of at least one is taken
 */
export async function seanet(weights: Weights, x: Value, probe?: Probe): Promise<Value> {
  const count = moduleCount(weights);
  let y = x;
  for (let i = 0; i < count; i++) {
    const module = weights.under(String(i));
    weights.graph.section(module.prefix);
    y = await applied(module, y, i === 0 || i === count - 1);
    probe?.(i, y);
  }
  weights.graph.section('');
  return y;
}

/** One more than the last module that has keys; both sequences end with a convolution. */
function moduleCount(weights: Weights): number {
  const indices = weights.names().map((name) => Number(/^(\d+)\./.exec(name)?.[1] ?? -1));
  const count = Math.max(-1, ...indices) + 1;
  if (count === 0) throw new GraphBuildError(weights.prefix, 'no SEANet modules under this name');
  return count;
}

async function applied(module: Weights, x: Value, atEnd: boolean): Promise<Value> {
  const g = module.graph;
  const holds = (part: string) => module.has(`${part}.weight_v`) || module.has(`${part}.weight`);
  if (holds('conv.conv')) return convolved(module.under('conv.conv'), x, atEnd ? 'plain' : 'strided');
  if (holds('convtr.convtr')) return upsampled(module.under('convtr.convtr'), x);
  if (holds('block.1.conv.conv')) return residual(module, x);
  if (module.has('lstm.weight_ih_l0')) {
    const sequence = await lstmWithSkip(module, g.transpose(x, [2, 0, 1]));
    return g.transpose(sequence, [1, 2, 0]);
  }
  return elu(g, x);
}

/** Two activated convolutions beside a learned 1×1 convolution of the input as it came. */
async function residual(module: Weights, x: Value): Promise<Value> {
  const g = module.graph;
  const inner = await convolved(module.under('block.1.conv.conv'), elu(g, x), 'plain');
  const outer = await convolved(module.under('block.3.conv.conv'), elu(g, inner), 'plain');
  return g.add(outer, await convolved(module.under('shortcut.conv.conv'), x, 'plain'));
}

async function convolved(weights: Weights, x: Value, kind: 'plain' | 'strided'): Promise<Value> {
  const g = weights.graph;
  const [, , length] = kernelDims(weights);
  const stride = kind === 'plain' ? 1 : length / 2;
  if (!Number.isInteger(stride))
    throw new GraphBuildError(weights.prefix, `a strided convolution with an odd kernel of ${length}`);
  const { w, b } = asWeights(weights, await foldedKernel(weights));
  const padded = reflectPadded(g, x, length - stride, stride);
  return g.op('Conv', [padded, w, b], { kernel_shape: [length], strides: [stride] });
}

/**
 * A transposed convolution with a kernel of two strides s, its last s samples trimmed: output sample t·s + j is a sum
 * over the frames t and t − 1. Written as a convolution over two frames that gives all s samples of a frame as
 * channels, which are then woven together: half the time of ONNX Runtime's ConvTranspose on a CPU.
 */
async function upsampled(weights: Weights, x: Value): Promise<Value> {
  const g = weights.graph;
  const { dims, weight, bias } = await foldedKernel(weights);
  const [inputs, outputs, length] = dims;
  const stride = length / 2;
  if (!Number.isInteger(stride))
    throw new GraphBuildError(weights.prefix, `a transposed convolution with an odd kernel of ${length}`);
  const phases = new Float32Array(weight.length);
  for (let c = 0; c < inputs; c++)
    for (let o = 0; o < outputs; o++)
      for (let j = 0; j < stride; j++) {
        const from = (c * outputs + o) * length + j;
        const to = ((o * stride + j) * inputs + c) * 2;
        phases[to] = weight[from + stride] ?? NaN;
        phases[to + 1] = weight[from] ?? NaN;
      }
  const w = g.weight(`${weights.prefix}.weight.phases`, [outputs * stride, inputs, 2], phases);
  const biases = Float32Array.from(
    { length: outputs * stride },
    (_, i) => bias[Math.floor(i / stride)] ?? NaN,
  );
  const b = g.weight(`${weights.prefix}.bias.phases`, [outputs * stride], biases);
  const frames = g.op('Conv', [x, w, b], { kernel_shape: [2], pads: [1, 0] });
  const woven = g.transpose(g.reshape(frames, [0, outputs, stride, -1]), [0, 1, 3, 2]);
  return g.reshape(woven, [0, outputs, -1]);
}

/**
 * x above zero, eˣ − 1 below: as eˣ − 1 never falls below x, the larger of x and e^min(x, 0) − 1. Four simple operators,
 * because ONNX Runtime's Elu takes a slow exponential on a CPU: a tenth of the whole network's time.
 */
function elu(g: GraphBuilder, x: Value): Value {
  const negative = g.op('Clip', [x, null, g.scalar(0)]);
  return g.max(x, g.sub(g.exp(negative), 1));
}
