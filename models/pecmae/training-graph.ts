import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { adaptorGraph, adaptorShapes, maskInputs, type AdaptorGraph } from './adaptor.ts';
import { distanceGraph, type DistanceGraph, type SimilarityKind } from './distance-graph.ts';

/** Everything that shapes the graphs of a training run; sizes are fixed when the graph is built, the batch is not. */
export interface GraphSpec {
  dim: number;
  classes: number;
  /** Class of each prototype; its length is K. */
  prototypeClasses: readonly number[];
  task: 'single' | 'multi';
  /** Share of the classification loss; 1 − lambda is that of the prototype loss. */
  lambda: number;
  temperature: number;
  weightDecay: number;
  adaptor: 'none' | 'transformer';
  /** Dropout factors as inputs of the training graph; only with an adaptor. */
  dropout: boolean;
  similarity: SimilarityKind;
  /** Which windows a prototype is drawn to: those of its own class, or the nearest of all. */
  prototypeLoss: 'class' | 'all';
}

/** Names of the scalars in the output `scalars`, in order. */
export const scalarNames = ['loss', 'classLoss', 'prototypeLoss', 'meanDistance'] as const;

const BETA2 = 0.999;
const EPSILON = 1e-8;
/** Larger than any distance, small enough to stay finite in float32. */
const FAR = 1e30;

/** Trainable parameters by name, with shapes; names are those of the reference checkpoints. */
export function parameterShapes(spec: GraphSpec): Record<string, number[]> {
  const k = spec.prototypeClasses.length;
  return {
    protos: [k, spec.dim],
    'linear.weight': [spec.classes, k],
    'linear.bias': [spec.classes],
    ...(spec.adaptor === 'transformer' ? adaptorShapes(spec.dim) : {}),
  };
}

/**
 * One training step as one graph: forward, hand-derived backward, Adam with coupled L2 (weight decay is added to the
 * gradient of every parameter).
 *
 * Inputs: `x` [n, D] normalised embeddings, `y` [n, C] labels 0/1, `rows` int64 [B] the batch; `beta1`, `stepSize`
 * (learning rate over its bias correction) and `root2` (√(1 − β2^t)) as scalars; `mask.*` with dropout; per parameter
 * `p` the inputs `p`, `p.m`, `p.v`. Outputs: `scalars` [4] ({@link scalarNames}), `logits` [B, C], `gradient.p`
 * without weight decay when asked for, and the next state as `next.p`, `next.p.m`, `next.p.v`.
 */
export function buildTrainingGraph(spec: GraphSpec, options: { gradients?: boolean } = {}): Uint8Array {
  const g = new GraphBuilder('prototype-network-step');
  const shapes = parameterShapes(spec);
  const parameters = declare(g, shapes);
  const x = g.input('x', 'float32', ['n', spec.dim]);
  const y = g.input('y', 'float32', ['n', spec.classes]);
  const rows = g.input('rows', 'int64', ['batch']);
  const beta1 = g.input('beta1', 'float32', []);
  const stepSize = g.input('stepSize', 'float32', []);
  const root2 = g.input('root2', 'float32', []);
  const labels = g.gather(y, rows);
  const forward = forwardGraph(g, spec, parameters, g.gather(x, rows), spec.dropout);
  const loss = lossGraph(g, spec, forward, labels);
  g.output('scalars', loss.scalars, [scalarNames.length]);
  g.output('logits', forward.logits, ['batch', spec.classes]);

  const gLogits = loss.gLogits;
  const gProjected = forward.comparison.backward(
    loss.gDistance,
    g.gemm(gLogits, get(parameters, 'linear.weight')),
  );
  const gradients: Record<string, Value> = {
    ...(forward.adaptor ? forward.adaptor.backward(gProjected) : { protos: gProjected }),
    'linear.weight': g.gemm(gLogits, forward.comparison.similarity, { transA: true }),
    'linear.bias': g.reduceSum(gLogits, [0], false),
  };
  const scalars = { beta1, stepSize, root2, rest1: g.sub(1, beta1) };
  for (const [name, shape] of Object.entries(shapes)) {
    const gradient = get(gradients, name);
    if (options.gradients === true) g.output(`gradient.${name}`, gradient, shape);
    adam(g, {
      name,
      shape,
      parameter: get(parameters, name),
      gradient,
      weightDecay: spec.weightDecay,
      ...scalars,
    });
  }
  return g.build();
}

/**
 * The forward pass on all rows given, without dropout, and the losses on them as one batch.
 *
 * Inputs: `x` [n, D], `y` [n, C], the parameters. Outputs: `projected` [K, D], `distance` and `similarity` [n, K],
 * `logits` [n, C], `scalars` [4].
 */
export function buildEvaluationGraph(spec: GraphSpec): Uint8Array {
  const g = new GraphBuilder('prototype-network-evaluation');
  const k = spec.prototypeClasses.length;
  const parameters = declare(g, parameterShapes(spec));
  const x = g.input('x', 'float32', ['n', spec.dim]);
  const y = g.input('y', 'float32', ['n', spec.classes]);
  const forward = forwardGraph(g, spec, parameters, x, false);
  g.output('projected', forward.projected, [k, spec.dim]);
  g.output('distance', forward.comparison.distance, ['n', k]);
  g.output('similarity', forward.comparison.similarity, ['n', k]);
  g.output('logits', forward.logits, ['n', spec.classes]);
  g.output('scalars', lossGraph(g, spec, forward, y).scalars, [scalarNames.length]);
  return g.build();
}

interface Forward {
  adaptor: AdaptorGraph | null;
  projected: Value;
  comparison: DistanceGraph;
  logits: Value;
}

function forwardGraph(
  g: GraphBuilder,
  spec: GraphSpec,
  parameters: Readonly<Record<string, Value>>,
  x: Value,
  dropout: boolean,
): Forward {
  const prototypes = get(parameters, 'protos');
  const masks = dropout ? maskInputs(g, spec.prototypeClasses.length, spec.dim) : null;
  const adaptor =
    spec.adaptor === 'transformer' ? adaptorGraph(g, prototypes, parameters, spec.dim, masks) : null;
  const projected = adaptor?.projected ?? prototypes;
  const comparison = distanceGraph(g, spec.similarity, x, projected, spec.dim);
  const weight = get(parameters, 'linear.weight');
  const logits = g.gemm(comparison.similarity, weight, { transB: true, c: get(parameters, 'linear.bias') });
  return { adaptor, projected, comparison, logits };
}

interface Loss {
  scalars: Value;
  /** [B, C] */
  gLogits: Value;
  /** [B, K], of the prototype loss only. */
  gDistance: Value;
}

function lossGraph(g: GraphBuilder, spec: GraphSpec, forward: Forward, labels: Value): Loss {
  const classification = spec.task === 'single' ? softmaxLoss : sigmoidLoss;
  const { loss: classLoss, gradient } = classification(
    g,
    g.mul(forward.logits, 1 / spec.temperature),
    labels,
  );
  const attraction = prototypeLoss(g, spec, forward.comparison.distance, labels);
  const loss = g.add(g.mul(classLoss, spec.lambda), g.mul(attraction.loss, 1 - spec.lambda));
  const distance = g.reshape(g.reduceMean(forward.comparison.distance, [0, 1], true), [1]);
  return {
    scalars: g.op('Concat', [loss, classLoss, attraction.loss, distance], { axis: 0 }),
    gLogits: g.mul(gradient, spec.lambda / spec.temperature),
    gDistance: g.mul(attraction.gradient, 1 - spec.lambda),
  };
}

/** Softmax cross-entropy, mean over the batch. */
function softmaxLoss(g: GraphBuilder, u: Value, labels: Value): { loss: Value; gradient: Value } {
  const perRow = g.reduceSum(g.mul(g.logSoftmax(u, -1), labels), [1], false);
  const batch = g.cast(g.gather(g.shape(u), g.integers([0])), 'float32');
  return {
    loss: g.neg(g.reduceMean(perRow, [0], true)),
    gradient: g.div(g.sub(g.softmax(u, -1), labels), batch),
  };
}

/** Binary cross-entropy of the sigmoid, mean over the batch and the labels. */
function sigmoidLoss(g: GraphBuilder, u: Value, labels: Value): { loss: Value; gradient: Value } {
  const each = g.sub(g.op('Softplus', [u]), g.mul(u, labels));
  const count = g.cast(g.op('Size', [u], {}, 'int64'), 'float32');
  return {
    loss: g.reshape(g.reduceMean(each, [0, 1], true), [1]),
    gradient: g.div(g.sub(g.sigmoid(u), labels), count),
  };
}

/**
 * Mean over prototypes of the smallest distance to a window of the batch: of the prototype's class, or of any.
 * Prototypes whose class is absent from the batch are left out of the mean.
 */
function prototypeLoss(
  g: GraphBuilder,
  spec: GraphSpec,
  distance: Value,
  labels: Value,
): { loss: Value; gradient: Value } {
  const k = spec.prototypeClasses.length;
  const own = new Float32Array(spec.classes * k);
  spec.prototypeClasses.forEach((c, prototype) => (own[c * k + prototype] = 1));
  const candidates =
    spec.prototypeLoss === 'all'
      ? g.greater(distance, -1)
      : g.greater(g.matMul(labels, g.floats(own, [spec.classes, k])), 0);
  const reachable = g.where(candidates, distance, FAR);
  const present = g.cast(g.greater(FAR / 2, g.reduceMin(reachable, [0], false)), 'float32');
  const count = g.max(g.reduceSum(present, [0], true), 1);
  const depth = g.gather(g.shape(distance), g.integers([0]));
  const nearest = g.transpose(g.oneHot(g.argMin(reachable, 0, false), depth), [1, 0]);
  const gradient = g.mul(nearest, g.div(present, count));
  return { loss: g.reshape(g.reduceSum(g.mul(gradient, distance), [0, 1], true), [1]), gradient };
}

interface AdamUpdate {
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
function adam(g: GraphBuilder, u: AdamUpdate): void {
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

function declare(g: GraphBuilder, shapes: Record<string, number[]>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, g.input(name, 'float32', shape)]),
  );
}

function get(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name];
  if (value === undefined) throw new Error(`the graph needs ${name}`);
  return value;
}
