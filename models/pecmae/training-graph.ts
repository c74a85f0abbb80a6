import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { adam } from './adam-graph.ts';
import { adaptorGraph, adaptorShapes, maskInputs, type AdaptorGraph } from './adaptor.ts';
import { distanceGraph, type DistanceGraph, type SimilarityKind } from './distance-graph.ts';
import { classificationLosses, prototypeLoss, type PrototypeLossKind } from './loss-graph.ts';

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
  prototypeLoss: PrototypeLossKind;
  /** Of a two-sided loss the share of the windows' side, 0…1; ½ when left out. */
  coverage?: number;
  /** Whether every number of every prototype has a weight of its own in the distance; not when left out. */
  channelWeights?: boolean;
}

/** Names of the scalars in the output `scalars`, in order. */
export const scalarNames = ['loss', 'classLoss', 'prototypeLoss', 'meanDistance'] as const;

/** Parameter [K, D] whose softmax over D, times D, are the weights of the channels. */
export const CHANNELS = 'channels';

/** Trainable parameters by name, with shapes; names are those of the reference checkpoints. */
export function parameterShapes(spec: GraphSpec): Record<string, number[]> {
  const k = spec.prototypeClasses.length;
  return {
    protos: [k, spec.dim],
    'linear.weight': [spec.classes, k],
    'linear.bias': [spec.classes],
    ...(spec.channelWeights === true ? { [CHANNELS]: [k, spec.dim] } : {}),
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
  const gCompared = forward.comparison.backward(
    loss.gDistance,
    g.gemm(gLogits, get(parameters, 'linear.weight')),
  );
  const gradients: Record<string, Value> = {
    ...(forward.adaptor ? forward.adaptor.backward(gCompared.prototypes) : { protos: gCompared.prototypes }),
    ...(gCompared.channels && { [CHANNELS]: gCompared.channels }),
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
  const channels = spec.channelWeights === true ? get(parameters, CHANNELS) : null;
  const comparison = distanceGraph(g, spec.similarity, x, projected, spec.dim, channels);
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
  const { loss: classLoss, gradient } = classificationLosses[spec.task](
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
