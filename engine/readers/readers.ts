import { AudioError, type AudioContainer, type ExternalDecoder } from '../../models/audio/index.ts';
import type { Confinement } from '../api/app.ts';
import type { AudioDecoder, DecodeOptions } from '../decode/audio-decoder.ts';
import { decodeOutside } from '../decode/outside.ts';
import type { Decoded, ProbeResult } from '../decode/protocol.ts';
import { helperMemory } from '../helpers/memory.ts';
import type { SpawnHelper } from '../helpers/process.ts';
import type { AskOptions, ThreadKind } from '../threads/ask.ts';
import { ThreadFailure } from '../threads/call-thread.ts';
import type { CallOptions, Client, Contract, InputOf, OutputOf, QueryOf } from '../wire/contract.ts';
import type { ReadersConfig, ReadersContract } from './contract.ts';
import { fromReaderErrorCoding } from './errors.ts';
import { orElse } from './or-else.ts';
import { ReaderLost, ReaderProcess } from './reader-process.ts';

export interface ReadersOptions {
  spawn: SpawnHelper;
  config: ReadersConfig;
  /** Decodes AAC without anything being installed: Chromium, in the application. */
  browser?: ExternalDecoder | undefined;
  /** Whether an installed ffmpeg decodes what nothing else does. */
  ffmpeg: boolean;
  /** Told what keeps the process in, each time that one was started. */
  onConfined?: ((confinement: Confinement) => void) | undefined;
}

/** What Chromium's decoder is asked for. */
const forBrowser: ReadonlySet<AudioContainer> = new Set<AudioContainer>(['m4a', 'aac']);

/**
 * Reads files of others in a process of its own, which is started when there is something to read and again when it died.
 * What was being read then is read once more, each file in a process that reads nothing else: one that ends that as well
 * has itself to blame. Whoever reads the others does not notice.
 */
export class Readers implements AudioDecoder {
  readonly #options: ReadersOptions;
  readonly #running = new Set<ReaderProcess>();
  #shared: ReaderProcess | null = null;
  /** Resolves when what is read alone now has been read. */
  #alone: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ReadersOptions) {
    this.#options = options;
  }

  /** Starts the process where it is not there yet. @returns what keeps it in @throws Error when it does not start */
  async start(): Promise<Confinement> {
    return this.#process().confinement;
  }

  async probe(path: string, signal: AbortSignal): Promise<ProbeResult> {
    const probed = this.#read(signal, endedTwice(path), async function* (client) {
      yield await client.call('probe', { path }, { signal });
    });
    for await (const result of probed) return result;
    throw new Error('The reader gave no answer');
  }

  async *decode(path: string, options: DecodeOptions): AsyncGenerator<Float32Array, void> {
    const { sampleRate } = options;
    try {
      yield* this.#samples(path, options, (client, call) =>
        client.stream('decode', { path, sampleRate }, call),
      );
    } catch (error) {
      if (!(error instanceof AudioError) || error.container === null) throw error;
      yield* this.#outside(path, options, error.container, error);
    }
  }

  /** Asks one thing of a thread in the process. @throws as `callThread` */
  readonly ask = async <C extends Contract, M extends QueryOf<C>>(
    thread: ThreadKind,
    contract: C,
    method: M,
    input: InputOf<C, M>,
    { limits, signal }: AskOptions,
  ): Promise<OutputOf<C, M>> => {
    const blame = (): Error => new ThreadFailure('it ended the process that reads files, twice');
    const asked = this.#read(signal, blame, async function* (client) {
      yield await client.call('ask', { thread, method, input, limits }, { signal });
    });
    for await (const answer of asked) {
      const output = contract[method]?.output;
      // By the contract of the thread, as on every wire.
      return (output ? output.parse(answer) : answer) as OutputOf<C, M>;
    }
    throw new Error('The reader gave no answer');
  };

  /** Ends the processes; what is being read is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((process) => process.close()));
  }

  /** Decodes what the readers' own threads do not: by Chromium where it can, else by ffmpeg. */
  async *#outside(
    path: string,
    options: DecodeOptions,
    container: AudioContainer,
    missing: AudioError,
  ): AsyncGenerator<Float32Array, void> {
    const { browser, ffmpeg, config } = this.#options;
    const { sampleRate, signal } = options;
    const convert = (): AsyncGenerator<Float32Array, void> =>
      this.#samples(path, options, (client, call) =>
        client.stream('convert', { path, sampleRate, container }, call),
      );
    if (browser && forBrowser.has(container)) {
      const decoded = decodeOutside(browser, path, { ...options, container, limits: config.decodeLimits });
      yield* ffmpeg ? orElse(decoded, convert, signal) : decoded;
    } else if (ffmpeg) yield* convert();
    else throw missing;
  }

  /** A stream of samples; what was passed on already is not passed on again when it begins anew. */
  #samples(
    path: string,
    { signal, onWarning }: DecodeOptions,
    begin: (client: Client<ReadersContract>, options: CallOptions) => AsyncIterable<Decoded>,
  ): AsyncGenerator<Float32Array, void> {
    const told = new Set<string>();
    let passed = 0;
    return this.#read(signal, endedTwice(path), async function* (client) {
      let skip = passed;
      for await (const piece of begin(client, { signal })) {
        if ('warning' in piece) {
          if (!told.has(piece.warning)) onWarning?.(piece.warning);
          told.add(piece.warning);
          continue;
        }
        const fresh = piece.samples.subarray(Math.min(skip, piece.samples.length));
        skip -= piece.samples.length - fresh.length;
        if (fresh.length === 0) continue;
        passed += fresh.length;
        yield fresh;
      }
    });
  }

  /** Does something in the process that all share and, when that is lost, once more in one that does nothing else. */
  async *#read<T>(
    signal: AbortSignal | undefined,
    blame: () => Error,
    work: (client: Client<ReadersContract>) => AsyncIterable<T>,
  ): AsyncGenerator<T, void> {
    signal?.throwIfAborted();
    const shared = this.#process();
    try {
      yield* work(await shared.ready());
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!this.#wasLost(error)) throw fromReaderErrorCoding(error);
    }
    const done = await this.#turn(signal);
    let own: ReaderProcess | null = null;
    try {
      own = this.#spawn({ ...this.#options.config, decoders: 1 });
      yield* work(await own.ready());
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#wasLost(error) ? blame() : fromReaderErrorCoding(error);
    } finally {
      if (own) {
        this.#running.delete(own);
        await own.close();
      }
      done();
    }
  }

  /** What is read while the readers are closed is rejected, not read again. */
  #wasLost(error: unknown): boolean {
    return error instanceof ReaderLost && !this.#closed;
  }

  /** Waits for the turn to read alone. @returns what ends the turn @throws the signal's reason */
  async #turn(signal: AbortSignal | undefined): Promise<() => void> {
    const before = this.#alone;
    let done: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (done = resolve));
    this.#alone = before.then(() => over);
    let leave: () => void = () => undefined;
    // Whoever reads alone may be long: nobody waits for that who was told to stop.
    const told = new Promise<void>((resolve) => (leave = resolve));
    signal?.addEventListener('abort', leave, { once: true });
    await Promise.race([before, told]);
    signal?.removeEventListener('abort', leave);
    if (signal?.aborted) {
      done();
      throw signal.reason;
    }
    return done;
  }

  #process(): ReaderProcess {
    if (this.#shared && !this.#shared.gone) return this.#shared;
    if (this.#shared) this.#running.delete(this.#shared);
    return (this.#shared = this.#spawn(this.#options.config));
  }

  #spawn(config: ReadersConfig): ReaderProcess {
    if (this.#closed) throw new Error('The readers are closed');
    const process = new ReaderProcess(this.#options.spawn, helperMemory, config);
    this.#running.add(process);
    const { onConfined } = this.#options;
    if (onConfined) process.confinement.then(onConfined, () => undefined);
    return process;
  }
}

const endedTwice = (path: string) => (): AudioError =>
  new AudioError('corrupt', `It ended the process that reads files, twice: ${path}`);
