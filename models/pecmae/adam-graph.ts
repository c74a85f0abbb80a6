import type { GraphBuilder, Value } from '../onnx/builder.ts';

const BETA2 = 0.999;
const EPSILON = 1e-8;

/** One parameter and what moves it. */
export interface AdamUpdate {
  name: string;
  shape: number[];
  parameter: Value;
  gradient: Value;
  weightDecay: number;
  beta1: Value;
  rest1: Value;
  stepSize: Value;
  root2: Value;
}

/** Kingma, Ba 2015, in the order of operations of `torch.optim.Adam`. */
export function adam(g: GraphBuilder, u: AdamUpdate): void {
  const m = g.input(`${u.name}.m`, 'float32', u.shape);
  const v = g.input(`${u.name}.v`, 'float32', u.shape);
  const gradient = u.weightDecay === 0 ? u.gradient : g.add(u.gradient, g.mul(u.parameter, u.weightDecay));
  const nextM = g.add(g.mul(m, u.beta1), g.mul(gradient, u.rest1));
  const nextV = g.add(g.mul(v, BETA2), g.mul(g.mul(gradient, gradient), 1 - BETA2));
  const denominator = g.add(g.div(g.sqrt(nextV), u.root2), EPSILON);
  const next = g.sub(u.parameter, g.mul(g.div(nextM, denominator), u.stepSize));
  g.output(`next.${u.name}`, next, u.shape);
  g.output(`next.${u.name}.m`, nextM, u.shape);
  g.output(`next.${u.name}.v`, nextV, u.shape);
}

/** Scalars of Adam that change from step to step, in float64: 1 − β2^t would lose its digits in float32. */
export function adamScalars(
  step: number,
  learningRate: number,
  beta1: number,
): { stepSize: number; root2: number } {
  return {
    stepSize: learningRate / (1 - beta1 ** (step + 1)),
    root2: Math.sqrt(1 - BETA2 ** (step + 1)),
  };
}
