import { setTimeout as sleep } from 'node:timers/promises';
import { AudioError } from '../../models/audio/index.ts';
import type { Pack, PackRuntime } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { ComputedBy, SpaceInfo } from '../api/spaces.ts';
import { queueLimits, taskKey, writeTask, type QueueTask } from '../queue/protocol.ts';
import type { DeliveredAnswer, TaskBoard } from '../queue/transport.ts';
import { expectedWindows, type TrackToEmbed } from './plan.ts';
import type { ImportProgress } from './progress.ts';
import { recheck } from './recheck.ts';
import { Trust } from './trust.ts';
import { readTrackAnswer, type TrackAnswer } from './track-answer.ts';
import type { TrackResult } from './track-store.ts';

/** Vectors on their way at once, at the workers, the server or here. */
const BYTES_UNDER_WAY = 256 * 2 ** 20;
/** An import of so few tracks is something that a person waits for. */
const FEW_TRACKS = 32;
/** Between an answer that is of no use and the next attempt. */
const AGAIN_MS = 500;
/** How often it is looked whether a task was lost. */
const LOOK_MS = 10_000;
/** Shown in the place of a file. */
const NOBODY = 'no worker is there: start one with archetone worker --queue …';
/** So often may workers say that they cannot do a task before it is the file's failure. */
const MOST_REFUSALS = 5;
/** So often may a task come back from workers, handed back or not believed, before it is the file's failure. */
const MOST_RETURNS = 20;
/** So many tasks in a row may a worker hand back, unless each is another one: one that ends hands back what it has, once. */
const MOST_HANDED_BACK = 10;

/** Where answers go. */
export interface AnswerStore {
  putResult(id: string, result: TrackResult, by: ComputedBy | null): void;
  /** Why it will not be embedded. */
  putNotEmbedded(id: string, reason: unknown): void;
  /** What was put is not there any more. */
  takeBack(id: string): 'failed' | 'embedded';
  /** @returns windows that another track with this content has, which this one has from now on */
  copyEmbeddings(id: string, contentHash: string): number;
}

export interface EmbedOverQueueOptions {
  /** Whose tasks these are, on the server. */
  libraryId: string;
  windows: 'all' | number;
  absolutePath: (path: string) => string;
  /** Null: peaks are wanted as well. Else the audio is taken through these first. */
  steps: QueueTask['steps'];
  store: AnswerStore;
  space: Pick<SpaceInfo, 'key' | 'windows'>;
  pack: Pack;
  board: TaskBoard;
  leaseSeconds: number;
  job: JobHandle;
  progress: Pick<ImportProgress, 'decoded' | 'embedded' | 'finished' | 'takenBack'>;
  /** A track was stored. */
  onStored: () => void;
  /** A worker is believed no more; in a sentence, why. */
  onSetAside: (sentence: string) => void;
  runtime: PackRuntime;
  /** A file as the pack hears it: computed again to see whether workers can be believed. */
  audioOf: (path: string, signal: AbortSignal) => AsyncIterable<Float32Array>;
  trust?: Trust;
  lookMs?: number;
  againMs?: number;
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
  /** How often it came back without a result. */
  returns: number;
  /** Whose answer it was. */
  by: string | null;
  /** Windows that were stored of it. */
  windows: number;
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
    () => stop.abort(endedEarly()),
    () => undefined,
  );
  await Promise.allSettled([receiving, offering, looking]);
  options.job.signal.throwIfAborted();
  if (!run.over) stop.signal.throwIfAborted();
  return run.counts;
}

class QueueRun {
  readonly counts = { imported: 0, failed: 0, windows: 0 };
  readonly finished: Promise<void>;
  readonly #options: EmbedOverQueueOptions;
  readonly #signal: AbortSignal;
  readonly #trust: Trust;
  /** Something was answered since it was last looked. */
  #heard = false;
  readonly #works = new Map<string, Work>();
  /** Tasks that each worker handed back, one after the other. */
  readonly #handedBack = new Map<string, string[]>();
  #left = 0;
  #bytes = 0;
  #room: (() => void)[] = [];
  #finish: () => void = () => undefined;

  constructor(tracks: readonly TrackToEmbed[], options: EmbedOverQueueOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#trust = options.trust ?? new Trust();
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    const { windowSeconds, embeddingDim } = options.pack.manifest;
    for (const track of tracks) {
      if (track.contentHash === null) throw new EngineError('internal', `${track.path} was not read.`);
      const key = taskKey({ spaceKey: options.space.key, contentHash: track.contentHash });
      const known = this.#works.get(key);
      if (known) known.tracks.push(track);
      const windows = expectedWindows([track], windowSeconds, options.windows);
      const fresh = {
        state: 'waiting',
        offeredAt: 0,
        refusals: 0,
        returns: 0,
        by: null,
        windows: 0,
      } as const;
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
    const { board } = this.#options;
    board.serveAudio((contentHash) => this.#audioOf(contentHash));
    for await (const answer of board.answers(this.#signal)) {
      this.#heard = true;
      await this.#take(answer);
      if (this.over) return;
      await this.#options.job.checkpoint();
    }
  }

  /** A task that is gone although nobody answered is hung out again; one that is there stays as it is. */
  async lookAfter(): Promise<void> {
    const { board, lookMs = LOOK_MS } = this.#options;
    while (!this.#stopped()) {
      await sleep(lookMs, undefined, { signal: this.#signal }).catch(() => undefined);
      if (!this.#stopped() && !this.#heard && (await board.workers()).length === 0)
        this.#options.job.report({ current: NOBODY });
      this.#heard = false;
      const before = performance.now() - lookMs;
      const old = [...this.#works.values()].filter(
        ({ state, offeredAt }) => state === 'offered' && offeredAt < before,
      );
      // Asked also where nothing is old: a server that has lost everything says so here.
      if (this.#stopped() || (await board.unread()) > 0) continue;
      for (const work of old) if (work.state === 'offered' && !this.#stopped()) await this.#hangOut(work);
    }
  }

  async #take({ bytes, worker, key, done }: DeliveredAnswer): Promise<void> {
    const work = this.#works.get(key);
    if (work && work.state !== 'over') {
      const read = await this.#read(worker, key, bytes);
      const complaint = read && (await this.#complaint(worker, work, read));
      if (complaint !== null) await this.#putAside(worker, complaint);
      if (read && complaint === null) this.#store(work, worker, read);
      else this.#returned(work, worker);
      this.#options.onStored();
    }
    done();
  }

  #store(work: Work, worker: string, read: TrackAnswer): void {
    const { store } = this.#options;
    const [track, ...twins] = work.tracks;
    work.by = worker;
    if (read.kind !== 'handed-back') this.#handedBack.delete(worker);
    if (read.kind === 'handed-back') this.#takenBack(work, worker);
    else if (read.kind === 'refused') this.#refused(work, read.reason);
    else if (read.kind === 'failed') this.#failed(work, read.reason);
    else {
      const before = this.counts.windows;
      store.putResult(track.id, read.result, read.by);
      this.#stored(track, read.result.windows.length, read.result.durationSeconds);
      for (const twin of twins) this.#copy(twin);
      work.windows = this.counts.windows - before;
      this.#over(work);
    }
  }

  /** Null for what is not believed. */
  async #read(worker: string, key: string, bytes: Uint8Array): Promise<TrackAnswer | null> {
    const { pack, space } = this.#options;
    if (this.#trust.isAside(worker)) return null;
    try {
      return readTrackAnswer(bytes, { space, pack, key });
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      await this.#putAside(worker, thrown.message);
      return null;
    }
  }

  /** @returns what is wrong with an answer, as far as it is computed again; null: nothing is known */
  async #complaint(worker: string, { tracks: [track] }: Work, read: TrackAnswer): Promise<string | null> {
    if (read.kind === 'refused' || read.kind === 'handed-back' || !this.#trust.isDue(worker)) return null;
    const { runtime, absolutePath, audioOf } = this.#options;
    const path = absolutePath(track.path);
    const signal = this.#signal;
    const complaint =
      read.kind === 'embedded'
        ? await recheck(path, read.result, { runtime, audioOf, signal, random: Math.random })
        : read.reason instanceof AudioError && (await canBeRead(audioOf(path, signal)))
          ? `it says that ${path} cannot be read, and it can`
          : null;
    if (complaint === null) this.#trust.passed(worker);
    return complaint;
  }

  /** What a worker answered that is not believed any more is taken back and hung out again. */
  async #putAside(worker: string, why: string): Promise<void> {
    const { board, store, progress, onSetAside } = this.#options;
    this.#trust.setAside(worker);
    board.setAside(worker);
    onSetAside(`The worker “${worker}” is set aside, and what it answered is made again: ${why}.`);
    const again = [...this.#works.values()].filter(({ by, state }) => by === worker && state === 'over');
    for (const work of again) {
      const failed = work.tracks.filter(({ id }) => store.takeBack(id) === 'failed').length;
      this.counts.failed -= failed;
      this.counts.imported -= work.tracks.length - failed;
      this.counts.windows -= work.windows;
      work.windows = 0;
      progress.takenBack(work.tracks.length, failed);
      work.state = 'offered';
      work.by = null;
      this.#bytes += work.bytes;
      this.#left++;
      await this.#hangOut(work);
    }
  }

  #audioOf(contentHash: string): string | null {
    const { space, absolutePath } = this.#options;
    const work = this.#works.get(taskKey({ spaceKey: space.key, contentHash }));
    return work?.state === 'offered' ? absolutePath(work.tracks[0].path) : null;
  }

  #refused(work: Work, reason: EngineError): void {
    work.refusals++;
    if (work.refusals < MOST_REFUSALS) this.#again(work);
    else this.#failed(work, reason);
  }

  /** A worker that only hands back gives others no turn: it is told to leave. */
  #takenBack(work: Work, worker: string): void {
    const { board, onSetAside } = this.#options;
    const inARow = [...(this.#handedBack.get(worker) ?? []), work.key];
    this.#handedBack.set(worker, inARow);
    const takesMore = new Set(inARow).size < inARow.length || inARow.length > queueLimits.underWay;
    if (takesMore && inARow.length >= MOST_HANDED_BACK) {
      this.#trust.setAside(worker);
      board.setAside(worker);
      onSetAside(
        `The worker “${worker}” is set aside: it handed back ${inARow.length} tracks in a row. Its log says why.`,
      );
    }
    this.#returned(work, worker);
  }

  /** A task that comes back again and again would keep the import for ever. */
  #returned(work: Work, worker: string): void {
    work.returns++;
    if (work.returns < MOST_RETURNS) this.#again(work);
    else
      this.#failed(
        work,
        new EngineError(
          'queue',
          `Workers gave this file back ${work.returns} times without a result, the last time “${worker}”.`,
          'Look at the logs of the workers, end those that do not work, and import again.',
        ),
      );
  }

  /** Hangs a task out again, once the worker that answered it has left it. */
  #again(work: Work): void {
    setTimeout(() => {
      // Where this fails, it is seen that the task is gone.
      if (work.state !== 'over' && !this.#stopped()) this.#hangOut(work).catch(() => undefined);
    }, this.#options.againMs ?? AGAIN_MS).unref();
  }

  #failed(work: Work, reason: unknown): void {
    const { store, progress } = this.#options;
    // Before it counts as over: what cannot be written down ends the run, also with the last task.
    for (const { id } of work.tracks) store.putNotEmbedded(id, reason);
    this.#over(work);
    for (const { durationSeconds } of work.tracks) {
      this.counts.failed++;
      progress.finished(true, durationSeconds ?? 0);
    }
  }

  async #hangOut(work: Work): Promise<void> {
    const { board, space, pack, leaseSeconds, libraryId, windows, absolutePath, steps } = this.#options;
    const [{ path, contentHash, durationSeconds }] = work.tracks;
    work.offeredAt = performance.now();
    const task = writeTask({
      protocol: 1,
      ...{ libraryId, windows, steps },
      spaceKey: space.key,
      packSha256: pack.sha256,
      contentHash: contentHash ?? '',
      path: absolutePath(path),
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
    this.#options.board.dropAudio(work.tracks[0].contentHash ?? '');
    this.#wake();
    if (this.over) this.#finish();
  }

  #wake(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }
}

/** No more answers come although some are missing: the connection was closed, by the server. */
function endedEarly(): EngineError {
  return new EngineError(
    'queue',
    'The queue gives no more answers.',
    'Check that its server lets this machine in, and import again: what was answered is kept.',
  );
}

/** Whether a file can be decoded to its end, here. */
async function canBeRead(audio: AsyncIterable<Float32Array>): Promise<boolean> {
  try {
    let samples = 0;
    for await (const piece of audio) samples += piece.length;
    return samples > 0;
  } catch (thrown) {
    if (thrown instanceof AudioError) return false;
    throw thrown;
  }
}
