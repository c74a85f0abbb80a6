import { setImmediate as nextTurn } from 'node:timers/promises';
import { Random } from '../../numerics/random.ts';
import { at } from '../../numerics/vectors.ts';
import { InferenceSession, Tensor } from '../../onnx/runtime.ts';
import { AdamState, type Parameters } from '../../pecmae/adam-state.ts';
import type { MelodyEvent } from './events.ts';
import { Heard, inputNames, type EventInputs } from './inputs.ts';
import {
  lstmShapes,
  lstmStepGraph,
  lstmTrainingGraph,
  type LstmBatchSize,
  type LstmSpec,
} from './lstm-graph.ts';
import { LstmModel } from './lstm.ts';
import { surpriseAt } from './model.ts';

/** How an LSTM is trained. */
export interface LstmSettings extends LstmSpec, LstmBatchSize {
  steps: number;
  /** The highest of the one-cycle schedule. */
  learningRate: number;
  /** Share of the numbers before each layer and the heads that a step leaves out. */
  dropout: number;
  seed: number;
}

export const defaultLstmSettings: LstmSettings = {
  units: 128,
  layers: 1,
  embedding: { move: 32, duration: 8, degree: 8, beat: 8 },
  rows: 16,
  length: 32,
  steps: 900,
  learningRate: 5e-3,
  dropout: 0.5,
  seed: 1,
};

export interface LstmTrainOptions {
  signal?: AbortSignal;
  /** Steps that are done, at most `settings.steps`. */
  onStep?: (step: number) => void;
  pace?: () => Promise<void>;
}

/** What came of a training. */
export interface TrainedLstm {
  /** Of {@link lstmStepGraph}. */
  graph: Uint8Array;
  /** After so many steps it was as it is kept. */
  step: number;
}

type Melodies = readonly (readonly MelodyEvent[])[];

/** Steps between two looks at what was not learned from. */
const LOOK_EVERY = 25;
/** Looks without anything better, after which more steps are in vain. */
const PATIENCE = 8;
/** Events that such a look reads. */
const MOST_LOOKED_AT = 1500;

/**
 * Trains an LSTM on melodies, from windows of them that begin at their beginning or anywhere. With `validation` it is kept as
 * it was when that surprised it least; without, as it is after `until` steps of the schedule.
 * Same melodies, same settings, same bytes.
 * @throws RangeError without events; the signal's reason
 */
export async function trainLstm(
  melodies: Melodies,
  settings: LstmSettings,
  { validation, until = settings.steps }: { validation?: Melodies; until?: number },
  { signal, onStep, pace }: LstmTrainOptions = {},
): Promise<TrainedLstm> {
  const random = new Random(settings.seed);
  const told = melodies.filter(({ length }) => length > 0).map(toldOf);
  if (told.length === 0) throw new RangeError('no melody to learn from');
  const looked = validation && firstOf(validation, MOST_LOOKED_AT);
  const shapes = lstmShapes(settings);
  const state = new AdamState(shapes, initial(settings, random), settings);
  const session = await InferenceSession.create(lstmTrainingGraph(settings, settings), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  try {
    let best: { perNote: number; graph: Uint8Array; step: number } | null = null;
    for (let step = 1; step <= until; step++) {
      signal?.throwIfAborted();
      const feeds = { ...batchOf(told, settings, random), ...state.feeds() };
      state.advance(await session.run(feeds, { loss: null, ...state.fetches() }));
      onStep?.(step);
      await (pace?.() ?? nextTurn());
      if (!looked || (step % LOOK_EVERY !== 0 && step !== until)) continue;
      const graph = lstmStepGraph(settings, state.parameters());
      const { perNote } = await surpriseOf(graph, looked, signal);
      if (!best || perNote < best.perNote) best = { perNote, graph, step };
      else if (step - best.step >= PATIENCE * LOOK_EVERY) break;
    }
    return best ?? { graph: lstmStepGraph(settings, state.parameters()), step: until };
  } finally {
    await session.release();
  }
}

async function surpriseOf(graph: Uint8Array, melodies: Melodies, signal?: AbortSignal) {
  const model = await LstmModel.open(graph);
  try {
    return await surpriseAt(model, melodies, signal);
  } finally {
    await model.close();
  }
}

/** Melodies, one by one, until there are so many events. */
function firstOf(melodies: Melodies, events: number): Melodies {
  let count = 0;
  return melodies.filter(({ length }) => {
    const wanted = count < events;
    count += length;
    return wanted;
  });
}

/** What the network is told before each event of a melody, and what it should say. */
export interface Told {
  inputs: EventInputs[];
  move: number[];
  duration: number[];
}

export function toldOf(melody: readonly MelodyEvent[]): Told {
  const heard = new Heard();
  const told: Told = { inputs: [], move: [], duration: [] };
  for (const event of melody) {
    told.inputs.push(heard.inputs(event.beat));
    told.move.push(heard.moveTo(event.pitch));
    told.duration.push(event.duration);
    heard.take(event);
  }
  return told;
}

/** Data of one step, as {@link lstmTrainingGraph} takes it. */
export function batchOf(
  melodies: readonly Told[],
  { rows, length, layers, units, embedding, dropout }: LstmSettings,
  random: Random,
): Record<string, Tensor> {
  const n = rows * length;
  const whole = (): BigInt64Array<ArrayBuffer> => new BigInt64Array(n);
  const inputs = Object.fromEntries(inputNames.map((name) => [name, whole()]));
  const [move, duration, weight] = [whole(), whole(), new Float32Array(n)];
  let events = 0;
  const ends = melodies.map(({ move: all }) => (events += all.length));
  let counted = 0;
  for (let row = 0; row < rows; row++) {
    // A melody as often as it is long; its beginning as often as half a window would reach over it.
    const drawn = random.integer(events);
    const melody = melodies[ends.findIndex((end) => drawn < end)];
    if (!melody) continue;
    const half = Math.floor(length / 2);
    const from = Math.max(0, random.integer(melody.move.length + half) - half);
    for (let t = 0; t < length && from + t < melody.move.length; t++) {
      const [place, event] = [t * rows + row, from + t];
      for (const name of inputNames) {
        const values = inputs[name];
        if (values) values[place] = BigInt(melody.inputs[event]?.[name] ?? 0);
      }
      move[place] = BigInt(melody.move[event] ?? 0);
      duration[place] = BigInt(melody.duration[event] ?? 0);
      weight[place] = 1;
      counted += 1;
    }
  }
  const feeds: Record<string, Tensor> = {
    move: new Tensor('int64', move, [n]),
    duration: new Tensor('int64', duration, [n]),
    weight: new Tensor(
      'float32',
      weight.map((one) => one / counted),
      [n],
    ),
  };
  for (const name of inputNames) feeds[`in.${name}.at`] = new Tensor('int64', inputs[name] ?? whole(), [n]);
  const width = inputNames.reduce((sum, name) => sum + embedding[name], 0);
  for (let i = 0; i <= layers; i++) {
    const size = i === 0 ? width : units;
    feeds[`keep${i}`] = new Tensor('float32', keepFactors(n * size, dropout, random), [n, size]);
  }
  return feeds;
}

function keepFactors(count: number, dropout: number, random: Random): Float32Array {
  const factors = new Float32Array(count).fill(1);
  if (dropout === 0) return factors;
  const limit = dropout * 2 ** 32;
  for (let i = 0; i < count; i++) factors[i] = random.bits() < limit ? 0 : 1 / (1 - dropout);
  return factors;
}

function initial(spec: LstmSpec, random: Random): Parameters {
  const values: Parameters = {};
  for (const [name, shape] of Object.entries(lstmShapes(spec))) {
    const size = shape.reduce((a, b) => a * b, 1);
    const drawn = new Float32Array(size);
    const bias = shape.length === 1 || name === 'duration.of';
    const scale = name.startsWith('in.') ? 0.3 : 1 / Math.sqrt(at(shape, 0));
    if (!bias) for (let i = 0; i < size; i++) drawn[i] = scale * random.normal();
    // Forget gates begin open: what was heard is kept until something says otherwise (Jozefowicz and others 2015).
    if (/^l\d+\.b$/.test(name)) drawn.fill(1, spec.units, 2 * spec.units);
    values[name] = drawn;
  }
  return values;
}
