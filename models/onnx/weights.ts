import type { TensorSource } from '../checkpoint/source.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { GraphBuildError } from './errors.ts';

/**
 * The weights of a checkpoint on their way into a graph. What the file stores once is read once and stored once in the
 * graph, whatever number of names it has there.
 */
export class Weights {
  readonly graph: GraphBuilder;
  /** Begins the names that the weights get in the graph. */
  readonly prefix: string;
  readonly #source: TensorSource;
  readonly #loaded: Map<string, Promise<Value>>;

  /** @param prefix the part of the model, such as `encoder`: begins every name looked up and every name in the graph */
  constructor(graph: GraphBuilder, source: TensorSource, prefix = '', shared?: Weights) {
    this.graph = graph;
    this.prefix = prefix;
    this.#source = source;
    this.#loaded = shared === undefined ? new Map<string, Promise<Value>>() : shared.#loaded;
  }

  /** The weights named `part.…`. */
  under(part: string): Weights {
    return new Weights(this.graph, this.#source, this.#full(part), this);
  }

  /** Every name below the prefix, without it. */
  names(): string[] {
    return this.#source.under(this.prefix).names();
  }

  has(name: string): boolean {
    return this.#source.has(this.#full(name));
  }

  /** @throws CheckpointError `missing-tensor` */
  shape(name: string): readonly number[] {
    return this.#source.shape(this.#full(name));
  }

  /**
   * A weight as the checkpoint has it.
   * @param dims what the model expects, where it does
   * @throws GraphBuildError on other sizes; CheckpointError when it is missing or unreadable
   */
  load(name: string, dims?: readonly number[]): Promise<Value> {
    const found = this.#source.shape(this.#full(name));
    if (dims !== undefined && dims.join() !== found.join())
      throw new GraphBuildError(
        this.#full(name),
        `[${found.join(', ')}] where [${dims.join(', ')}] was expected`,
      );
    return this.derive('', [name], found, (data) => data);
  }

  /**
   * A weight computed from others: transposed, folded, joined. Named after the first of them.
   * @param suffix says what was done, such as `.transposed`; the same for the same computation
   * @param dims sizes of the result
   */
  derive(
    suffix: string,
    names: readonly [string, ...string[]],
    dims: readonly number[],
    compute: (...arrays: Float32Array[]) => Float32Array,
  ): Promise<Value> {
    const full = names.map((name) => this.#full(name));
    const key = [suffix, dims.join(), ...full.map((name) => this.#source.identity(name))].join('|');
    let value = this.#loaded.get(key);
    if (value === undefined) {
      const compose = async () => {
        const arrays: Float32Array[] = [];
        for (const name of full) arrays.push(await this.#source.read(name));
        return this.graph.weight(`${full[0] ?? ''}${suffix}`, dims, compute(...arrays));
      };
      value = compose();
      this.#loaded.set(key, value);
    }
    return value;
  }

  /** The values themselves, for what is no weight of the graph. */
  read(name: string): Promise<Float32Array> {
    return this.#source.read(this.#full(name));
  }

  #full(name: string): string {
    return this.prefix === '' ? name : `${this.prefix}.${name}`;
  }
}

/** `[rows, columns]` → `[columns, rows]`, as MatMul wants what PyTorch's Linear keeps. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column] ?? NaN;
  return result;
}
