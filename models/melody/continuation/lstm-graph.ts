import { GraphBuilder, type Value } from '../../onnx/builder.ts';
import { adam } from '../../pecmae/adam-graph.ts';
import type { Parameters } from '../../pecmae/adam-state.ts';
import { DURATIONS } from './events.ts';
import { inputNames, INPUTS, MOVES, type InputName } from './inputs.ts';

/** Sizes of the network, and of what one training step sees. */
export interface LstmSpec {
  /** Units of each layer. */
  units: number;
  layers: number;
  /** Numbers that each input becomes. */
  embedding: Readonly<Record<InputName, number>>;
}

export interface LstmBatchSize {
  /** Melodies side by side. */
  rows: number;
  /** Events of each. */
  length: number;
}

/** Gradients longer than this, over all parameters, are shortened to it. */
const LONGEST_GRADIENT = 1;
const WEIGHT_DECAY = 1e-5;

/** Parameters by name. */
export function lstmShapes({ units, layers, embedding }: LstmSpec): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  for (const name of inputNames) shapes[`in.${name}`] = [INPUTS[name], embedding[name]];
  let width = inputNames.reduce((sum, name) => sum + embedding[name], 0);
  for (let layer = 0; layer < layers; layer++) {
    shapes[`l${layer}.w`] = [width, 4 * units];
    shapes[`l${layer}.u`] = [units, 4 * units];
    shapes[`l${layer}.b`] = [4 * units];
    width = units;
  }
  return {
    ...shapes,
    ...{ 'move.w': [units, MOVES], 'move.b': [MOVES] },
    ...{ 'duration.w': [units, DURATIONS], 'duration.b': [DURATIONS], 'duration.of': [MOVES, DURATIONS] },
  };
}

/** A layer as it was run, for the way back. */
interface Layer {
  input: Value;
  /** By time; gates after their non-linearity. */
  steps: { gates: Gates; before: { h: Value; c: Value }; tanhC: Value }[];
}

interface Gates {
  i: Value;
  f: Value;
  o: Value;
  g: Value;
}

/** One step of an LSTM (Hochreiter, Schmidhuber 1997, with forget gates). @param z [B, 4·units]: input, forget, output, candidate */
function cell(
  g: GraphBuilder,
  z: Value,
  c: Value,
  units: number,
): { gates: Gates; h: Value; c: Value; tanhC: Value } {
  const open = g.sigmoid(g.slice(z, 0, 3 * units, 1));
  const gates = {
    i: g.slice(open, 0, units, 1),
    f: g.slice(open, units, 2 * units, 1),
    o: g.slice(open, 2 * units, 3 * units, 1),
    g: g.op('Tanh', [g.slice(z, 3 * units, 4 * units, 1)]),
  };
  const next = g.add(g.mul(gates.f, c), g.mul(gates.i, gates.g));
  const tanhC = g.op('Tanh', [next]);
  return { gates, h: g.mul(gates.o, tanhC), c: next, tanhC };
}

/**
 * One training step: forward, back through time, Adam.
 *
 * Inputs, time after time with the rows of each together, N = length · rows: `in.move.at [N]` … (int64), `move [N]` and
 * `duration [N]` (int64), what follows; `weight [N]`, which sum to 1 (0 where a melody has ended); `keep0 … [N, …]`, dropout
 * factors before each layer and the heads; parameters and the inputs of Adam. Outputs: `loss []`, the weighted sum of
 * −log p of move and duration; `next.…`; with `gradients`, `grad.…`, as they are before they are shortened.
 */
export function lstmTrainingGraph(
  spec: LstmSpec,
  { rows, length }: LstmBatchSize,
  { gradients = false } = {},
): Uint8Array {
  const { units, layers } = spec;
  const n = rows * length;
  const g = new GraphBuilder('melody-lstm-step');
  const shapes = lstmShapes(spec);
  const parameters = new Map(
    Object.entries(shapes).map(([name, shape]) => [name, g.input(name, 'float32', shape)]),
  );
  const own = (name: string): Value => taken(parameters, name);
  const at = (t: number, value: Value): Value => g.slice(value, t * rows, (t + 1) * rows, 0);
  const slopes = new Map<string, Value>();

  const hots = inputNames.map((name) => ({
    name,
    hot: hot(g, g.input(`in.${name}.at`, 'int64', [n]), INPUTS[name]),
  }));
  let x = g.concat(
    hots.map(({ name, hot: rowsOf }) => g.matMul(rowsOf, own(`in.${name}`))),
    1,
  );
  const width = taken(new Map(Object.entries(shapes)), 'l0.w')[0] ?? 0;
  const keeps = Array.from({ length: layers + 1 }, (_, i) =>
    g.input(`keep${i}`, 'float32', [n, i === 0 ? width : units]),
  );
  const kept = (i: number, value: Value): Value => g.mul(value, taken(new Map(keeps.entries()), i));
  const zero = g.floats(new Float32Array(rows * units), [rows, units]);
  const run: Layer[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const input = kept(layer, x);
    const z = g.add(g.matMul(input, own(`l${layer}.w`)), own(`l${layer}.b`));
    let state = { h: zero, c: zero };
    const steps: Layer['steps'] = [];
    const outputs: Value[] = [];
    for (let t = 0; t < length; t++) {
      const own0 = at(t, z);
      const made = cell(
        g,
        t === 0 ? own0 : g.add(own0, g.matMul(state.h, own(`l${layer}.u`))),
        state.c,
        units,
      );
      steps.push({ gates: made.gates, before: state, tanhC: made.tanhC });
      state = { h: made.h, c: made.c };
      outputs.push(made.h);
    }
    run.push({ input, steps });
    x = g.concat(outputs, 0);
  }
  const h = kept(layers, x);
  const move = hot(g, g.input('move', 'int64', [n]), MOVES);
  const duration = hot(g, g.input('duration', 'int64', [n]), DURATIONS);
  const weight = g.reshape(g.input('weight', 'float32', [n]), [n, 1]);
  const logMove = g.logSoftmax(g.add(g.matMul(h, own('move.w')), own('move.b')), 1);
  const zDuration = g.add(g.matMul(h, own('duration.w')), own('duration.b'));
  const logDuration = g.logSoftmax(g.add(zDuration, g.matMul(move, own('duration.of'))), 1);
  const sum = (value: Value): Value => g.reduceSum(g.mul(value, weight), [0, 1], false);
  g.output('loss', g.neg(g.add(sum(g.mul(logMove, move)), sum(g.mul(logDuration, duration)))), []);

  const dMove = g.mul(g.sub(g.exp(logMove), move), weight);
  const dDuration = g.mul(g.sub(g.exp(logDuration), duration), weight);
  const down = (d: Value, of: string): Value => g.gemm(d, own(of), { transB: true });
  const across = (a: Value, d: Value): Value => g.gemm(a, d, { transA: true });
  slopes.set('move.w', across(h, dMove)).set('move.b', g.reduceSum(dMove, [0], false));
  slopes.set('duration.w', across(h, dDuration)).set('duration.b', g.reduceSum(dDuration, [0], false));
  slopes.set('duration.of', across(move, dDuration));
  let dX = kept(layers, g.add(down(dMove, 'move.w'), down(dDuration, 'duration.w')));
  for (let layer = layers - 1; layer >= 0; layer--) {
    const { input, steps } = run[layer] ?? { input: x, steps: [] };
    const dZ: Value[] = [];
    let dH: Value | null = null;
    let dC: Value | null = null;
    for (let t = length - 1; t >= 0; t--) {
      const step = steps[t];
      if (!step) continue;
      const { gates, before, tanhC } = step;
      const dOut: Value = dH ? g.add(at(t, dX), dH) : at(t, dX);
      // 1 − tanh², σ(1 − σ): slopes of the non-linearities by what came out of them.
      const bent = (y: Value): Value => g.sub(1, g.mul(y, y));
      const shut = (y: Value): Value => g.mul(y, g.sub(1, y));
      const through: Value = g.mul(g.mul(dOut, gates.o), bent(tanhC));
      const dCell: Value = dC ? g.add(through, dC) : through;
      const dGates: Value = g.concat(
        [
          g.mul(g.mul(dCell, gates.g), shut(gates.i)),
          g.mul(g.mul(dCell, before.c), shut(gates.f)),
          g.mul(g.mul(dOut, tanhC), shut(gates.o)),
          g.mul(g.mul(dCell, gates.i), bent(gates.g)),
        ],
        1,
      );
      dZ.unshift(dGates);
      dH = down(dGates, `l${layer}.u`);
      dC = g.mul(dCell, gates.f);
    }
    const all = g.concat(dZ, 0);
    const befores = g.concat(
      steps.map(({ before }) => before.h),
      0,
    );
    slopes.set(`l${layer}.w`, across(input, all)).set(`l${layer}.u`, across(befores, all));
    slopes.set(`l${layer}.b`, g.reduceSum(all, [0], false));
    dX = kept(layer, down(all, `l${layer}.w`));
  }
  let from = 0;
  for (const { name, hot: rowsOf } of hots) {
    const size = spec.embedding[name];
    slopes.set(`in.${name}`, across(rowsOf, g.slice(dX, from, from + size, 1)));
    from += size;
  }
  update(g, shapes, parameters, slopes, gradients);
  return g.build();
}

/** Gradients, shortened together where they are long, into Adam. */
function update(
  g: GraphBuilder,
  shapes: Record<string, number[]>,
  parameters: ReadonlyMap<string, Value>,
  slopes: ReadonlyMap<string, Value>,
  gradients: boolean,
): void {
  const squares = [...slopes].map(([name, slope]) =>
    g.reshape(g.reduceSum(g.mul(slope, slope), shapes[name]?.length === 1 ? [0] : [0, 1], false), [1]),
  );
  const norm = g.sqrt(g.reduceSum(g.concat(squares, 0), [0], true));
  const share = g.div(LONGEST_GRADIENT, g.max(norm, LONGEST_GRADIENT));
  const beta1 = g.input('beta1', 'float32', []);
  const stepSize = g.input('stepSize', 'float32', []);
  const root2 = g.input('root2', 'float32', []);
  const rest1 = g.sub(1, beta1);
  for (const [name, shape] of Object.entries(shapes)) {
    const slope = taken(slopes, name);
    if (gradients) g.output(`grad.${name}`, slope, shape);
    adam(g, {
      ...{ name, shape, parameter: taken(parameters, name), gradient: g.mul(slope, share) },
      ...{ weightDecay: WEIGHT_DECAY, beta1, rest1, stepSize, root2 },
    });
  }
}

/**
 * The trained network, one event at a time with explicit state, weights inside.
 *
 * Inputs: `move [1]`, `duration [1]`, `degree [1]`, `beat [1]` (int64, {@link INPUTS}); `h` and `c [layers, units]`, 0 at the
 * beginning. Outputs: `moves [MOVES]`, log-probabilities of the next move; `durations [MOVES, DURATIONS]`, those of its
 * duration by the move; `nextH`, `nextC`.
 */
export function lstmStepGraph(spec: LstmSpec, values: Readonly<Parameters>): Uint8Array {
  const { units, layers } = spec;
  const g = new GraphBuilder('melody-lstm');
  const weights = new Map(
    Object.entries(lstmShapes(spec)).map(([name, shape]) => {
      const data = values[name];
      if (!data) throw new RangeError(`no weight ${name}`);
      return [name, g.weight(name, shape, data)];
    }),
  );
  const own = (name: string): Value => taken(weights, name);
  let x = g.concat(
    inputNames.map((name) => g.gather(own(`in.${name}`), g.input(name, 'int64', [1]))),
    1,
  );
  const [h, c] = [g.input('h', 'float32', [layers, units]), g.input('c', 'float32', [layers, units])];
  const [hs, cs]: [Value[], Value[]] = [[], []];
  for (let layer = 0; layer < layers; layer++) {
    const [h0, c0] = [g.slice(h, layer, layer + 1, 0), g.slice(c, layer, layer + 1, 0)];
    const z = g.add(
      g.add(g.matMul(x, own(`l${layer}.w`)), own(`l${layer}.b`)),
      g.matMul(h0, own(`l${layer}.u`)),
    );
    const made = cell(g, z, c0, units);
    hs.push(made.h);
    cs.push(made.c);
    x = made.h;
  }
  const moves = g.logSoftmax(g.add(g.matMul(x, own('move.w')), own('move.b')), 1);
  g.output('moves', g.reshape(moves, [MOVES]), [MOVES]);
  const durations = g.add(g.add(g.matMul(x, own('duration.w')), own('duration.b')), own('duration.of'));
  g.output('durations', g.logSoftmax(durations, 1), [MOVES, DURATIONS]);
  g.output('nextH', g.concat(hs, 0), [layers, units]);
  g.output('nextC', g.concat(cs, 0), [layers, units]);
  return g.build();
}

function hot(g: GraphBuilder, indices: Value, depth: number): Value {
  return g.oneHot(indices, g.integers([depth], []));
}

function taken<K, V>(values: ReadonlyMap<K, V>, name: K): V {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`no ${String(name)}`);
  return value;
}
