import { SvelteMap } from 'svelte/reactivity';
import type { Job } from '../../../engine/api/jobs.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';

export function isFinished(job: Job): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
}

/** Share done, 0…1, or null while the total is not known. */
export function shareDone(job: Job): number | null {
  const { done, total } = job.progress;
  return total > 0 ? Math.min(1, done / total) : null;
}

const stage = (job: Job): number => (isFinished(job) ? 2 : job.state === 'running' ? 0 : 1);

/** What runs, what waits in the order of its turn, then what is finished with the newest first. */
function served(a: Job, b: Job): number {
  const order = stage(a) - stage(b);
  if (order !== 0) return order;
  if (isFinished(a)) return b.createdAt.localeCompare(a.createdAt);
  return (a.waitingFor?.ahead ?? 0) - (b.waitingFor?.ahead ?? 0) || a.createdAt.localeCompare(b.createdAt);
}

/** What only waits for jobs needs of them. */
export type JobWaiter = Pick<Jobs, 'wait'>;

interface Waiter {
  resolve: (job: Job) => void;
  reject: (error: EngineError) => void;
}

/** All jobs the engine knows, kept current by its events. */
export class Jobs {
  #byId = new SvelteMap<string, Job>();
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  #waiters = new Map<string, Waiter[]>();
  #engine: EngineConnection;

  list = $derived([...this.#byId.values()].sort(served));
  active = $derived(this.list.filter((job) => !isFinished(job)));

  constructor(engine: EngineConnection) {
    this.#engine = engine;
  }

  get(id: string | null): Job | undefined {
    return id === null ? undefined : this.#byId.get(id);
  }

  /** The job of a kind that is under way for a library, if any. */
  running(kind: Job['kind'], libraryId: string | null): Job | undefined {
    return this.active.find((job) => job.kind === kind && job.libraryId === libraryId);
  }

  apply(job: Job): void {
    this.#byId.set(job.id, job);
    if (isFinished(job)) this.#settle(job);
  }

  /** Reads all jobs anew; waits for jobs that no longer exist fail, so that nothing hangs after a restart. */
  async reload(): Promise<void> {
    const jobs = await this.#engine.call('jobs.list', {});
    this.#byId.clear();
    for (const job of jobs) this.apply(job);
    for (const [id, waiters] of this.#waiters) {
      if (this.#byId.has(id)) continue;
      this.#waiters.delete(id);
      const error = new EngineError(
        'engine-restarted',
        'The engine was restarted.',
        'Please start it again.',
      );
      for (const waiter of waiters) waiter.reject(error);
    }
  }

  /**
   * Resolves when the job is done.
   * @param signal ends the wait, not the job.
   * @throws EngineError the job's own error, or `cancelled`.
   */
  async wait(id: string, signal?: AbortSignal): Promise<Job> {
    const known = this.#byId.get(id);
    if (!known) this.apply(await this.#engine.call('jobs.get', { jobId: id }));
    let stop = (): void => undefined;
    const finished = new Promise<Job>((resolve, reject) => {
      stop = () => reject(new EngineError('cancelled', 'Nobody waits for it any more.'));
      if (signal?.aborted) {
        stop();
        return;
      }
      signal?.addEventListener('abort', stop, { once: true });
      this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), { resolve, reject }]);
      const job = this.#byId.get(id);
      if (job && isFinished(job)) this.#settle(job);
    });
    try {
      return await finished;
    } finally {
      // The signal is a session’s, which sees many jobs end.
      signal?.removeEventListener('abort', stop);
    }
  }

  async cancel(id: string): Promise<void> {
    await this.#engine.call('jobs.cancel', { jobId: id });
  }

  async pause(id: string): Promise<void> {
    await this.#engine.call('jobs.pause', { jobId: id });
  }

  /** Puts a waiting job first in its lane. */
  async first(id: string): Promise<void> {
    await this.#engine.call('jobs.first', { jobId: id });
  }

  async resume(id: string): Promise<void> {
    await this.#engine.call('jobs.resume', { jobId: id });
  }

  async clearFinished(): Promise<void> {
    await this.#engine.call('jobs.clear', {});
    await this.reload();
  }

  #settle(job: Job): void {
    const waiters = this.#waiters.get(job.id) ?? [];
    this.#waiters.delete(job.id);
    for (const waiter of waiters) {
      if (job.state === 'done') waiter.resolve(job);
      else if (job.error) waiter.reject(EngineError.fromData(job.error));
      else waiter.reject(new EngineError('cancelled', 'Cancelled.'));
    }
  }
}
