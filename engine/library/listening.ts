import * as z from 'zod';
import { EngineError } from '../api/errors.ts';
import { soundOriginSchema } from '../api/sonify.ts';
import type { Database } from '../storage/database.ts';

const excerptSchema = z.object({
  ...{ trackId: z.string(), path: z.string() },
  ...{ windowIndex: z.int(), startSeconds: z.number() },
});
const sideSchema = z.enum(['first', 'second']);

const roundSchema = z.discriminatedUnion('kind', [
  z.object({
    ...{ kind: z.literal('class'), index: z.int(), class: z.string() },
    ...{ choices: z.array(z.string()), answer: z.string().nullable() },
  }),
  z.object({
    ...{ kind: z.literal('real'), index: z.int(), class: z.string() },
    ...{ excerpt: excerptSchema, real: sideSchema, answer: sideSchema.nullable() },
  }),
  z.object({
    ...{ kind: z.literal('abx'), index: z.int(), class: z.string() },
    ...{ excerpt: excerptSchema, real: sideSchema, x: sideSchema, answer: sideSchema.nullable() },
  }),
]);
const settingsSchema = z.object({
  ...{ seed: z.int(), steps: z.int(), guidance: z.number() },
  from: soundOriginSchema,
});

/** A test as it is stored. */
export interface StoredListening {
  id: string;
  experimentId: string;
  revision: number;
  seed: number;
  settings: z.output<typeof settingsSchema>;
  rounds: z.output<typeof roundSchema>[];
  createdAt: string;
  finishedAt: string | null;
}

interface Row {
  id: string;
  experiment_id: string;
  revision: number;
  seed: number;
  settings: string;
  rounds: string;
  created_at: string;
  finished_at: string | null;
}

/** Blind listening tests, each with its answers; they go with their experiment. */
export class ListeningRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  insert(test: StoredListening): void {
    this.#db
      .prepare(
        `INSERT INTO listening_tests (id, experiment_id, revision, seed, settings, rounds, created_at, finished_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        ...[test.id, test.experimentId, test.revision, test.seed],
        ...[JSON.stringify(test.settings), JSON.stringify(test.rounds), test.createdAt, test.finishedAt],
      ]);
  }

  /** @throws EngineError `not-found` */
  get(id: string): StoredListening {
    const row = this.#db.prepare<Row>('SELECT * FROM listening_tests WHERE id = ?').get([id]);
    if (row) return fromRow(row);
    throw new EngineError('not-found', 'There is no such listening test.', 'It may have been removed.');
  }

  /** Newest first. */
  list(): StoredListening[] {
    return this.#db.prepare<Row>('SELECT * FROM listening_tests ORDER BY rowid DESC').all().map(fromRow);
  }

  /** Stores what was answered. */
  update({ id, rounds, finishedAt }: StoredListening): void {
    this.#db
      .prepare('UPDATE listening_tests SET rounds = ?, finished_at = ? WHERE id = ?')
      .run([JSON.stringify(rounds), finishedAt, id]);
  }

  /** @throws EngineError `not-found` */
  remove(id: string): void {
    this.get(id);
    this.#db.prepare('DELETE FROM listening_tests WHERE id = ?').run([id]);
  }
}

function fromRow(row: Row): StoredListening {
  return {
    ...{ id: row.id, experimentId: row.experiment_id, revision: row.revision, seed: row.seed },
    settings: settingsSchema.parse(JSON.parse(row.settings)),
    rounds: z.array(roundSchema).parse(JSON.parse(row.rounds)),
    ...{ createdAt: row.created_at, finishedAt: row.finished_at },
  };
}
