import type * as z from 'zod';
import type { JobKind, JobLane, JobResult } from '../api/jobs.ts';
import { EngineError } from '../api/errors.ts';
import type { JobHandle } from './running.ts';

/** Everything there is to say about a kind of job. */
export interface JobKindRow<K extends JobKind, S extends z.ZodType> {
  kind: K;
  /** Which jobs it waits for; may depend on what is asked for: one sound is listened to, a thousand are work. */
  lane: JobLane | ((spec: z.output<S>) => JobLane);
  /** The runner can begin again at any time and finds what it had finished: it rests by stopping, and outlives a crash. */
  resumable?: boolean;
  /** What a job of this kind is told. Kept as JSON, so that a later process can take the job up. */
  spec: S;
  /** What it is called, in words a person knows it by. @throws EngineError `not-found`: said at once, not by the job */
  title: (spec: z.output<S>) => string;
  run: (spec: z.output<S>, job: JobHandle) => Promise<Extract<JobResult, { kind: K }>>;
  /**
   * Removes what the runner left outside the data folder when the process ended under it. To remove that and nothing else,
   * a runner names it by the job's id.
   */
  abandoned?: (spec: z.output<S>, jobId: string) => Promise<void>;
}

/** A row whose specification is checked where it is used, so that rows of all kinds fit one table. */
export interface AnyJobKind {
  readonly kind: JobKind;
  readonly resumable: boolean;
  /** @throws EngineError `bad-input` for a specification that this version does not understand */
  open(spec: unknown): OpenedJob;
}

/** What a row says of one specification. */
export interface OpenedJob {
  readonly lane: JobLane;
  title(): string;
  run(job: JobHandle): Promise<JobResult>;
  abandoned(jobId: string): Promise<void>;
}

/** Makes a row of the table of job kinds. */
export function jobKind<K extends JobKind, S extends z.ZodType>(row: JobKindRow<K, S>): AnyJobKind {
  return {
    kind: row.kind,
    resumable: row.resumable ?? false,
    open: (told) => {
      const parsed = row.spec.safeParse(told);
      if (!parsed.success)
        throw new EngineError(
          'bad-input',
          `This version does not understand what this ${row.kind} job was told.`,
          'Start it again.',
          { cause: parsed.error },
        );
      const spec = parsed.data;
      return {
        lane: typeof row.lane === 'function' ? row.lane(spec) : row.lane,
        title: () => row.title(spec),
        // Wrapped: a runner may throw before it gives its promise.
        run: async (job) => row.run(spec, job),
        abandoned: async (jobId) => row.abandoned?.(spec, jobId),
      };
    },
  };
}
