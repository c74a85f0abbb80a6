import * as z from 'zod';
import { jobLanes, type Job } from '../api/jobs.ts';
import type { Database } from '../storage/database.ts';

export interface StoredJob {
  job: Job;
  spec: unknown;
  /** How often the process ended while it ran, with nothing kept since. */
  ended: number;
  /** Place among the waiting; null: by age. */
  rank: number | null;
}

interface JobRow {
  job: string;
  spec: string;
  ended: number;
  rank: number | null;
}

/** Finished jobs that are remembered: this many, and not longer than that. */
const KEPT = 200;
const KEPT_DAYS = 30;

/**
 * What a record must hold to be shown and taken up. Results are shown by kind, so they are only as deep as that; what
 * versions before lanes did not write is filled in.
 */
const recordSchema = z.object({
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  lane: z.enum(jobLanes).default('compute'),
  libraryId: z.string().nullable(),
  libraryName: z.string().nullable().default(null),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
  waitingFor: z.null().default(null).catch(null),
  progress: z.looseObject({ done: z.number(), total: z.number(), unit: z.string() }),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
  result: z.looseObject({ kind: z.string() }).nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});

/** Jobs as rows of `jobs.db`, so that they outlive the process. */
export class JobStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Oldest first. A row that cannot be read is left out: one bad row must not keep the engine from starting. */
  all(): StoredJob[] {
    const rows = this.#db.prepare<JobRow>('SELECT job, spec, ended, rank FROM jobs ORDER BY id').all();
    return rows.flatMap((row) => {
      const job = record(row.job);
      const spec = json(row.spec);
      return job === null || spec === undefined ? [] : [{ job, spec, ended: row.ended, rank: row.rank }];
    });
  }

  put({ job, spec, ended, rank }: StoredJob): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO jobs (id, finished, job, spec, ended, rank) VALUES (?, ?, ?, ?, ?, ?)')
      .run([
        job.id,
        job.finishedAt === null ? 0 : 1,
        JSON.stringify({ ...job, waitingFor: null }),
        JSON.stringify(spec ?? null),
        ended,
        rank,
      ]);
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM jobs WHERE id = ?').run([id]);
  }

  /** Forgets finished jobs that are old or many. @returns how many */
  prune(now = new Date()): number {
    const oldest = new Date(now.getTime() - KEPT_DAYS * 86_400_000).toISOString();
    return this.#db
      .prepare(
        `DELETE FROM jobs WHERE finished = 1 AND (
           CASE WHEN json_valid(job) THEN json_extract(job, '$.finishedAt') < ? ELSE 1 END OR id NOT IN
           (SELECT id FROM jobs WHERE finished = 1 ORDER BY id DESC LIMIT ${KEPT}))`,
      )
      .run([oldest]).changes;
  }

  close(): void {
    this.#db.close();
  }
}

function record(text: string): Job | null {
  const parsed = recordSchema.safeParse(json(text));
  // Kind, error and result were written by `put`; an unknown kind has no row in the table of kinds and is never run.
  return parsed.success ? (parsed.data as unknown as Job) : null;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
