import type { Job, JobProgress } from '../api/domain.ts';

/** What a job's runner holds. */
export interface JobHandle {
  readonly id: string;
  /** Aborted when the job is cancelled or the engine closes. */
  readonly signal: AbortSignal;
  /** Shells hear of it at most ten times a second; the last report always arrives. */
  report(progress: Partial<JobProgress>): void;
  /**
   * To be awaited between pieces of work: waits while the job is paused.
   * @throws DOMException `AbortError` once the job is cancelled
   */
  checkpoint(): Promise<void>;
}

const REPORT_INTERVAL_MS = 100;

/** A job that is in memory: its record, and how its runner is stopped, parked and woken. */
export class LiveJob implements JobHandle {
  readonly job: Job;
  readonly spec: unknown;
  readonly controller = new AbortController();
  /** The runner has begun (and has not ended). */
  started = false;
  /** The runner waits in `checkpoint`. */
  parked = false;
  readonly #onReport: (live: LiveJob) => void;
  readonly #onPark: (live: LiveJob) => void;
  #wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #lastReport = 0;

  constructor(
    entry: { job: Job; spec: unknown },
    hooks: { onReport: (live: LiveJob) => void; onPark: (live: LiveJob) => void },
  ) {
    this.job = entry.job;
    this.spec = entry.spec;
    this.#onReport = hooks.onReport;
    this.#onPark = hooks.onPark;
  }

  get id(): string {
    return this.job.id;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  report(progress: Partial<JobProgress>): void {
    Object.assign(this.job.progress, progress);
    if (this.#timer) return;
    const wait = Math.max(0, this.#lastReport + REPORT_INTERVAL_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lastReport = performance.now();
      this.#onReport(this);
    }, wait);
  }

  /** No report is told any more: the final state is. */
  silence(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async checkpoint(): Promise<void> {
    this.signal.throwIfAborted();
    if (this.job.state !== 'paused' && !this.parked) return;
    while (!this.signal.aborted && this.job.state !== 'running') {
      this.parked = true;
      this.#onPark(this);
      await new Promise<void>((resolve) => {
        const earlier = this.#wake;
        // Several pieces of one job may wait at once.
        this.#wake = () => {
          earlier();
          resolve();
        };
        this.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.parked = false;
    this.signal.throwIfAborted();
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = () => undefined;
    wake();
  }
}
