import type { Job } from '../api/domain.ts';
import type { Database } from '../storage/database.ts';

export interface StoredJob {
  job: Job;
  spec: unknown;
}

interface JobRow {
  job: string;
  spec: string;
}

/** How many finished jobs are remembered. */
const KEPT = 200;

/** Jobs as rows of `jobs.db`, so that they outlive the process. */
export class JobStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Oldest first. */
  all(): StoredJob[] {
    const rows = this.#db.prepare<JobRow>('SELECT job, spec FROM jobs ORDER BY id').all();
    return rows.map((row) => ({
      // Written by `put` below and by nothing else.
      job: JSON.parse(row.job) as Job,
      spec: JSON.parse(row.spec) as unknown,
    }));
  }

  put(entry: StoredJob): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO jobs (id, finished, job, spec) VALUES (?, ?, ?, ?)')
      .run([
        entry.job.id,
        entry.job.finishedAt === null ? 0 : 1,
        JSON.stringify(entry.job),
        JSON.stringify(entry.spec ?? null),
      ]);
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM jobs WHERE id = ?').run([id]);
  }

  prune(): void {
    this.#db
      .prepare(
        `DELETE FROM jobs WHERE finished = 1 AND id NOT IN
           (SELECT id FROM jobs WHERE finished = 1 ORDER BY id DESC LIMIT ${KEPT})`,
      )
      .run();
  }

  close(): void {
    this.#db.close();
  }
}
