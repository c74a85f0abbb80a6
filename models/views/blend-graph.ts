import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { adam } from '../pecmae/adam-graph.ts';
import { distanceGraph, type DistanceGraph } from '../pecmae/distance-graph.ts';
import { classificationLosses, prototypeLoss } from '../pecmae/loss-graph.ts';

/** Everything that shapes the graphs of a training of several views; the batch is not fixed. */
export interface BlendSpec {
  /** Numbers per vector of each view. */
  dims: readonly number[];
  classes: number;
  /** Class of each prototype of a view, the same in every view. */
  prototypeClasses: readonly number[];
  task: 'single' | 'multi';
  /** Share of the classification losses; 1 − lambda is that of the prototype losses. */
  lambda: number;
  temperature: number;
  weightDecay: number;
}

/** The number of branches: each view on its own, and the joint head. */
export const branchesOf = ({ dims }: Pick<BlendSpec, 'dims'>): number => dims.length + 1;

/** Names of the parameters of a view, or of the joint head. */
export const parameterNames = {
  prototypes: (view: number) => `view${view}.prototypes`,
  weight: (view: number) => `view${view}.weight`,
  bias: (view: number) => `view${view}.bias`,
  jointWeight: 'joint.weight',
  jointBias: 'joint.bias',
} as const;

/** Trainable parameters by name, with shapes: K prototypes per view of V views. */
export function blendShapes({ dims, classes, prototypeClasses }: BlendSpec): Record<string, number[]> {
  const k = prototypeClasses.length;
  return {
    ...Object.fromEntries(
      dims.flatMap((dim, v) => [
        [parameterNames.prototypes(v), [k, dim]],
        [parameterNames.weight(v), [classes, k]],
        [parameterNames.bias(v), [classes]],
      ]),
    ),
    [parameterNames.jointWeight]: [classes, k * dims.length],
    [parameterNames.jointBias]: [classes],
  };
}

/**
 * One training step as one graph: a prototype network per view and a joint head on the similarities of all views; forward,
 * hand-derived backward, Adam. What is minimised is λ·Σ_b w_b·L_b + (1 − λ)·mean_v P_v, of the classification losses L of
 * the branches and the prototype losses P of the views.
 *
 * Inputs: `x0 … ` [n, D_v], `y` [n, C], `rows` int64 [B], `blend` [V + 1] the weights w; what Adam needs (`adam-graph.ts`).
 * Outputs: `losses` [V + 1] of the branches, `prototypeLoss` [1], `logits` [B, C] of the joint head, `gradient.*` when
 * asked for, and the next state.
 */
export function buildBlendGraph(spec: BlendSpec, options: { gradients?: boolean } = {}): Uint8Array {
  const g = new GraphBuilder('views-step');
  const shapes = blendShapes(spec);
  const parameters = declare(g, shapes);
  const x = spec.dims.map((dim, v) => g.input(`x${v}`, 'float32', ['n', dim]));
  const y = g.input('y', 'float32', ['n', spec.classes]);
  const rows = g.input('rows', 'int64', ['batch']);
  const blend = g.input('blend', 'float32', [branchesOf(spec)]);
  const beta1 = g.input('beta1', 'float32', []);
  const stepSize = g.input('stepSize', 'float32', []);
  const root2 = g.input('root2', 'float32', []);
  const labels = g.gather(y, rows);
  const forward = forwardGraph(
    g,
    spec,
    parameters,
    x.map((all) => g.gather(all, rows)),
  );
  const loss = lossesOf(g, spec, forward, labels);
  const views = spec.dims.length;
  const scaled = loss.gradients.map((gradient, b) =>
    g.mul(gradient, g.mul(g.gather(blend, g.integers([b])), spec.lambda / spec.temperature)),
  );
  const gJoint = at(scaled, views);
  const gSimilarities = g.gemm(gJoint, parameter(parameters, parameterNames.jointWeight));
  const k = spec.prototypeClasses.length;
  const gradients: Record<string, Value> = {
    [parameterNames.jointWeight]: g.gemm(gJoint, forward.similarities, { transA: true }),
    [parameterNames.jointBias]: g.reduceSum(gJoint, [0], false),
  };
  forward.views.forEach(({ comparison }, v) => {
    const gLogits = at(scaled, v);
    const gSimilarity = g.add(
      g.gemm(gLogits, parameter(parameters, parameterNames.weight(v))),
      g.slice(gSimilarities, v * k, (v + 1) * k, 1),
    );
    const attraction = g.mul(at(loss.attraction, v), (1 - spec.lambda) / views);
    gradients[parameterNames.prototypes(v)] = comparison.backward(attraction, gSimilarity).prototypes;
    gradients[parameterNames.weight(v)] = g.gemm(gLogits, comparison.similarity, { transA: true });
    gradients[parameterNames.bias(v)] = g.reduceSum(gLogits, [0], false);
  });
  g.output('losses', loss.losses, [branchesOf(spec)]);
  g.output('prototypeLoss', loss.prototypeLoss, [1]);
  g.output('logits', at(forward.logits, views), ['batch', spec.classes]);
  const scalars = { beta1, stepSize, root2, rest1: g.sub(1, beta1) };
  for (const [name, shape] of Object.entries(shapes)) {
    const gradient = parameter(gradients, name);
    if (options.gradients === true) g.output(`gradient.${name}`, gradient, shape);
    const own = parameter(parameters, name);
    adam(g, { name, shape, parameter: own, gradient, weightDecay: spec.weightDecay, ...scalars });
  }
  return g.build();
}

/**
 * The forward pass on all rows given and the losses on them as one batch. Inputs: `x0 …`, `y`, the parameters. Outputs:
 * `losses` [V + 1], `prototypeLoss` [1], `logits0 …` [n, C] of every branch.
 */
export function buildBlendEvaluation(spec: BlendSpec): Uint8Array {
  const g = new GraphBuilder('views-evaluation');
  const parameters = declare(g, blendShapes(spec));
  const x = spec.dims.map((dim, v) => g.input(`x${v}`, 'float32', ['n', dim]));
  const y = g.input('y', 'float32', ['n', spec.classes]);
  const forward = forwardGraph(g, spec, parameters, x);
  const { losses, prototypeLoss: attraction } = lossesOf(g, spec, forward, y);
  g.output('losses', losses, [branchesOf(spec)]);
  g.output('prototypeLoss', attraction, [1]);
  forward.logits.forEach((logits, b) => g.output(`logits${b}`, logits, ['n', spec.classes]));
  return g.build();
}

interface Forward {
  views: { comparison: DistanceGraph }[];
  /** [B, V·K] */
  similarities: Value;
  /** Of each branch, [B, C]. */
  logits: Value[];
}

function forwardGraph(
  g: GraphBuilder,
  spec: BlendSpec,
  parameters: Readonly<Record<string, Value>>,
  x: readonly Value[],
): Forward {
  const views = spec.dims.map((dim, v) => {
    const prototypes = parameter(parameters, parameterNames.prototypes(v));
    return { comparison: distanceGraph(g, 'l2', at(x, v), prototypes, dim) };
  });
  const similarities = g.concat(
    views.map(({ comparison }) => comparison.similarity),
    1,
  );
  const head = (similarity: Value, weight: string, bias: string): Value =>
    g.gemm(similarity, parameter(parameters, weight), { transB: true, c: parameter(parameters, bias) });
  const own = views.map(({ comparison }, v) =>
    head(comparison.similarity, parameterNames.weight(v), parameterNames.bias(v)),
  );
  const joint = head(similarities, parameterNames.jointWeight, parameterNames.jointBias);
  return { views, similarities, logits: [...own, joint] };
}

interface BranchLossValues {
  /** [V + 1] */
  losses: Value;
  /** Of each branch, [B, C]: of its loss by its logits over the temperature. */
  gradients: Value[];
  /** [1]: mean over the views. */
  prototypeLoss: Value;
  /** Of each view, [B, K]: of its prototype loss by the distances. */
  attraction: Value[];
}

function lossesOf(g: GraphBuilder, spec: BlendSpec, forward: Forward, labels: Value): BranchLossValues {
  const branches = forward.logits.map((logits) =>
    classificationLosses[spec.task](g, g.mul(logits, 1 / spec.temperature), labels),
  );
  const kind = { ...spec, prototypeLoss: 'class' } as const;
  const attractions = forward.views.map(({ comparison }) =>
    prototypeLoss(g, kind, comparison.distance, labels),
  );
  const all = g.concat(
    attractions.map(({ loss }) => loss),
    0,
  );
  return {
    losses: g.concat(
      branches.map(({ loss }) => loss),
      0,
    ),
    gradients: branches.map(({ gradient }) => gradient),
    prototypeLoss: g.reduceMean(all, [0], true),
    attraction: attractions.map(({ gradient }) => gradient),
  };
}

function declare(g: GraphBuilder, shapes: Record<string, number[]>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, g.input(name, 'float32', shape)]),
  );
}

function parameter(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name];
  if (value === undefined) throw new Error(`the graph needs ${name}`);
  return value;
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no ${index} of ${values.length}`);
  return value;
}
