import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { PackError } from './errors.ts';
import { graphContract, type GraphContract, type TensorContract } from './graph-contract.ts';
import { graphEntry, readGraphFile, type GraphEntry } from './graph-file.ts';
import type { GraphName, Pack } from './manifest.ts';
import type { ProviderName } from './provider-names.ts';

/** How sessions are opened. */
export interface SessionOptions {
  provider: ProviderName;
  /** Threads inside one operator. */
  threads: number;
}

/** One graph of a pack, checked and loaded. Calls are run one after the other. */
export class GraphSession {
  readonly #session: InferenceSession;
  readonly #contract: GraphContract;
  readonly #file: string;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(session: InferenceSession, contract: GraphContract, file: string) {
    this.#session = session;
    this.#contract = contract;
    this.#file = file;
  }

  /**
   * Opens graph `name`, checking the file ({@link readGraph}) and the names, types and shapes of its inputs and outputs.
   * @throws PackError; the signal's reason
   */
  static async open(
    pack: Pack,
    name: GraphName,
    options: SessionOptions,
    signal?: AbortSignal,
  ): Promise<GraphSession> {
    const contract = graphContract(name, pack.manifest);
    return GraphSession.openFile(
      { folder: pack.folder, entry: graphEntry(pack, name), contract },
      options,
      signal,
    );
  }

  /** Opens a graph file that keeps to a contract. @throws PackError; the signal's reason */
  static async openFile(
    { folder, entry, contract }: { folder: string; entry: GraphEntry; contract: GraphContract },
    options: SessionOptions,
    signal?: AbortSignal,
  ): Promise<GraphSession> {
    const bytes = await readGraphFile(folder, entry, signal);
    const { file } = entry;
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(bytes, sessionOptions(options));
    } catch (cause) {
      throw new PackError('graph', `${file} cannot be loaded on ${options.provider}: ${messageOf(cause)}`, {
        file,
        cause,
      });
    }
    const problem = contractProblem(session, contract);
    if (problem !== null) {
      await session.release();
      throw new PackError('graph', `${file}: ${problem}`, { file });
    }
    return new GraphSession(session, contract, file);
  }

  /**
   * Runs the graph.
   * @param inputs in the contract's order; sizes are checked before ONNX Runtime sees them.
   * @returns the outputs in the contract's order
   * @throws PackError `graph` when ONNX Runtime fails or an output has a wrong size or a number that is not finite;
   * RangeError on wrong input sizes; Error after close
   */
  run(inputs: readonly Float32Array[], batch: number): Promise<Float32Array[]> {
    const feeds = this.#feeds(inputs, batch);
    // Serialised: providers other than CPU do not all allow concurrent runs of one session.
    const result = this.#queue.then(() => this.#runNow(feeds, batch));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Waits for the calls under way, then frees the session. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    await this.#session.release();
  }

  #feeds(inputs: readonly Float32Array[], batch: number): Record<string, Tensor> {
    if (this.#closed) throw new Error('the pack runtime is closed');
    if (!Number.isInteger(batch) || batch < 1)
      throw new RangeError(`batch ${batch} is not a positive integer`);
    return Object.fromEntries(
      this.#contract.inputs.map((contract, i) => {
        const data = inputs[i];
        const dims = resolveDims(contract, batch, data?.length ?? 0);
        if (data === undefined || data.length !== product(dims))
          throw new RangeError(
            `${contract.name} has ${data?.length ?? 0} numbers; [${dims.join(', ')}] was expected`,
          );
        return [contract.name, new Tensor('float32', data, dims)];
      }),
    );
  }

  async #runNow(feeds: Record<string, Tensor>, batch: number): Promise<Float32Array[]> {
    const { outputs } = this.#contract;
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await this.#session.run(
        feeds,
        outputs.map(({ name }) => name),
      );
    } catch (cause) {
      throw new PackError('graph', `${this.#file} failed: ${messageOf(cause)}`, { file: this.#file, cause });
    }
    return outputs.map((output) => this.#checked(results[output.name]?.data, output, batch));
  }

  #checked(data: unknown, output: TensorContract, batch: number): Float32Array {
    if (!(data instanceof Float32Array))
      throw new PackError('graph', `${this.#file} gave no float32 output`, { file: this.#file });
    const dims = resolveDims(output, batch, data.length);
    if (data.length !== product(dims))
      throw new PackError(
        'graph',
        `${this.#file} gave ${data.length} numbers instead of [${dims.join(', ')}]`,
        { file: this.#file },
      );
    if (!allFinite(data))
      throw new PackError('graph', `${this.#file} gave numbers that are not finite`, { file: this.#file });
    return data;
  }
}

function sessionOptions({ provider, threads }: SessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // The arena grows in powers of two and one such step can reach the 1 GiB at which Electron's allocator traps.
    enableCpuMemArena: false,
    // Warnings about nodes that stay on the CPU are expected with other providers; errors still throw.
    logSeverityLevel: 3,
    // Each graph has its own thread pool: waiting threads must not spin while another graph computes.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

function contractProblem(session: InferenceSession, contract: GraphContract): string | null {
  const inputs = contract.inputs.map((input) => input.name);
  if ([...session.inputNames].sort().join() !== [...inputs].sort().join())
    return `its inputs are ${session.inputNames.join(', ')} instead of ${inputs.join(', ')}`;
  for (const input of contract.inputs) {
    const problem = tensorProblem(session.inputMetadata, input);
    if (problem !== null) return problem;
  }
  for (const output of contract.outputs) {
    if (!session.outputNames.includes(output.name)) return `it has no output named ${output.name}`;
    const problem = tensorProblem(session.outputMetadata, output);
    if (problem !== null) return problem;
  }
  return null;
}

function tensorProblem(
  metadata: readonly InferenceSession.ValueMetadata[],
  contract: TensorContract,
): string | null {
  const found = metadata.find((value) => value.name === contract.name);
  if (!found?.isTensor || found.type !== 'float32') return `${contract.name} is not a float32 tensor`;
  const { shape } = found;
  const fits =
    shape.length === contract.dims.length &&
    contract.dims.every((want, i) => {
      const have = shape[i];
      if (want === 'batch') return typeof have === 'string';
      return want === 'any' || typeof have === 'string' || have === want;
    });
  return fits ? null : `${contract.name} is [${shape.join(', ')}] instead of [${contract.dims.join(', ')}]`;
}

/** Fills the batch and, from the length of the data, the one free dimension. */
function resolveDims(contract: TensorContract, batch: number, length: number): number[] {
  const known = contract.dims.map((dim) => (dim === 'batch' ? batch : dim));
  const fixed = known.reduce<number>((total, dim) => (dim === 'any' ? total : total * dim), 1);
  return known.map((dim) => (dim === 'any' ? Math.max(1, Math.floor(length / fixed)) : dim));
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}

/** Whether no value is infinite or NaN. */
export function allFinite(values: Float32Array): boolean {
  // A sum is finite exactly when no term is infinite or NaN: float32 values cannot overflow a double.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i] ?? 0);
  return Number.isFinite(sum);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
