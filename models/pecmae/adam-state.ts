import { Tensor } from '../onnx/runtime.ts';
import { adamScalars } from './adam-graph.ts';
import { oneCycle } from './one-cycle.ts';

/** Values of every parameter by name. */
export type Parameters = Record<string, Float32Array>;

/** Parameters of a training run with the moments of Adam, as a graph that holds `adam` for each of them takes and gives them. */
export class AdamState {
  readonly #shapes: Readonly<Record<string, number[]>>;
  readonly #schedule: { steps: number; learningRate: number };
  #state: Record<string, Tensor> = {};
  /** Buffers of the state before last, which the next step may overwrite. */
  #spare: Record<string, Tensor> = {};
  #step = 0;

  constructor(
    shapes: Readonly<Record<string, number[]>>,
    initial: Readonly<Parameters>,
    schedule: { steps: number; learningRate: number },
  ) {
    this.#shapes = shapes;
    this.#schedule = schedule;
    for (const [name, shape] of Object.entries(shapes)) {
      const values = initial[name];
      if (values === undefined) throw new Error(`no initial value for ${name}`);
      for (const [key, data] of [
        [name, values.slice()],
        [`${name}.m`, new Float32Array(values.length)],
        [`${name}.v`, new Float32Array(values.length)],
      ] as const) {
        this.#state[key] = new Tensor('float32', data, shape);
        this.#spare[key] = new Tensor('float32', new Float32Array(values.length), shape);
      }
    }
  }

  /** What the next step is fed beside the data. */
  feeds(): Record<string, Tensor> {
    const { steps, learningRate } = this.#schedule;
    const schedule = oneCycle(this.#step, steps, learningRate);
    const { stepSize, root2 } = adamScalars(this.#step, schedule.learningRate, schedule.beta1);
    return {
      ...this.#state,
      beta1: scalar(schedule.beta1),
      stepSize: scalar(stepSize),
      root2: scalar(root2),
    };
  }

  /** Where the next state goes. */
  fetches(): Record<string, Tensor | null> {
    return Object.fromEntries(
      Object.keys(this.#state).map((name) => [`next.${name}`, this.#spare[name] ?? null]),
    );
  }

  /** Takes the next state from what a step gave. */
  advance(output: Readonly<Record<string, unknown>>): void {
    this.#spare = this.#state;
    this.#state = Object.fromEntries(
      Object.keys(this.#state).map((name) => [name, tensorOf(output, `next.${name}`)]),
    );
    this.#step += 1;
  }

  /** Every parameter as it stands, without its moments. */
  tensors(): Record<string, Tensor> {
    return Object.fromEntries(Object.keys(this.#shapes).map((name) => [name, tensorOf(this.#state, name)]));
  }

  /** A copy of every parameter as it stands. */
  parameters(): Parameters {
    return Object.fromEntries(
      Object.keys(this.#shapes).map((name) => [name, floatsOf(this.#state, name).slice()]),
    );
  }

  /** The numbers of a parameter, which a change of them changes. */
  values(name: string): Float32Array {
    return floatsOf(this.#state, name);
  }
}

function scalar(value: number): Tensor {
  return new Tensor('float32', Float32Array.of(value), []);
}

/** A tensor that ONNX Runtime gave. */
export function tensorOf(values: Readonly<Record<string, unknown>>, name: string): Tensor {
  const value = values[name];
  if (!(value instanceof Tensor)) throw new Error(`ONNX Runtime returned no ${name}`);
  return value;
}

/** The numbers of a float32 tensor that ONNX Runtime gave. */
export function floatsOf(values: Readonly<Record<string, unknown>>, name: string): Float32Array {
  const { data } = tensorOf(values, name);
  if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
  return data;
}
