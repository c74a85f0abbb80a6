import type { Taxonomy, TaxonomySource, UnmatchedRows } from '../api/taxonomies.ts';
import { EngineError } from '../api/errors.ts';
import { newId } from '../identifier.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import type { LabelRepository } from './labels.ts';

/** What a source says about the tracks of a library. */
export interface Derived {
  /** By track id, in the order of the source. */
  labels: ReadonlyMap<string, readonly string[]>;
  /** Rows of a label file that name no track, and why. */
  unmatched: number;
  reasons: UnmatchedRows[];
  /** Rows to keep, for the time when the file is gone; null leaves what is kept as it is. */
  rows: readonly KeptRow[] | null;
}

/** A row of a label file, as the file writes it. */
export interface KeptRow {
  path: string;
  labels: string[];
}

interface TaxonomyRow {
  id: string;
  name: string;
  source: string;
  unmatched: number;
}

const SELECT = 'SELECT id, name, source, unmatched FROM taxonomies';

/** The taxonomies of a library: where labels come from, and what the source said when it was read last. */
export class TaxonomyRepository {
  readonly #db: Database;
  readonly #labels: LabelRepository;
  readonly #announce: Announce;

  constructor(db: Database, labels: LabelRepository, announce: Announce) {
    this.#db = db;
    this.#labels = labels;
    this.#announce = announce;
  }

  /** Oldest first. */
  list(): Taxonomy[] {
    return this.#db
      .prepare<TaxonomyRow>(`${SELECT} ORDER BY created_at, id`)
      .all()
      .map((row) => this.#describe(row));
  }

  /** @throws EngineError `not-found` */
  get(taxonomyId: string): Taxonomy {
    return this.#describe(this.#row(taxonomyId));
  }

  has(taxonomyId: string): boolean {
    return this.#db.prepare('SELECT 1 FROM taxonomies WHERE id = ?').get([taxonomyId]) !== undefined;
  }

  /** @throws EngineError `not-found` */
  nameOf(taxonomyId: string): string {
    return this.#row(taxonomyId).name;
  }

  /** @throws EngineError `not-found` */
  sourceOf(taxonomyId: string): TaxonomySource {
    return storedSource(this.#row(taxonomyId)).source;
  }

  /** The source of each. */
  sources(): { id: string; source: TaxonomySource }[] {
    return this.#db
      .prepare<TaxonomyRow>(SELECT)
      .all()
      .map((row) => ({ id: row.id, source: storedSource(row).source }));
  }

  /** Makes a taxonomy that labels tracks as its source says. */
  insert(name: string, source: TaxonomySource, derived: Derived): Taxonomy {
    const id = newId();
    this.#db.transaction(() => {
      this.#db
        .prepare('INSERT INTO taxonomies (id, name, source, created_at) VALUES (?, ?, ?, ?)')
        .run([id, name, JSON.stringify(source), new Date().toISOString()]);
      this.put(id, source, derived);
    })();
    return this.get(id);
  }

  /** Labels tracks as the source says now; what was set by hand stays. */
  put(id: string, source: TaxonomySource, { labels, unmatched, reasons, rows }: Derived): void {
    this.#db.transaction(() => {
      this.#labels.replace(id, labels);
      const text = JSON.stringify({ ...source, ...(reasons.length > 0 && { unmatchedRows: reasons }) });
      this.#db
        .prepare('UPDATE taxonomies SET unmatched = ?, source = ? WHERE id = ?')
        .run([unmatched, text, id]);
      if (rows !== null) this.#keep(id, rows);
    })();
    this.#announce('taxonomies');
  }

  /** The rows of a label file as it was read last; none where it was too large to be kept. */
  keptRows(taxonomyId: string): KeptRow[] {
    return this.#db
      .prepare<{ path: string; labels: string }>(
        'SELECT path, labels FROM taxonomy_rows WHERE taxonomy_id = ? ORDER BY position',
      )
      .all([taxonomyId])
      .map(({ path, labels }) => ({ path, labels: JSON.parse(labels) as string[] }));
  }

  /** @throws EngineError `not-found` */
  remove(taxonomyId: string): void {
    this.#row(taxonomyId);
    this.#db.prepare('DELETE FROM taxonomies WHERE id = ?').run([taxonomyId]);
    this.#announce('taxonomies');
  }

  #keep(id: string, rows: readonly KeptRow[]): void {
    this.#db.prepare('DELETE FROM taxonomy_rows WHERE taxonomy_id = ?').run([id]);
    const insert = this.#db.prepare(
      'INSERT INTO taxonomy_rows (taxonomy_id, position, path, labels) VALUES (?, ?, ?, ?)',
    );
    rows.forEach((row, position) => insert.run([id, position, row.path, JSON.stringify(row.labels)]));
  }

  #row(id: string): TaxonomyRow {
    const row = this.#db.prepare<TaxonomyRow>(`${SELECT} WHERE id = ?`).get([id]);
    if (row) return row;
    throw new EngineError('not-found', `There is no taxonomy ${id}.`, 'Choose another, or create one.');
  }

  #describe(row: TaxonomyRow): Taxonomy {
    const { source, unmatchedRows } = storedSource(row);
    const labels = this.#db
      .prepare<{ name: string; tracks: number }>(
        `SELECT label AS name, COUNT(*) AS tracks FROM track_labels WHERE taxonomy_id = ?
          GROUP BY label ORDER BY tracks DESC, label`,
      )
      .all([row.id]);
    const counts = this.#db
      .prepare<{ tracks: number; multilabel: number }>(
        `SELECT COUNT(DISTINCT track_id) AS tracks, COALESCE(MAX(position), 0) > 0 AS multilabel
           FROM track_labels WHERE taxonomy_id = ?`,
      )
      .get([row.id]);
    return {
      id: row.id,
      name: row.name,
      source,
      labels: labels.map(({ name, tracks }) => ({ name, tracks })),
      multilabel: counts?.multilabel === 1,
      labelledTracks: counts?.tracks ?? 0,
      unmatched: row.unmatched,
      unmatchedRows,
    };
  }
}

/** The source of a taxonomy, and how its last reading went, which is kept beside it. */
function storedSource(row: TaxonomyRow): { source: TaxonomySource; unmatchedRows: UnmatchedRows[] } {
  // Written by `put` from checked input.
  const { unmatchedRows = [], ...source } = JSON.parse(row.source) as TaxonomySource & {
    unmatchedRows?: UnmatchedRows[];
  };
  return { source, unmatchedRows };
}
