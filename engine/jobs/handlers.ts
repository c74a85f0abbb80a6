import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  'jobs.list' | 'jobs.get' | 'jobs.cancel' | 'jobs.pause' | 'jobs.first' | 'jobs.resume' | 'jobs.clear'
>;

/** Long work: what there is of it, and its switches. */
export function jobsHandlers({ jobs }: EngineContext): Part {
  const done = (body: () => void): Promise<null> =>
    answer(() => {
      body();
      return null;
    });
  return {
    'jobs.list': () => answer(() => jobs.list()),
    'jobs.get': ({ jobId }) => answer(() => jobs.get(jobId)),
    'jobs.cancel': ({ jobId }) => done(() => jobs.cancel(jobId)),
    'jobs.pause': ({ jobId }) => done(() => jobs.pause(jobId)),
    'jobs.first': ({ jobId }) => done(() => jobs.first(jobId)),
    'jobs.resume': ({ jobId }) => done(() => jobs.resume(jobId)),
    'jobs.clear': () => done(() => jobs.clear()),
  };
}
