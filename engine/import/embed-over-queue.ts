import { setTimeout as sleep } from 'node:timers/promises';
import type { Pack } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { taskKey, writeTask } from '../queue/protocol.ts';
import type { DeliveredAnswer, TaskBoard } from '../queue/transport.ts';
import { expectedWindows, type TrackToEmbed } from './plan.ts';
import type { ImportProgress } from './progress.ts';
import { readTrackAnswer, type TrackAnswer } from './track-answer.ts';
import type { TrackStore } from './track-store.ts';

/** Vectors on their way at once, at the workers, the server or here. */
const BYTES_UNDER_WAY = 256 * 2 ** 20;
/** An import of so few tracks is something that a person waits for. */
const FEW_TRACKS = 32;
/** How often it is looked whether a task was lost. */
const LOOK_MS = 10_000;
/** So often may workers say that they cannot do a task before it is the file's failure. */
const MOST_REFUSALS = 5;

export interface EmbedOverQueueOptions {
  library: Library;
  store: TrackStore;
  space: SpaceInfo;
  pack: Pack;
  board: TaskBoard;
  leaseSeconds: number;
  job: JobHandle;
  progress: ImportProgress;
  /** A track was stored. */
  onStored: () => void;
  lookMs?: number;
}

/** Tracks of one content: one task. */
interface Work {
  key: string;
  tracks: [TrackToEmbed, ...TrackToEmbed[]];
  state: 'waiting' | 'offered' | 'over';
  /** Expected of its answer. */
  bytes: number;
  offeredAt: number;
  refusals: number;
}

/**
 * Has tracks decoded and embedded by workers and stores what they answer. This process is the only one that writes; an
 * answer is stored once for its space and content, however often it comes, and whenever: what was answered while nobody was
 * here waits. A file that fails is listed.
 */
export async function embedOverQueue(
  tracks: readonly TrackToEmbed[],
  options: EmbedOverQueueOptions,
): Promise<{ imported: number; failed: number; windows: number }> {
  const stop = new AbortController();
  const run = new QueueRun(tracks, options, AbortSignal.any([options.job.signal, stop.signal]));
  const guarded = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (thrown) {
      stop.abort(thrown);
      throw thrown;
    }
  };
  const receiving = guarded(run.receive());
  const offering = guarded(run.offer());
  const looking = guarded(run.lookAfter());
  void Promise.race([run.finished, receiving]).then(
    () => stop.abort(),
    () => undefined,
  );
  const settled = await Promise.allSettled([receiving, offering, looking]);
  options.job.signal.throwIfAborted();
  for (const outcome of settled)
    if (outcome.status === 'rejected' && !run.over) throw outcome.reason as Error;
  return run.counts;
}

class QueueRun {
  readonly counts = { imported: 0, failed: 0, windows: 0 };
  readonly finished: Promise<void>;
  readonly #options: EmbedOverQueueOptions;
  readonly #signal: AbortSignal;
  /** Workers that answered what no honest one would. */
  readonly #setAside = new Map<string, string>();
  readonly #works = new Map<string, Work>();
  #left = 0;
  #bytes = 0;
  #room: (() => void)[] = [];
  #finish: () => void = () => undefined;

  constructor(tracks: readonly TrackToEmbed[], options: EmbedOverQueueOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    const { windowSeconds, embeddingDim } = options.pack.manifest;
    for (const track of tracks) {
      if (track.contentHash === null) throw new EngineError('internal', `${track.path} was not read.`);
      const key = taskKey({ spaceKey: options.space.key, contentHash: track.contentHash });
      const known = this.#works.get(key);
      if (known) known.tracks.push(track);
      const windows = expectedWindows([track], windowSeconds, options.library.windows());
      const fresh = { state: 'waiting', offeredAt: 0, refusals: 0 } as const;
      if (!known)
        this.#works.set(key, { ...fresh, key, tracks: [track], bytes: 4 * windows * (3 + embeddingDim) });
    }
    this.#left = this.#works.size;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    if (this.#left === 0) this.#finish();
  }

  get over(): boolean {
    return this.#left === 0;
  }

  #stopped(): boolean {
    return this.#signal.aborted;
  }

  async offer(): Promise<void> {
    for (const work of this.#works.values()) {
      await this.#options.job.checkpoint();
      while (this.#bytes > 0 && this.#bytes + work.bytes > BYTES_UNDER_WAY && !this.#signal.aborted)
        await new Promise<void>((resolve) => this.#room.push(resolve));
      this.#signal.throwIfAborted();
      if (work.state !== 'waiting') continue;
      if (this.#copied(work)) continue;
      work.state = 'offered';
      this.#bytes += work.bytes;
      await this.#hangOut(work);
    }
  }

  async receive(): Promise<void> {
    for await (const answer of this.#options.board.answers(this.#signal)) {
      this.#take(answer);
      if (this.over) return;
      await this.#options.job.checkpoint();
    }
  }

  /** A task that is gone although nobody answered is hung out again; one that is there stays as it is. */
  async lookAfter(): Promise<void> {
    const { board, lookMs = LOOK_MS } = this.#options;
    while (!this.#stopped()) {
      await sleep(lookMs, undefined, { signal: this.#signal }).catch(() => undefined);
      const before = performance.now() - lookMs;
      const old = [...this.#works.values()].filter(
        ({ state, offeredAt }) => state === 'offered' && offeredAt < before,
      );
      if (this.#stopped() || old.length === 0 || (await board.unread()) > 0) continue;
      for (const work of old) if (work.state === 'offered' && !this.#stopped()) await this.#hangOut(work);
    }
  }

  #take({ bytes, worker, done }: DeliveredAnswer): void {
    const { store, progress } = this.#options;
    const read = this.#read(worker, bytes);
    const work = read === null ? undefined : this.#works.get(read.key);
    if (read !== null && work && work.state !== 'over') {
      const [track, ...twins] = work.tracks;
      if (read.kind === 'refused') this.#refused(work, read);
      else if (read.kind === 'failed') {
        this.#over(work);
        for (const each of work.tracks) {
          store.putFailed(each.id, { path: each.path, kind: 'file' }, read.reason);
          this.counts.failed++;
          progress.finished(true, each.durationSeconds ?? 0);
        }
      } else {
        store.putResult(track.id, read.result, read.by);
        this.#stored(track, read.result.windows.length, read.result.durationSeconds);
        for (const twin of twins) this.#copy(twin);
        this.#over(work);
      }
      this.#options.onStored();
    }
    done();
  }

  /** Null for what is not believed: its task is hung out again. */
  #read(worker: string, bytes: Uint8Array): TrackAnswer | null {
    const { pack, space } = this.#options;
    if (this.#setAside.has(worker)) return null;
    try {
      return readTrackAnswer(bytes, { space, pack });
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      this.#setAside.set(worker, thrown.message);
      return null;
    }
  }

  #refused(work: Work, { reason }: Extract<TrackAnswer, { kind: 'refused' }>): void {
    const { store, progress } = this.#options;
    work.refusals++;
    if (work.refusals < MOST_REFUSALS) {
      void this.#hangOut(work).catch(() => undefined);
      return;
    }
    this.#over(work);
    for (const each of work.tracks) {
      store.putFailed(each.id, { path: each.path, kind: 'file' }, reason);
      this.counts.failed++;
      progress.finished(true, each.durationSeconds ?? 0);
    }
  }

  async #hangOut(work: Work): Promise<void> {
    const { board, library, space, pack, leaseSeconds } = this.#options;
    const [{ path, contentHash, durationSeconds }] = work.tracks;
    work.offeredAt = performance.now();
    const task = writeTask({
      protocol: 1,
      libraryId: library.id,
      spaceKey: space.key,
      packSha256: pack.sha256,
      windows: library.windows(),
      contentHash: contentHash ?? '',
      path: library.absolutePath(path),
      durationSeconds,
      leaseSeconds,
    });
    await board.offer(work.key, task, this.#works.size <= FEW_TRACKS);
  }

  /** Takes what another track of the library with the same content has. */
  #copied(work: Work): boolean {
    const [first, ...twins] = work.tracks;
    if (!this.#copy(first)) return false;
    for (const twin of twins) this.#copy(twin);
    this.#over(work);
    this.#options.onStored();
    return true;
  }

  #copy({ id, contentHash, durationSeconds }: TrackToEmbed): boolean {
    const windows = this.#options.store.copyEmbeddings(id, contentHash ?? '');
    if (windows > 0) this.#stored({ durationSeconds }, windows, 0);
    return windows > 0;
  }

  #stored(
    { durationSeconds }: Pick<TrackToEmbed, 'durationSeconds'>,
    windows: number,
    decoded: number,
  ): void {
    const { progress, job } = this.#options;
    job.kept();
    this.counts.imported++;
    this.counts.windows += windows;
    progress.decoded(decoded);
    progress.embedded(windows);
    progress.finished(false, Math.max(0, (durationSeconds ?? 0) - decoded));
  }

  #over(work: Work): void {
    if (work.state === 'offered') this.#bytes -= work.bytes;
    work.state = 'over';
    this.#left--;
    this.#wake();
    if (this.over) this.#finish();
  }

  #wake(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }
}
