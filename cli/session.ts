import { resolve } from 'node:path';
import type { EngineClient } from '../engine/api/contract.ts';
import type { CurvePoint, Experiment } from '../engine/api/experiments.ts';
import type { Job, JobKind, JobResult } from '../engine/api/jobs.ts';
import type { LibrarySummary } from '../engine/api/libraries.ts';
import { EngineError } from '../engine/api/errors.ts';
import { counted } from '../engine/counted.ts';
import { createEngine, type Engine } from '../engine/engine.ts';
import type { QueueSettings } from '../engine/queue/settings.ts';
import type { VectorStoreSettings } from '../engine/stores/settings.ts';
import { helpersOf } from './helpers.ts';
import type { Interrupt } from './interrupt.ts';
import { noLibrary } from './library-folder.ts';
import type { Places } from './places.ts';
import type { ProgressLine } from './progress.ts';

export interface SessionOptions {
  places: Places;
  /** Data folder of the engine. */
  folder: string;
  interrupt: Interrupt;
  progress: ProgressLine;
  /** Imports go over this queue. */
  queue?: QueueSettings;
  /** May be filled and searched. */
  store?: VectorStoreSettings;
}

/** The engine, in this process, for the time of one command. */
export class Session {
  readonly engine: Engine;
  readonly client: EngineClient;
  readonly #options: SessionOptions;

  private constructor(engine: Engine, options: SessionOptions) {
    this.engine = engine;
    this.client = engine.client();
    this.#options = options;
  }

  /** Opens the engine on a data folder, which is created when needed. */
  static async open(options: SessionOptions): Promise<Session> {
    const { places } = options;
    const engine = await createEngine({
      dataFolder: resolve(options.folder),
      packFolders: places.packFolders,
      decodeWorker: places.decodeWorker,
      datasetWorker: places.datasetWorker,
      labelWorker: places.labelWorker,
      ...helpersOf(places),
      ffmpeg: true,
      demoFolder: places.demoFolder,
      labelledDemoFolder: places.labelledDemoFolder,
      version: places.version,
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      ...(options.store === undefined ? {} : { store: options.store }),
      // Files are read directly; the token alone is enough to find them.
      mediaUrl: (token) => token,
    });
    return new Session(engine, options);
  }

  get signal(): AbortSignal {
    return this.#options.interrupt.signal;
  }

  /**
   * The one library of the data folder.
   * @throws EngineError `not-found`
   */
  async library(): Promise<LibrarySummary> {
    const [library, ...more] = await this.client.call('libraries.list', {});
    if (!library) throw noLibrary(this.#options.folder);
    if (more.length > 0)
      throw new EngineError(
        'bad-input',
        `${this.#options.folder} holds ${counted(more.length + 1, 'library', 'libraries')}.`,
        'The command line works with data folders of one library; name another folder with --library.',
      );
    return library;
  }

  /**
   * The experiment of that id, or the newest one for `latest`.
   * @throws EngineError `not-found`
   */
  async experiment(libraryId: string, idOrLatest: string): Promise<Experiment> {
    if (idOrLatest !== 'latest')
      return this.client.call('experiments.get', { libraryId, experimentId: idOrLatest });
    const [latest] = await this.client.call('experiments.list', { libraryId });
    if (latest) return latest;
    throw new EngineError('not-found', 'This library has no experiment yet.', 'Run: archetone train --help');
  }

  /**
   * Starts a job and follows it to its end, showing its progress; Ctrl-C cancels it.
   * @throws EngineError of the job, or `cancelled`
   */
  async run<K extends JobKind>(
    kind: K,
    start: (client: EngineClient) => Promise<{ jobId: string }>,
  ): Promise<Extract<JobResult, { kind: K }>> {
    this.signal.throwIfAborted();
    const stop = new AbortController();
    // Subscribed before the job starts, so that not even its end can be missed.
    const events = this.client.stream('events', {}, { signal: stop.signal });
    const { jobId } = await start(this.client);
    const cancel = (): void => void this.client.call('jobs.cancel', { jobId });
    this.signal.addEventListener('abort', cancel, { once: true });
    try {
      // Ctrl-C may have come while the job was being started.
      if (this.signal.aborted) cancel();
      let job = await this.client.call('jobs.get', { jobId });
      let point: CurvePoint | null = null;
      if (!ended(job)) {
        for await (const event of events) {
          if (event.type === 'train-progress' && event.jobId === jobId) point = event.point;
          if (event.type !== 'job' || event.job.id !== jobId) continue;
          job = event.job;
          if (ended(job)) break;
          this.#options.progress.show(job.title, job.progress, point);
        }
      }
      return resultOf(job, kind);
    } finally {
      stop.abort();
      this.signal.removeEventListener('abort', cancel);
      this.#options.progress.clear();
    }
  }

  /** Path of a file that the engine gave a URL for. */
  mediaPath(url: string): string {
    const file = this.engine.media.resolve(url);
    if (!file) throw new EngineError('internal', 'A file of the engine is gone.');
    return file.path;
  }

  async close(): Promise<void> {
    await this.engine.close();
  }
}

const ended = (job: Job): boolean => ['done', 'failed', 'cancelled'].includes(job.state);

function resultOf<K extends JobKind>(job: Job, kind: K): Extract<JobResult, { kind: K }> {
  if (job.state === 'cancelled')
    throw new EngineError('cancelled', 'Cancelled.', 'What was finished is kept.');
  if (job.error) throw EngineError.fromData(job.error);
  const { result } = job;
  if (result?.kind !== kind) throw new EngineError('internal', `The ${kind} job ended without a result.`);
  // The discriminant was just compared.
  return result as Extract<JobResult, { kind: K }>;
}
