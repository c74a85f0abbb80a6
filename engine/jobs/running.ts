import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Job, JobLane, JobProgress } from '../api/jobs.ts';
import type { StoredJob } from './store.ts';

/** What a job's runner holds. */
export interface JobHandle {
  readonly id: string;
  readonly lane: JobLane;
  /** Aborted when the job is cancelled or has to stop for now, and when the engine closes. */
  readonly signal: AbortSignal;
  /** Why, once it is. */
  readonly stopping: StopReason | null;
  /** Shells hear of it at most ten times a second; the last report always arrives. */
  report(progress: Partial<JobProgress>): void;
  /** A better title, once it is known what the work is. */
  entitle(title: string): void;
  /**
   * To be awaited between pieces of work, before each batch: waits while the job is paused, and while something that a
   * person listens for is under way.
   * @throws DOMException `AbortError` once the job is cancelled
   */
  checkpoint(): Promise<void>;
  /** Something was stored that need not be done again, whatever happens to this process. */
  kept(): void;
}

const REPORT_INTERVAL_MS = 100;

/** Why a runner is told to stop: `rest` means that the job goes on later. */
export type StopReason = 'cancel' | 'rest' | 'close';

export interface LiveJobHooks {
  onReport: (live: LiveJob) => void;
  /** Its runner waits in a checkpoint and needs no lane. */
  onPark: (live: LiveJob) => void;
  onKept: (live: LiveJob) => void;
  /** Whether a person waits for something that this job must not hold up. */
  mustYield: (live: LiveJob) => boolean;
  /** Resolves when `mustYield` may have changed. */
  changed: () => Promise<void>;
}

/** A job that is in memory: its record, and how its runner is stopped, parked and woken. */
export class LiveJob implements JobHandle {
  readonly job: Job;
  readonly spec: unknown;
  /** Crashes of the process while it ran, with nothing kept since. */
  ended: number;
  /** Place among the waiting: smallest first. */
  rank: number;
  /** The runner has begun (and has not ended). */
  started = false;
  /** What the runner was told, while it unwinds. */
  stopping: StopReason | null = null;
  /** The runner waits in `checkpoint`. */
  parked = false;
  /** What shells were told last that it waits for, as JSON. */
  toldWaiting = 'null';
  readonly #hooks: LiveJobHooks;
  #controller = new AbortController();
  #wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #lastReport = 0;

  constructor(entry: StoredJob, rank: number, hooks: LiveJobHooks) {
    this.job = entry.job;
    this.spec = entry.spec;
    this.ended = entry.ended;
    this.rank = rank;
    this.#hooks = hooks;
  }

  get id(): string {
    return this.job.id;
  }

  get lane(): JobLane {
    return this.job.lane;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** To be called before each run: a job that rested begins anew. */
  begin(): void {
    this.#controller = new AbortController();
    this.started = true;
    this.stopping = null;
    this.parked = false;
    // What an earlier run foresaw no longer holds.
    this.job.progress.etaSeconds = null;
  }

  /** Tells the runner to stop. A later reason replaces `rest`, which can be thought better of. */
  stop(reason: StopReason): void {
    if (this.stopping === null || this.stopping === 'rest') this.stopping = reason;
    this.#controller.abort();
  }

  /** The runner has ended. @returns what it was told */
  over(): StopReason | null {
    const told = this.stopping;
    this.started = false;
    this.stopping = null;
    this.parked = false;
    this.silence();
    return told;
  }

  report(progress: Partial<JobProgress>): void {
    Object.assign(this.job.progress, progress);
    if (this.#timer) return;
    const wait = Math.max(0, this.#lastReport + REPORT_INTERVAL_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lastReport = performance.now();
      this.#hooks.onReport(this);
    }, wait);
  }

  entitle(title: string): void {
    this.job.title = title;
    this.report({});
  }

  kept(): void {
    if (this.ended === 0) return;
    this.ended = 0;
    this.#hooks.onKept(this);
  }

  /** No report is told any more: the final state is. */
  silence(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async checkpoint(): Promise<void> {
    // Work between two checkpoints may never wait for anything; a cancel arrives only when the loop of events turns.
    await nextTurn();
    for (;;) {
      this.signal.throwIfAborted();
      if (this.job.state !== 'running') await this.#park();
      else if (this.#hooks.mustYield(this)) await this.#orAbort(this.#hooks.changed());
      else return;
    }
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = () => undefined;
    wake();
  }

  async #park(): Promise<void> {
    this.parked = true;
    this.#hooks.onPark(this);
    await this.#orAbort(
      new Promise<void>((resolve) => {
        const earlier = this.#wake;
        // Several pieces of one job may wait at once.
        this.#wake = () => {
          earlier();
          resolve();
        };
      }),
    );
    if (this.job.state === 'running') this.parked = false;
  }

  async #orAbort(wait: Promise<void>): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      void wait.then(done);
    });
  }
}
