import type { Job, WaitingFor } from '../api/jobs.ts';
import type { LiveJob } from './running.ts';

const stages: Record<Job['state'], number> = {
  running: 0,
  queued: 1,
  paused: 1,
  done: 2,
  failed: 2,
  cancelled: 2,
};

/** Jobs as they are served: what runs, what waits with the newest last, then what is finished with the newest first. */
export function inOrder(jobs: readonly LiveJob[]): LiveJob[] {
  return [...jobs].sort((a, b) => {
    const stage = stages[a.job.state] - stages[b.job.state];
    if (stage !== 0) return stage;
    return stages[a.job.state] === 2 ? (a.id < b.id ? 1 : -1) : a.rank - b.rank;
  });
}

/** What a queued job waits for: null when it is not queued, or nothing stands before it. */
export function waitingFor(
  live: LiveJob,
  holders: readonly LiveJob[],
  jobs: readonly LiveJob[],
): WaitingFor | null {
  const [holder] = holders;
  if (live.job.state !== 'queued' || !holder || holders.includes(live)) return null;
  const ahead = jobs.filter(
    (other) => other.lane === live.lane && other.job.state === 'queued' && other.rank < live.rank,
  ).length;
  const etas = holders.flatMap(({ job }) => job.progress.etaSeconds ?? []);
  return {
    lane: live.lane,
    jobId: holder.id,
    title: holder.job.title,
    ahead,
    // Nobody knows how long those take that have not begun.
    seconds: ahead > 0 || etas.length < holders.length ? null : Math.min(...etas),
  };
}
