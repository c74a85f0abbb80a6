import { CheckpointError } from '../checkpoint/errors.ts';

/** Bytes that the numbers of a graph may take: a single allocation of twice as many ends Electron's process. */
const MOST_BYTES = 2 ** 29;

/** What is left for numbers, whichever of its tensors they are in. */
export class Budget {
  #left = MOST_BYTES;

  /**
   * How many numbers a tensor has, before any room is made for them: what a file says of its sizes is not what it holds.
   * @throws CheckpointError `malformed` where there are too many
   */
  take(shape: readonly number[], isFloat: boolean): number {
    const count = shape.reduce((product, size) => product * size, 1);
    this.#left -= count * (isFloat ? 4 : 8);
    // What is no number, a size of zero beside one without end, is refused, too.
    if (!(this.#left >= 0)) throw damaged(`the tensors of the graph take more than ${MOST_BYTES} bytes`);
    return count;
  }
}

/** Numbers that a graph holds. */
export interface TfTensor {
  shape: readonly number[];
  /** Integers and truth values are numbers too. */
  isFloat: boolean;
  data: Float32Array | Float64Array;
}

/** What an attribute of an operator says, in the kinds that are read. */
export interface TfAttribute {
  text?: string;
  texts?: readonly string[];
  int?: number;
  ints?: readonly number[];
  float?: number;
  flag?: boolean;
  type?: string;
  /** Sizes; null for one that is open, null in all for any number of them. */
  shape?: readonly (number | null)[] | null;
  tensor?: TfTensor;
  /** Name of a function of the graph's library. */
  function?: string;
}

/** One operator. */
export interface TfNode {
  name: string;
  op: string;
  /** `node` or `node:output`; control inputs are left out. */
  inputs: readonly string[];
  attributes: ReadonlyMap<string, TfAttribute>;
}

/** A graph of TensorFlow with its weights in it, wherever it was read from: every function is written out. */
export type TfGraph = ReadonlyMap<string, TfNode>;

/** A node and which of its outputs. */
export function outputOf(reference: string): { node: string; index: number } {
  const match = /^(.*):(\d+)$/.exec(reference);
  return match ? { node: match[1] ?? '', index: Number(match[2]) } : { node: reference, index: 0 };
}

/** The graph is not what TensorFlow writes, or of a kind that is not read. */
export function damaged(problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError('malformed', problem, 'The file is damaged: get it again from its publisher.', {
    cause,
  });
}
