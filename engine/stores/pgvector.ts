import { escapeIdentifier, escapeLiteral } from 'pg';
import * as z from 'zod';
import type { Metric } from '../../models/neighbours/brute.ts';
import { EngineError } from '../api/errors.ts';
import { codeOf, NO_ROOM, PostgresSession } from './postgres-session.ts';
import { onOneLine } from './said.ts';
import type { PostgresSettings } from './settings.ts';
import {
  requireShape,
  storedWindowId,
  type FoundWindow,
  type StoredWindow,
  type StorePart,
  type StoreQuestion,
  type StoreShape,
  type VectorStore,
} from './vector-store.ts';

/** Numbers that travel at once: about a megabyte of text. */
const NUMBERS_AT_ONCE = 100_000;
/** Beyond it pgvector's index takes no vectors, and every question compares all of them. */
export const MOST_INDEXED = 2000;
/** Rows that the index looks at before it answers: of 100,000 windows it then finds nearly all (ADR 38). */
const LOOKED_AT = 200;
const MOST_LOOKED_AT = 1000;
/** What the making of an index may take of the server's memory; made beyond its memory it takes many times as long. */
const INDEX_MB = { most: 1024, least: 64 };
/** Of a row of the index beside its vector: neighbours on all levels. */
const LINK_BYTES = 500;

/** pgvector's operators, and their classes for the index. */
const operators = {
  euclidean: { between: '<->', index: 'vector_l2_ops' },
  cosine: { between: '<=>', index: 'vector_cosine_ops' },
} as const satisfies Record<Metric, unknown>;

/** Stands beside the table, as its comment: no other table is written to. */
const markSchema = z.object({
  archetone: z.literal(1),
  dim: z.int().min(1).max(16_000),
  metric: z.enum(['euclidean', 'cosine']),
});

const columnsOf = (dim: number): Record<string, string> => ({
  ...{ id: 'uuid', library: 'text', space: 'text', run: 'text', track: 'text', title: 'text', path: 'text' },
  ...{ window: 'integer', start: 'double precision', vector: `vector(${dim})` },
});

const nothing = z.unknown();
const tableRow = z.object({ mark: z.string().nullable(), columns: z.record(z.string(), z.string()) });
const countRow = z.object({ count: z.number().int().min(0) });
const foundRow = z.object({
  library: z.string().max(100),
  track: z.string().max(100),
  // Whoever writes to the database writes these: what is shown of them is text.
  title: z.string().max(10_000).transform(onOneLine),
  path: z.string().max(40_000).transform(onOneLine),
  window: z.number().int().min(0),
  start: z.number().min(0),
  distance: z.number(),
});

/** A table of a PostgreSQL database with pgvector (0.8 or later): each window is a row with its track's name beside it. */
export class PgvectorStore implements VectorStore {
  readonly #settings: PostgresSettings;
  readonly #session: PostgresSession;
  /** As it stands in a statement. */
  readonly #table: string;

  constructor(settings: PostgresSettings) {
    this.#settings = settings;
    this.#session = new PostgresSession(settings);
    this.#table = escapeIdentifier(settings.table);
  }

  async metric(signal: AbortSignal): Promise<Metric> {
    return (await this.#known(signal)).metric;
  }

  async prepare(shape: StoreShape, signal: AbortSignal): Promise<void> {
    await this.#requirePgvector(signal);
    const known = await this.#shape(signal);
    if (known !== null) {
      requireShape(this.#named, known, shape);
      return;
    }
    const columns = Object.entries(columnsOf(shape.dim)).map(
      ([name, type]) => `${escapeIdentifier(name)} ${type} ${name === 'id' ? 'PRIMARY KEY' : 'NOT NULL'}`,
    );
    const mark: z.output<typeof markSchema> = { archetone: 1, ...shape };
    const by = escapeIdentifier(`${this.#settings.table}_chosen_by`);
    await this.#session.atOnce(signal, async () => {
      await this.#do(`CREATE TABLE ${this.#table} (${columns.join(', ')})`, signal);
      await this.#do(`COMMENT ON TABLE ${this.#table} IS ${escapeLiteral(JSON.stringify(mark))}`, signal);
      await this.#do(`CREATE INDEX ${by} ON ${this.#table} (library, space, run)`, signal);
    });
  }

  rowsAtOnce(dim: number): number {
    return Math.max(1, Math.floor(NUMBERS_AT_ONCE / dim));
  }

  async put(
    rows: readonly StoredWindow[],
    vectors: Float32Array,
    run: string,
    signal: AbortSignal,
  ): Promise<void> {
    const dim = vectors.length / rows.length;
    const changed = Object.keys(columnsOf(dim))
      .filter((name) => name !== 'id')
      .map(escapeIdentifier)
      .map((name) => `${name} = excluded.${name}`);
    const text = `INSERT INTO ${this.#table} (id, library, space, run, track, title, path, "window", start, vector)
      SELECT id, $1, $2, $3, track, title, path, "window", start, vector::vector
      FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::double precision[], $10::text[])
        AS rows(id, track, title, path, "window", start, vector)
      ON CONFLICT (id) DO UPDATE SET ${changed.join(', ')}`;
    const [first] = rows;
    if (!first) return;
    await this.#do(text, signal, [
      ...[first.libraryId, first.spaceKey, run],
      rows.map(storedWindowId),
      rows.map(({ trackId }) => trackId),
      rows.map(({ title }) => storable(title)),
      rows.map(({ path }) => storable(path)),
      rows.map(({ windowIndex }) => windowIndex),
      rows.map(({ startSeconds }) => startSeconds),
      rows.map((_, i) => asText(vectors.subarray(i * dim, (i + 1) * dim))),
    ]);
  }

  async finish(
    { spaceKey, libraryId }: { spaceKey: string; libraryId: string },
    run: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#do(
      `DELETE FROM ${this.#table} WHERE library = $1 AND space = $2 AND run <> $3`,
      signal,
      [libraryId, spaceKey, run],
      true,
    );
    const { dim, metric } = await this.#known(signal);
    if (dim > MOST_INDEXED) return;
    const name = escapeIdentifier(`${this.#settings.table}_nearest`);
    const count = await this.#count('true', [], signal);
    const megabytes = Math.ceil((count * (4 * dim + LINK_BYTES)) / 2 ** 20);
    const memory = Math.min(INDEX_MB.most, Math.max(INDEX_MB.least, megabytes));
    const make = (alone: boolean): Promise<void> =>
      this.#session.atOnce(signal, async () => {
        await this.#set('maintenance_work_mem', `${memory}MB`, signal);
        if (alone) await this.#set('max_parallel_maintenance_workers', '0', signal);
        await this.#do(
          `CREATE INDEX IF NOT EXISTS ${name} ON ${this.#table} USING hnsw (vector ${operators[metric].index})`,
          signal,
          [],
          true,
        );
      });
    try {
      await make(false);
    } catch (thrown) {
      // Several processes build it in shared memory, of which a container has 64 MB unless it is told otherwise.
      if (codeOf(thrown instanceof EngineError ? thrown.cause : thrown) !== NO_ROOM) throw thrown;
      await make(true);
    }
    await this.#do(`ANALYZE ${this.#table}`, signal, [], true);
  }

  async count({ spaceKey, libraryId, run }: StorePart, signal: AbortSignal): Promise<number> {
    await this.#known(signal);
    return this.#count(
      'space = $1 AND ($2::text IS NULL OR library = $2) AND ($3::text IS NULL OR run = $3)',
      [spaceKey, libraryId, run ?? null],
      signal,
    );
  }

  async search(question: StoreQuestion, signal: AbortSignal): Promise<FoundWindow[]> {
    const { metric, dim } = await this.#known(signal);
    requireShape(this.#named, { metric, dim }, { metric, dim: question.vector.length });
    const found = await this.#nearest(question, metric, signal);
    // An index ends when it has looked at many rows of other libraries.
    return found.length === question.k || question.exact
      ? found
      : await this.#nearest({ ...question, exact: true }, metric, signal);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #nearest(
    { spaceKey, libraryId, vector, k, exact }: StoreQuestion,
    metric: Metric,
    signal: AbortSignal,
  ): Promise<FoundWindow[]> {
    const { between } = operators[metric];
    return this.#session.atOnce(signal, async () => {
      if (exact) await this.#set('enable_indexscan', 'off', signal);
      else {
        await this.#set('hnsw.ef_search', `${Math.min(MOST_LOOKED_AT, Math.max(LOOKED_AT, k))}`, signal);
        await this.#set('hnsw.iterative_scan', 'strict_order', signal);
      }
      const rows = await this.#session.ask(
        {
          text: `SELECT library, track, title, path, "window", start,
              coalesce(nullif(vector ${between} $1::vector, 'NaN'), 1) AS distance
            FROM ${this.#table} WHERE space = $2${libraryId === null ? '' : ' AND library = $4'}
            ORDER BY vector ${between} $1::vector LIMIT $3`,
          values: [asText(vector), spaceKey, k, ...(libraryId === null ? [] : [libraryId])],
          row: foundRow,
          // All vectors of a large table may have to come from the disk.
          long: exact,
        },
        signal,
      );
      return rows.map(({ library, track, title, path, window, start, distance }) => ({
        ...{ libraryId: library, trackId: track, title, path, distance },
        ...{ windowIndex: window, startSeconds: start },
      }));
    });
  }

  async #requirePgvector(signal: AbortSignal): Promise<void> {
    const missing = (cause?: unknown): EngineError =>
      new EngineError(
        'store',
        `The database ${this.#settings.database} at ${this.#session.server} has no pgvector of version 0.8 or later.`,
        'Install it there (Debian: postgresql-17-pgvector), and have its owner say: CREATE EXTENSION vector',
        { cause },
      );
    const installed = async (): Promise<string | undefined> => {
      const text = "SELECT extversion FROM pg_extension WHERE extname = 'vector'";
      return (await this.#session.ask({ text, row: z.object({ extversion: z.string() }) }, signal))[0]
        ?.extversion;
    };
    let version = await installed();
    if (version === undefined) {
      try {
        await this.#do('CREATE EXTENSION IF NOT EXISTS vector', signal);
      } catch (thrown) {
        signal.throwIfAborted();
        throw missing(thrown);
      }
      version = await installed();
    }
    const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
    if (!(major > 0 || minor >= 8)) throw missing();
  }

  /** @returns null where there is no such table */
  async #shape(signal: AbortSignal): Promise<StoreShape | null> {
    const [table] = await this.#session.ask(
      {
        text: `SELECT obj_description(c.oid, 'pg_class') AS mark,
            (SELECT coalesce(json_object_agg(attname, format_type(atttypid, atttypmod)), '{}') FROM pg_attribute
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
          FROM pg_class c WHERE c.oid = to_regclass($1)`,
        values: [this.#table],
        row: tableRow,
      },
      signal,
    );
    if (!table) return null;
    const mark = markSchema.safeParse(jsonOf(table.mark ?? ''));
    const wanted = mark.success ? columnsOf(mark.data.dim) : {};
    const fits = Object.entries(wanted).every(([name, type]) => table.columns[name]?.endsWith(type) === true);
    if (mark.success && fits) return mark.data;
    throw new EngineError(
      'bad-input',
      mark.success
        ? `${this.#named} was changed: it has other columns than Archetone gave it.`
        : `${this.#named} was not made by Archetone, and is left as it is.`,
      'Name another table: one that is not there is made.',
    );
  }

  async #known(signal: AbortSignal): Promise<StoreShape> {
    const shape = await this.#shape(signal);
    if (shape !== null) return shape;
    throw new EngineError(
      'not-found',
      `There is no table ${this.#settings.table} in the vector store at ${this.#session.server}.`,
      'Fill it first: archetone store fill --help',
    );
  }

  async #count(where: string, values: unknown[], signal: AbortSignal): Promise<number> {
    const text = `SELECT count(*)::double precision AS count FROM ${this.#table} WHERE ${where}`;
    const [counted] = await this.#session.ask({ text, values, row: countRow, long: true }, signal);
    return counted?.count ?? 0;
  }

  /** Until the transaction ends. */
  async #set(name: string, value: string, signal: AbortSignal): Promise<void> {
    await this.#do('SELECT set_config($1, $2, true)', signal, [name, value]);
  }

  async #do(text: string, signal: AbortSignal, values: unknown[] = [], long = false): Promise<void> {
    await this.#session.ask({ text, values, row: nothing, long }, signal);
  }

  get #named(): string {
    return `The table ${this.#settings.table}`;
  }
}

/** As pgvector reads it; nine digits give every float32 back. */
const asText = (vector: Float32Array): string =>
  `[${Array.from(vector, (value) => String(Number(value.toPrecision(9)))).join(',')}]`;

/** PostgreSQL keeps every character in a text but this one. */
const storable = (text: string): string => text.replaceAll('\0', ' ');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
