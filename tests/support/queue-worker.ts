import { NatsSource } from '../../engine/queue/nats/source.ts';
import { queueSettingsSchema, type QueueSettings } from '../../engine/queue/settings.ts';
import type { LeasedTask, WorkSource } from '../../engine/queue/transport.ts';
import { runWorker, type WorkerOptions, type WorkerSummary } from '../../engine/worker/run.ts';
import type { LogEvent } from '../../engine/worker/log.ts';
import { testFolder, tinyPacks } from './music.ts';
import { decodeWorker } from './workers.ts';

export interface TestWorker {
  log: { event: LogEvent; message: string | null }[];
  /** Stops it and tells what it did. */
  stop: () => Promise<WorkerSummary>;
}

export const settingsOf = (server: string, more: Partial<QueueSettings> = {}): QueueSettings =>
  queueSettingsSchema.parse({ server, leaseSeconds: 2, ...more });

export interface TestWorkerOptions extends Partial<WorkerOptions> {
  token?: string;
  /** Changes what this worker answers: one that errs, or lies. */
  answer?: (answer: Uint8Array) => Uint8Array;
}

/** A worker in the process of the test. */
export async function startTestWorker(server: string, options: TestWorkerOptions = {}): Promise<TestWorker> {
  const stop = new AbortController();
  const log: TestWorker['log'] = [];
  const tell: WorkerOptions['log'] = (event, facts = {}) => {
    const message = facts['message'];
    log.push({ event, message: typeof message === 'string' ? message : null });
  };
  const worker = options.worker ?? 'test';
  const source = await NatsSource.open({
    settings: settingsOf(server, options.token === undefined ? {} : { token: options.token }),
    ...{ worker, libraries: null },
    onOtherProtocol: (_, protocol) => tell('other-version', { message: String(protocol) }),
    onSetAside: () => tell('set-aside'),
  });
  const running = runWorker({
    ...{ source: options.answer ? new Answering(source, options.answer) : source, worker, version: '0.0.0' },
    ...{ packFolders: [await tinyPacks()], cache: testFolder(), maps: [], audio: 'either' },
    ...{ provider: 'cpu', threads: 1, tracks: 2, batch: 4, log: tell, signal: stop.signal },
    decodeWorker: await decodeWorker(),
    ...options,
  });
  running.catch(() => undefined);
  return {
    log,
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/** Gives other answers than it was told to. */
class Answering implements WorkSource {
  readonly #inner: WorkSource;
  readonly #change: (answer: Uint8Array) => Uint8Array;

  constructor(inner: WorkSource, change: (answer: Uint8Array) => Uint8Array) {
    this.#inner = inner;
    this.#change = change;
  }

  take(signal: AbortSignal): Promise<LeasedTask | null> {
    return this.#inner.take(signal);
  }

  answer(task: LeasedTask, answer: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#inner.answer(task, this.#change(answer), signal);
  }

  fetchAudio(...call: Parameters<WorkSource['fetchAudio']>): Promise<boolean> {
    return this.#inner.fetchAudio(...call);
  }

  fetchFile(...call: Parameters<WorkSource['fetchFile']>): Promise<boolean> {
    return this.#inner.fetchFile(...call);
  }

  present(...call: Parameters<WorkSource['present']>): void {
    this.#inner.present(...call);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
