import type { JobLane } from '../api/jobs.ts';
import type { LiveJob } from './running.ts';

/**
 * Jobs of one lane that run at once. Two for `listen`, so that a long file somebody dropped does not keep a sound from
 * being heard; one where they would only share the same processor and finish later for it.
 */
const room: Record<JobLane, number> = { listen: 2, compute: 1, import: 1, network: 2, background: 1 };

/** While anything runs in these lanes, a job waits at its next checkpoint. */
export const yieldsTo: Record<JobLane, readonly JobLane[]> = {
  listen: [],
  ...{ compute: ['listen'], import: ['listen'], network: ['listen'] },
  background: ['listen', 'compute', 'import', 'network'],
};

/** Who runs in which lane. */
export class Lanes {
  readonly #holders = new Map<LiveJob, JobLane>();

  /** Jobs that hold a lane, longest first. */
  holders(lane: JobLane): LiveJob[] {
    return [...this.#holders].flatMap(([live, held]) => (held === lane ? [live] : []));
  }

  hasRoom(lane: JobLane): boolean {
    return this.holders(lane).length < room[lane];
  }

  holds(live: LiveJob): boolean {
    return this.#holders.has(live);
  }

  enter(live: LiveJob): void {
    this.#holders.set(live, live.lane);
  }

  leave(live: LiveJob): void {
    this.#holders.delete(live);
  }
}
