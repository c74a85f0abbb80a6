import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processorName, type PackRuntime } from '../../models/packs/index.ts';
import type { ProviderName } from '../../models/packs/provider-names.ts';
import { decodeLimits } from '../decode/index.ts';
import { Embedder } from '../embedder/embedder.ts';
import { embedderLimits } from '../embedder/limits.ts';
import { inlineEmbedder } from '../embedder/inline.ts';
import { EmbedderRuntime } from '../embedder/runtime.ts';
import type { SpawnHelper } from '../helpers/process.ts';
import { handedBackAnswer, refusedAnswer } from '../import/track-answer.ts';
import { asEngineError } from '../packs/failures.ts';
import { Speedometer } from '../import/progress.ts';
import type { WorkerStatus } from '../api/queue.ts';
import { PROTOCOL, readTask, type QueueTask } from '../queue/protocol.ts';
import { inlineReaders } from '../readers/inline.ts';
import { Readers } from '../readers/readers.ts';
import type { LeasedTask, WorkSource } from '../queue/transport.ts';
import { isDiskFull } from '../storage/errors.ts';
import type { FolderMap } from './file-map.ts';
import type { WorkerLog } from './log.ts';
import type { AudioWay } from './audio-ways.ts';
import { work } from './work.ts';
import { WorkerPacks } from './worker-packs.ts';

/** What is under way when the worker is told to stop may take so long; then it is handed back. */
const GRACE_MS = 20_000;
/** For handing back what is under way. */
const HAND_BACK_MS = 3000;
/** So many faults of this machine in a row, and it works no more. */
const MOST_FAULTS = 3;
/** Between a fault and the next task: others may have it meanwhile. */
const AFTER_FAULT_MS = 2000;

export interface WorkerOptions {
  source: WorkSource;
  /** Folders of packs on this machine. */
  packFolders: readonly string[];
  /** Where fetched packs are kept. */
  cache: string;
  maps: readonly FolderMap[];
  audio: AudioWay;
  version: string;
  worker: string;
  provider: ProviderName;
  /** Of ONNX Runtime; null: as many as the machine has. */
  threads: number | null;
  /** Tracks at once: while one is computed others are decoded. */
  tracks: number;
  batch: number | null;
  decodeWorker: string;
  embedder?: SpawnHelper;
  readers?: SpawnHelper;
  /** Whether an installed ffmpeg decodes what nothing else does. */
  ffmpeg?: boolean;
  log: WorkerLog;
  /** Stops taking work; what is under way is finished, or handed back after a while. */
  signal: AbortSignal;
  graceMs?: number;
}

export interface WorkerSummary {
  answered: number;
  fileFailures: number;
  refused: number;
  handedBack: number;
  windows: number;
}

/** Takes work until it is told to stop. */
export async function runWorker(options: WorkerOptions): Promise<WorkerSummary> {
  const worker = new Worker(options);
  try {
    return await worker.run();
  } finally {
    await worker.close();
  }
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #summary: WorkerSummary = { answered: 0, fileFailures: 0, refused: 0, handedBack: 0, windows: 0 };
  readonly #readers: Readers;
  readonly #embedder: Embedder;
  readonly #packs: WorkerPacks;
  readonly #runtimes = new Map<string, Promise<PackRuntime>>();
  readonly #speed = new Speedometer();
  readonly #current = new Set<string>();
  readonly #since = new Date().toISOString();
  readonly #running = new Set<Promise<void>>();
  /** Goes on where all places are taken, to see whether one is free. */
  #wake: () => void = () => undefined;
  /** What went wrong since something went well: faults of this machine, not of files. */
  #faults: unknown[] = [];
  /** Ends what is under way. */
  readonly #hurry = new AbortController();

  constructor(options: WorkerOptions) {
    const { packFolders, cache, source, decodeWorker, tracks, readers, ffmpeg, embedder } = options;
    this.#options = options;
    this.#readers = new Readers({
      spawn: readers ?? inlineReaders,
      config: { decodeWorker, threads: {}, decoders: tracks, decodeLimits },
      ffmpeg: ffmpeg ?? false,
    });
    this.#embedder = new Embedder({ spawn: embedder ?? inlineEmbedder, limits: embedderLimits });
    this.#packs = new WorkerPacks(packFolders, cache, (sha256, path) =>
      source.fetchFile(sha256, path, this.#hurry.signal),
    );
  }

  #stopping(): boolean {
    return this.#options.signal.aborted || this.#broken();
  }

  #broken(): boolean {
    return this.#faults.length >= MOST_FAULTS;
  }

  async run(): Promise<WorkerSummary> {
    const { source, tracks, signal, log, graceMs = GRACE_MS } = this.#options;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    source.present(() => this.#status());
    while (!this.#stopping()) {
      const task = await source.take(signal);
      if (!task) continue;
      if (this.#stopping()) {
        await this.#handBack(task);
        break;
      }
      const running = this.#carryOut(task).finally(() => {
        this.#running.delete(running);
        this.#wake();
      });
      this.#running.add(running);
      while (this.#running.size >= tracks && !this.#stopping())
        await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    log('stopping', { underWay: this.#running.size });
    const timer = setTimeout(() => this.#hurry.abort(), graceMs);
    await Promise.all(this.#running);
    clearTimeout(timer);
    if (this.#broken()) throw this.#faults[0];
    log('stopped', { ...this.#summary });
    return this.#summary;
  }

  #status(): WorkerStatus {
    const { worker, version, provider } = this.#options;
    const { answered, fileFailures, refused, windows } = this.#summary;
    const current = [...this.#current];
    return {
      ...{ protocol: PROTOCOL, worker, version, provider, host: hostname(), since: this.#since },
      ...{ processor: processorName(), answered, fileFailures, refused, windows, current },
      windowsPerSecond: current.length > 0 ? (this.#speed.rate() ?? 0) : 0,
      memory: process.memoryUsage.rss(),
    };
  }

  async close(): Promise<void> {
    this.#hurry.abort();
    await Promise.allSettled(this.#running);
    await this.#readers.close();
    await this.#embedder.close();
    await this.#options.source.close();
  }

  async #carryOut(leased: LeasedTask): Promise<void> {
    const { source, log, batch, maps, audio, cache } = this.#options;
    const task = this.#read(leased);
    if (!task) return leased.done();
    const { contentHash, path, leaseSeconds, libraryId } = task;
    const facts = { library: libraryId, content: contentHash.slice(0, 12), path };
    log('took', { ...facts, delivery: leased.deliveries });
    const begun = performance.now();
    this.#current.add(basename(path));
    const beat = setInterval(() => leased.working(), (1000 * leaseSeconds) / 3);
    try {
      const { answer, outcome, windows, message } = await work(task, leased.deliveries, {
        runtimeOf: (sha256) => this.#runtime(sha256),
        ...{ decode: this.#readers, batch, maps, audio, audioFolder: join(cache, 'audio') },
        fetchAudio: (wanted, file) =>
          source.fetchAudio(libraryId, wanted.contentHash, file, this.#hurry.signal),
        signal: this.#hurry.signal,
        onWindow: () => {
          this.#summary.windows++;
          this.#speed.add(1);
        },
      });
      await source.answer(leased, answer, this.#hurry.signal);
      await leased.done();
      if (outcome !== 'cannot') this.#faults = [];
      if (outcome === 'answered') this.#summary.answered++;
      else if (outcome === 'file-failed') this.#summary.fileFailures++;
      else this.#summary.refused++;
      log(outcome, { ...facts, windows, seconds: (performance.now() - begun) / 1000, message });
    } catch (thrown) {
      if (this.#hurry.signal.aborted) await this.#handBack(leased);
      else await this.#fault(leased, task, thrown);
    } finally {
      clearInterval(beat);
      this.#current.delete(basename(path));
    }
  }

  /** As an answer, so that it is hung out anew: the server would count it among the attempts that ended their workers. */
  async #handBack(leased: LeasedTask): Promise<void> {
    const task = this.#read(leased);
    try {
      if (task)
        await this.#options.source.answer(leased, handedBackAnswer(task), AbortSignal.timeout(HAND_BACK_MS));
      await leased.done();
    } catch {
      // A server that is away counts it.
      leased.handBack();
    }
    this.#summary.handedBack++;
    this.#options.log('handed-back', { library: leased.libraryId, task: leased.key });
  }

  /** Neither the file nor the pack is to blame. */
  async #fault(leased: LeasedTask, task: QueueTask, thrown: unknown): Promise<void> {
    const { source, log } = this.#options;
    const { message, hint } = asEngineError(thrown);
    this.#faults.push(thrown);
    log('cannot', { library: leased.libraryId, task: leased.key, message });
    // Says nothing about the file, not even when it happens to it on this machine again and again.
    if (isDiskFull(thrown)) {
      await this.#handBack(leased);
      await sleep(AFTER_FAULT_MS, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
      return;
    }
    this.#summary.refused++;
    try {
      await source.answer(leased, refusedAnswer(task, { message, hint }), this.#hurry.signal);
      await leased.done();
    } catch {
      leased.handBack();
    }
    await sleep(AFTER_FAULT_MS, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }

  /** What is no task is taken away: nobody could do it. */
  #read({ bytes, libraryId, key }: LeasedTask): QueueTask | null {
    try {
      return readTask(bytes);
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.log('nonsense', { library: libraryId, task: key, message });
      return null;
    }
  }

  #runtime(sha256: string): Promise<PackRuntime> {
    const open = this.#runtimes.get(sha256);
    if (open) return open;
    const { provider, threads } = this.#options;
    const runtime = this.#packs
      .get(sha256)
      .then(
        (pack) =>
          new EmbedderRuntime(this.#embedder, pack, { provider, threads: () => threads, lane: 'import' }),
      );
    this.#runtimes.set(sha256, runtime);
    runtime.catch(() => this.#runtimes.delete(sha256));
    return runtime;
  }
}
