import type { GraphBuilder, Value } from '../onnx/builder.ts';

/** Larger than any distance, small enough to stay finite in float32. */
const FAR = 1e30;

/**
 * What a prototype loss draws together: every prototype and the nearest window of its class (`class`, PECMAE), or of any
 * (`all`); `two-sided` (APNet, Electronics 10(7) 850, eq. 6) also every window and the prototype nearest to it.
 */
export type PrototypeLossKind = 'class' | 'all' | 'two-sided';

/** What a prototype loss depends on; see `GraphSpec`. */
export interface PrototypeLossSpec {
  classes: number;
  prototypeClasses: readonly number[];
  prototypeLoss: PrototypeLossKind;
  /** Of a two-sided loss the share of the windows' side, 0…1; ½ when left out. */
  coverage?: number;
}

type ClassificationLoss = (g: GraphBuilder, u: Value, labels: Value) => { loss: Value; gradient: Value };

/** The loss of logits [B, C] over the temperature against labels [B, C] of 0 and 1, [1], with its gradient [B, C]. */
export const classificationLosses: Record<'single' | 'multi', ClassificationLoss> = {
  single: softmaxLoss,
  multi: sigmoidLoss,
};

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

/** The prototype loss of a kind [1], with its gradient by the distances [B, K]. */
export function prototypeLoss(
  g: GraphBuilder,
  spec: PrototypeLossSpec,
  distance: Value,
  labels: Value,
): { loss: Value; gradient: Value } {
  if (spec.prototypeLoss !== 'two-sided') return nearestWindows(g, spec, distance, labels);
  const coverage = spec.coverage ?? 1 / 2;
  const near = nearestWindows(g, { ...spec, prototypeLoss: 'all' }, distance, labels);
  const covered = nearestPrototypes(g, spec.prototypeClasses.length, distance);
  const mix = (a: Value, b: Value): Value => g.add(g.mul(a, 1 - coverage), g.mul(b, coverage));
  return { loss: mix(near.loss, covered.loss), gradient: mix(near.gradient, covered.gradient) };
}

/** Mean over windows of the smallest distance to a prototype of any class. */
function nearestPrototypes(g: GraphBuilder, prototypes: number, distance: Value) {
  const nearest = g.oneHot(g.argMin(distance, 1, false), g.integers([prototypes]));
  const batch = g.cast(g.gather(g.shape(distance), g.integers([0])), 'float32');
  const gradient = g.div(nearest, batch);
  return { loss: g.reshape(g.reduceSum(g.mul(gradient, distance), [0, 1], true), [1]), gradient };
}

/**
 * Mean over prototypes of the smallest distance to a window of the batch: of the prototype's class, or of any.
 * Prototypes whose class is absent from the batch are left out of the mean.
 */
function nearestWindows(
  g: GraphBuilder,
  spec: PrototypeLossSpec,
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
