import type { Job, JobKind, JobLane, JobState, WaitingFor } from '../api/jobs.ts';
import { EngineError } from '../api/errors.ts';
import type { ErrorCoding } from '../wire/contract.ts';
import type { EventBus } from '../events.ts';
import { newId } from '../identifier.ts';
import type { AnyJobKind } from './kind.ts';
import { Lanes, yieldsTo } from './lanes.ts';
import { LiveJob, type LiveJobHooks } from './running.ts';
import type { JobStore, StoredJob } from './store.ts';
import { ifRoom } from '../storage/errors.ts';
import { inOrder, waitingFor } from './waiting.ts';

export type { JobHandle } from './running.ts';

const finishedStates: readonly JobState[] = ['done', 'failed', 'cancelled'];
/** A job that ended its process so often, with nothing kept in between, would do it for ever. */
const MOST_ENDED = 2;
/** Who waits is told at most this often that the job before it came nearer to its end. */
const RETELL_MS = 1000;

export interface JobQueueOptions {
  /** Name of a library, for people; null when it is not there. */
  nameOfLibrary?: (libraryId: string) => string | null;
  /** What a failed job is told to have failed with; default: {@link EngineError.from}. */
  toError?: ErrorCoding;
}

/**
 * Long work in lanes (`engine/jobs/lanes.ts`), remembered in `jobs.db`. A job that rests holds nothing: one of a
 * resumable kind stops and begins again later, any other waits at its next checkpoint outside its lane. Jobs of a
 * resumable kind that were running or waiting when the process ended start again by themselves (`recover`), unless they
 * ended it twice; the others are told to have failed with `engine-restarted`.
 */
export class JobQueue {
  readonly #store: JobStore;
  readonly #events: EventBus;
  readonly #options: JobQueueOptions;
  readonly #toError: ErrorCoding;
  readonly #kinds = new Map<JobKind, AnyJobKind>();
  readonly #jobs = new Map<string, LiveJob>();
  readonly #waiters = new Map<string, ((job: Job) => void)[]>();
  readonly #runs = new Set<Promise<void>>();
  readonly #lanes = new Lanes();
  #changes: (() => void)[] = [];
  #lastRank = 0;
  #retold = -Infinity;
  #closing = false;

  constructor(store: JobStore, events: EventBus, options: JobQueueOptions = {}) {
    this.#store = store;
    this.#events = events;
    this.#options = options;
    this.#toError = options.toError ?? EngineError.from.bind(EngineError);
    ifRoom(() => store.prune());
    for (const entry of store.all()) this.#adopt(entry);
  }

  /** Adds a row to the table of kinds. */
  register(kind: AnyJobKind): void {
    this.#kinds.set(kind.kind, kind);
  }

  /**
   * Takes up what an earlier process left; to be called once, when every kind is registered.
   * @param options.resting nothing starts by itself: what would go on is paused instead (after several crashes in a row)
   */
  recover({ resting = false }: { resting?: boolean } = {}): void {
    for (const live of this.#jobs.values()) {
      const { job } = live;
      if (live.started || finishedStates.includes(job.state)) continue;
      if (job.state === 'running') live.ended++;
      if (job.startedAt !== null) this.#abandoned(live);
      if (this.#kinds.get(job.kind)?.resumable !== true) this.#finish(live, 'failed', restarted());
      else if (live.ended >= MOST_ENDED) this.#finish(live, 'failed', endedTwice(job.title));
      else {
        if (resting || job.state === 'paused') job.state = 'paused';
        else job.state = 'queued';
        job.startedAt = null;
        this.#save(live);
      }
    }
    this.#schedule();
  }

  /**
   * Queues a job.
   * @param options.spec given to the row of the kind, after a trip through JSON
   * @returns the job's id
   * @throws EngineError `internal` for a kind nobody registered, `bad-input`, `disk-full`, and what the row's title throws
   */
  start(kind: JobKind, options: { libraryId: string | null; spec: unknown }): string {
    const row = this.#kinds.get(kind);
    if (!row) throw new EngineError('internal', `No runner for ${kind} jobs.`);
    const spec = JSON.parse(JSON.stringify(options.spec ?? null)) as unknown;
    const opened = row.open(spec);
    const { libraryId } = options;
    const job: Job = {
      id: newId(),
      kind,
      title: opened.title(),
      lane: opened.lane,
      libraryId,
      libraryName: libraryId === null ? null : (this.#options.nameOfLibrary?.(libraryId) ?? null),
      state: 'queued',
      waitingFor: null,
      progress: {
        done: 0,
        total: 0,
        unit: '',
        current: '',
        windows: 0,
        failures: 0,
        audioSecondsPerSecond: null,
        etaSeconds: null,
      },
      error: null,
      result: null,
      createdAt: new Date().toISOString(),
      startedAt: null,
      finishedAt: null,
    };
    const entry = { job, spec, ended: 0, rank: null };
    // Not caught: a job that cannot be remembered must not start.
    this.#store.put(entry);
    this.#tell(this.#adopt(entry));
    this.#schedule();
    return job.id;
  }

  /** What is under way and waits, in the order in which it is served; then what is finished, newest first. */
  list(): Job[] {
    return inOrder([...this.#jobs.values()]).map((live) => this.#shown(live));
  }

  /** @throws EngineError `not-found` */
  get(id: string): Job {
    return this.#shown(this.#live(id));
  }

  /** Stops a job in whatever state it is; a finished one stays as it is. */
  cancel(id: string): void {
    const live = this.#live(id);
    if (finishedStates.includes(live.job.state)) return;
    if (live.started) live.stop('cancel');
    else this.#finish(live, 'cancelled', null);
  }

  /** Lets a job rest: at once when it can begin again later, else at its next checkpoint, or before it starts. */
  pause(id: string): void {
    const live = this.#live(id);
    if (live.job.state !== 'running' && live.job.state !== 'queued') return;
    live.job.state = 'paused';
    this.#rest(live);
    this.#save(live);
    this.#schedule();
  }

  resume(id: string): void {
    const live = this.#live(id);
    if (live.job.state !== 'paused') return;
    // Not parked yet: it still holds its lane and simply goes on.
    const goesOn = live.started && live.stopping === null && this.#lanes.holds(live);
    live.job.state = goesOn ? 'running' : 'queued';
    this.#save(live);
    this.#schedule();
  }

  /** Puts a waiting or paused job first in its lane. What runs there and can go on later makes room for it. */
  first(id: string): void {
    const live = this.#live(id);
    if (live.job.state !== 'queued' && live.job.state !== 'paused') return;
    live.job.state = 'queued';
    const ranks = [...this.#jobs.values()].map(({ rank }) => rank);
    live.rank = Math.min(...ranks) - 1;
    // One that was paused leaves its lane already, and must not go on by itself.
    const holder = this.#lanes
      .holders(live.lane)
      .find(({ job }) => job.state === 'running' && this.#kinds.get(job.kind)?.resumable);
    if (!this.#lanes.hasRoom(live.lane) && holder) {
      // Next after the one it made room for.
      holder.rank = live.rank;
      live.rank--;
      holder.job.state = 'queued';
      this.#rest(holder);
      this.#save(holder);
    }
    this.#save(live);
    this.#schedule();
  }

  /** Forgets finished jobs. */
  clear(): void {
    for (const live of [...this.#jobs.values()]) {
      if (!finishedStates.includes(live.job.state)) continue;
      this.#store.delete(live.id);
      this.#jobs.delete(live.id);
    }
  }

  /**
   * Resolves when the job is done, failed or cancelled, or as it is when the engine closes first.
   * Never rejects for the job's own failure.
   */
  async waitFor(id: string): Promise<Job> {
    const live = this.#live(id);
    if (finishedStates.includes(live.job.state)) return structuredClone(live.job);
    return new Promise((resolve) => {
      this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), resolve]);
    });
  }

  /** Whether a job of this library waits, runs or rests; what goes on in the background keeps nobody from anything. */
  busy(libraryId: string): boolean {
    return [...this.#jobs.values()].some(
      ({ job }) =>
        job.libraryId === libraryId && !finishedStates.includes(job.state) && job.lane !== 'background',
    );
  }

  /** The jobs of a kind that are not finished, with what they were told. */
  unfinished(kind: JobKind, libraryId: string | null): { id: string; spec: unknown }[] {
    return inOrder([...this.#jobs.values()])
      .filter(({ job }) => job.kind === kind && job.libraryId === libraryId)
      .filter(({ job }) => !finishedStates.includes(job.state))
      .map(({ id, spec }) => ({ id, spec }));
  }

  /** Cancels what goes on in the background for a library, and waits until it has ended. */
  async endBackground(libraryId: string): Promise<void> {
    const own = [...this.#jobs.values()].filter(
      ({ job, lane }) =>
        job.libraryId === libraryId && lane === 'background' && !finishedStates.includes(job.state),
    );
    for (const { id } of own) this.cancel(id);
    await Promise.all(own.map(({ id }) => this.waitFor(id)));
  }

  /** Stops everything; resumable jobs go on when the next engine opens this data folder. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const live of this.#jobs.values()) if (live.started) live.stop('close');
    await Promise.allSettled(this.#runs);
    for (const [id, resolves] of this.#waiters) for (const resolve of resolves) resolve(this.get(id));
    this.#waiters.clear();
    this.#store.close();
  }

  readonly #hooks: LiveJobHooks = {
    onReport: (live) => {
      this.#tell(live);
      if (performance.now() - this.#retold < RETELL_MS) return;
      this.#retold = performance.now();
      this.#tellWaiting(live.lane);
    },
    onPark: (live) => this.#leaveLane(live),
    onKept: (live) => this.#save(live),
    mustYield: (live) =>
      yieldsTo[live.lane].some((lane) =>
        this.#lanes.holders(lane).some(({ job }) => job.state === 'running'),
      ),
    changed: () => new Promise((resolve) => this.#changes.push(resolve)),
  };

  #adopt(entry: StoredJob): LiveJob {
    const rank = entry.rank ?? this.#lastRank + 1;
    this.#lastRank = Math.max(this.#lastRank, rank);
    const live = new LiveJob(entry, rank, this.#hooks);
    this.#jobs.set(live.id, live);
    return live;
  }

  #schedule(): void {
    if (this.#closing) return;
    for (const live of inOrder([...this.#jobs.values()])) {
      // One that is told to stop for now must have ended before it may begin again.
      if (live.job.state !== 'queued' || live.stopping !== null) continue;
      if (!this.#lanes.hasRoom(live.lane)) continue;
      this.#lanes.enter(live);
      live.job.state = 'running';
      if (live.started) {
        this.#save(live);
        live.wake();
      } else {
        this.#begin(live);
      }
    }
    for (const lane of new Set([...this.#jobs.values()].map((live) => live.lane))) this.#tellWaiting(lane);
    for (const resolve of this.#changes.splice(0)) resolve();
  }

  #begin(live: LiveJob): void {
    live.begin();
    live.job.startedAt = new Date().toISOString();
    this.#save(live);
    const run = this.#run(live).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  async #run(live: LiveJob): Promise<void> {
    const row = this.#kinds.get(live.job.kind);
    try {
      if (!row) throw restarted();
      const result = await row.open(live.spec).run(live);
      live.over();
      live.job.result = result;
      this.#finish(live, 'done', null);
    } catch (thrown) {
      const { aborted } = live.signal;
      const told = live.over();
      if (!aborted || told === null) this.#finish(live, 'failed', this.#toError(thrown));
      else if (told === 'cancel') this.#finish(live, 'cancelled', null);
      else if (told === 'rest' && !this.#closing) this.#rested(live);
      // The engine closes in order: that is no fault of the job, which is taken up by `recover` next time.
      else if (row?.resumable === true) this.#set(live, live.job.state === 'paused' ? 'paused' : 'queued');
      else this.#finish(live, 'failed', restarted());
    }
  }

  /** What can begin again stops, so that it holds nothing; the rest waits at its next checkpoint. */
  #rest(live: LiveJob): void {
    if (live.started && this.#kinds.get(live.job.kind)?.resumable === true) live.stop('rest');
  }

  #rested(live: LiveJob): void {
    live.job.startedAt = null;
    this.#save(live);
    this.#leaveLane(live);
  }

  /** What a killed process left of this job goes; that it cannot go now keeps nothing from starting. */
  #abandoned(live: LiveJob): void {
    const row = this.#kinds.get(live.job.kind);
    const sweep = (async () => row?.open(live.spec).abandoned(live.id))()
      .catch(() => undefined)
      .finally(() => this.#runs.delete(sweep));
    this.#runs.add(sweep);
  }

  #set(live: LiveJob, state: JobState): void {
    live.job.state = state;
    this.#save(live);
  }

  #finish(live: LiveJob, state: JobState, error: EngineError | null): void {
    live.silence();
    live.job.state = state;
    live.job.error = error?.toData() ?? null;
    live.job.finishedAt = new Date().toISOString();
    live.job.progress.etaSeconds = null;
    this.#save(live);
    for (const resolve of this.#waiters.get(live.id) ?? []) resolve(structuredClone(live.job));
    this.#waiters.delete(live.id);
    this.#leaveLane(live);
  }

  #leaveLane(live: LiveJob): void {
    this.#lanes.leave(live);
    this.#schedule();
  }

  #save(live: LiveJob): void {
    try {
      this.#store.put(live);
    } catch {
      // The disk may be full, which is also why the job ends: shells must hear of it all the same.
    }
    this.#tell(live);
  }

  #tellWaiting(lane: JobLane): void {
    for (const live of this.#jobs.values()) {
      if (live.lane !== lane || live.job.state !== 'queued') continue;
      const waits = this.#waitingFor(live);
      if (JSON.stringify(waits) !== live.toldWaiting) this.#tell(live);
    }
  }

  #tell(live: LiveJob): void {
    const job = this.#shown(live);
    live.toldWaiting = JSON.stringify(job.waitingFor);
    this.#events.emit({ type: 'job', job });
  }

  /** A copy of the record, with what it waits for. */
  #shown(live: LiveJob): Job {
    return structuredClone({ ...live.job, waitingFor: this.#waitingFor(live) });
  }

  #waitingFor(live: LiveJob): WaitingFor | null {
    return waitingFor(live, this.#lanes.holders(live.lane), [...this.#jobs.values()]);
  }

  #live(id: string): LiveJob {
    const live = this.#jobs.get(id);
    if (!live) throw new EngineError('not-found', `There is no job ${id}.`, 'It may have been cleared.');
    return live;
  }
}

function restarted(): EngineError {
  return new EngineError(
    'engine-restarted',
    'Archetone was closed or restarted while this ran.',
    'Start it again.',
  );
}

function endedTwice(title: string): EngineError {
  return new EngineError(
    'engine-restarted',
    `“${title}” ended Archetone's engine twice, so it is not taken up again by itself.`,
    'Nothing that was finished is lost. Start it again once what it works on, or the pack, has changed.',
  );
}
