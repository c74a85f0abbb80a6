import type { Job, JobKind, JobResult, JobState } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EventBus } from '../context.ts';
import { newId } from '../identifier.ts';
import { LiveJob } from './running.ts';
import type { JobHandle } from './running.ts';
import type { JobStore } from './store.ts';

export type { JobHandle } from './running.ts';

/** Does the work of one kind of job. `spec` is what `start` was given, after a trip through JSON: parse it. */
export type JobRunner<K extends JobKind> = (
  spec: unknown,
  job: JobHandle,
) => Promise<Extract<JobResult, { kind: K }>>;

interface Registration {
  runner: (spec: unknown, job: JobHandle) => Promise<JobResult>;
  resumable: boolean;
  lane: string;
}

const finishedStates: readonly JobState[] = ['done', 'failed', 'cancelled'];

/**
 * Long work, one job at a time per lane, remembered in `jobs.db`. A paused job leaves its lane to the next one.
 * Jobs of a resumable kind that were running or waiting when the process ended start again by themselves
 * (`recover`); the others are told to have failed with `engine-restarted`.
 */
export class JobQueue {
  readonly #store: JobStore;
  readonly #events: EventBus;
  readonly #registrations = new Map<JobKind, Registration>();
  readonly #jobs = new Map<string, LiveJob>();
  readonly #waiters = new Map<string, ((job: Job) => void)[]>();
  readonly #runs = new Set<Promise<void>>();
  /** Job that occupies each lane. */
  readonly #lanes = new Map<string, LiveJob>();
  #closing = false;

  constructor(store: JobStore, events: EventBus) {
    this.#store = store;
    this.#events = events;
    for (const entry of store.all()) this.#adopt(entry);
  }

  /**
   * Says how a kind of job is done.
   * @param options.resumable whether the runner can begin again after a crash and finds what it had finished
   * @param options.lane jobs of one lane wait for each other; default `heavy`
   */
  register<K extends JobKind>(
    kind: K,
    runner: JobRunner<K>,
    options: { resumable?: boolean; lane?: string } = {},
  ): void {
    this.#registrations.set(kind, {
      runner,
      resumable: options.resumable ?? false,
      lane: options.lane ?? 'heavy',
    });
  }

  /** Takes up what an earlier process left; to be called once, when every kind is registered. */
  recover(): void {
    for (const live of this.#jobs.values()) {
      if (live.started || finishedStates.includes(live.job.state)) continue;
      if (this.#registrations.get(live.job.kind)?.resumable === true) {
        if (live.job.state !== 'paused') live.job.state = 'queued';
        live.job.startedAt = null;
        this.#save(live);
      } else {
        this.#finish(live, 'failed', restarted());
      }
    }
    this.#schedule();
  }

  /**
   * Queues a job.
   * @param options.spec JSON; given to the runner
   * @returns the job's id
   * @throws EngineError `internal` for a kind nobody registered, `disk-full`
   */
  start(kind: JobKind, options: { title: string; libraryId: string | null; spec: unknown }): string {
    if (!this.#registrations.has(kind)) throw new EngineError('internal', `No runner for ${kind} jobs.`);
    const job: Job = {
      id: newId(),
      kind,
      title: options.title,
      libraryId: options.libraryId,
      state: 'queued',
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
    const spec = JSON.parse(JSON.stringify(options.spec ?? null)) as unknown;
    // Not caught: a job that cannot be remembered must not start.
    this.#store.put({ job, spec });
    this.#tell(this.#adopt({ job, spec }));
    this.#schedule();
    return job.id;
  }

  /** Newest first. */
  list(): Job[] {
    return [...this.#jobs.values()].map((live) => structuredClone(live.job)).reverse();
  }

  /** @throws EngineError `not-found` */
  get(id: string): Job {
    return structuredClone(this.#live(id).job);
  }

  /** Stops a job in whatever state it is; a finished one stays as it is. */
  cancel(id: string): void {
    const live = this.#live(id);
    if (finishedStates.includes(live.job.state)) return;
    live.controller.abort();
    if (!live.started) this.#finish(live, 'cancelled', null);
  }

  /** Lets a job rest at its next checkpoint, or before it starts. */
  pause(id: string): void {
    const live = this.#live(id);
    if (live.job.state !== 'running' && live.job.state !== 'queued') return;
    live.job.state = 'paused';
    this.#save(live);
    this.#schedule();
  }

  resume(id: string): void {
    const live = this.#live(id);
    if (live.job.state !== 'paused') return;
    // Not parked yet: it still holds its lane and simply goes on.
    live.job.state = live.started && this.#holdsLane(live) ? 'running' : 'queued';
    this.#save(live);
    live.wake();
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

  /** Whether a job of this library waits, runs or rests. */
  busy(libraryId: string): boolean {
    return [...this.#jobs.values()].some(
      ({ job }) => job.libraryId === libraryId && !finishedStates.includes(job.state),
    );
  }

  /** Stops everything; resumable jobs go on when the next engine opens this data folder. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const live of this.#jobs.values()) if (live.started) live.controller.abort();
    await Promise.allSettled(this.#runs);
    for (const [id, resolves] of this.#waiters) for (const resolve of resolves) resolve(this.get(id));
    this.#waiters.clear();
    this.#store.close();
  }

  #adopt(entry: { job: Job; spec: unknown }): LiveJob {
    const live = new LiveJob(entry, {
      onReport: (job) => this.#tell(job),
      onPark: (job) => {
        if (this.#holdsLane(job)) this.#leaveLane(job);
      },
    });
    this.#jobs.set(live.id, live);
    return live;
  }

  #schedule(): void {
    if (this.#closing) return;
    for (const live of this.#jobs.values()) {
      if (live.job.state !== 'queued' || live.signal.aborted) continue;
      const registration = this.#registrations.get(live.job.kind);
      if (!registration || this.#lanes.has(registration.lane)) continue;
      this.#lanes.set(registration.lane, live);
      live.job.state = 'running';
      if (live.started) {
        this.#save(live);
        live.wake();
      } else {
        this.#begin(live, registration);
      }
    }
  }

  #begin(live: LiveJob, registration: Registration): void {
    live.started = true;
    live.job.startedAt = new Date().toISOString();
    this.#save(live);
    const run = this.#run(live, registration).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  async #run(live: LiveJob, registration: Registration): Promise<void> {
    try {
      const result = await registration.runner(live.spec, live);
      live.started = false;
      live.job.result = result;
      this.#finish(live, 'done', null);
    } catch (thrown) {
      live.started = false;
      const error = EngineError.from(thrown);
      if (!live.signal.aborted) this.#finish(live, 'failed', error);
      else if (!this.#closing) this.#finish(live, 'cancelled', null);
      // The engine closes: a resumable job keeps its stored state and is taken up by `recover` next time.
      else if (!registration.resumable) this.#finish(live, 'failed', restarted());
    }
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
    for (const [lane, holder] of this.#lanes) if (holder === live) this.#lanes.delete(lane);
    this.#schedule();
  }

  #holdsLane(live: LiveJob): boolean {
    return [...this.#lanes.values()].includes(live);
  }

  #save(live: LiveJob): void {
    try {
      this.#store.put(live);
    } catch {
      // The disk may be full, which is also why the job ends: shells must hear of it all the same.
    }
    this.#tell(live);
  }

  #tell(live: LiveJob): void {
    this.#events.emit({ type: 'job', job: structuredClone(live.job) });
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
