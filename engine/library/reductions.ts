import type { CorpusSource } from '../api/corpora.ts';
import type { Reduction } from '../api/reductions.ts';
import type { KnnScore } from '../api/studies.ts';
import { EngineError } from '../api/errors.ts';
import { toBlob, type Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { runName } from './reduction-names.ts';
import type { SpaceRepository } from './spaces.ts';

/** The reduced set of a reduction. */
export interface ReducedSet {
  dim: number;
  /** `[m, dim]` in the embedding space. */
  prototypes: Float32Array;
  /** `[m, L]` of 0/1, in the order of `Reduction.labels`. */
  labelsets: Uint8Array;
  /** Rows of the corpus behind each prototype. */
  clusterSizes: number[];
  /** Only of data set files, whose prototypes are a data set again. */
  whole: {
    /** `[m, dim]` as the method computed them. */
    prototypes: Float64Array;
    /** Rows of the corpus behind each prototype. */
    clusters: number[][];
  } | null;
}

interface ReductionRow {
  id: string;
  taxonomy_id: string;
  taxonomy_name: string;
  space: string | null;
  method: string;
  seed: number;
  labels: string;
  corpus_rows: number;
  test_rows: number;
  full_score: string;
  reduced_score: string;
  created_at: string;
  seconds: number;
  cluster_sizes: string;
  study_id: string;
  source: string;
  parameters: string;
  noise: number;
  sizes: string;
  scores: string;
}

interface SetRow {
  dim: number;
  prototypes: ArrayBuffer;
  labelsets: ArrayBuffer;
  cluster_sizes: string;
  exact_prototypes: ArrayBuffer | null;
  cluster_rows: ArrayBuffer | null;
}

const COLUMNS = `id, taxonomy_id, taxonomy_name, space, method, seed, labels, corpus_rows, test_rows,
  full_score, reduced_score, created_at, seconds, cluster_sizes, study_id, source, parameters, noise, sizes, scores`;

/** Pieces of these sizes, one after the other. */
function cut(all: Int32Array, sizes: readonly number[]): number[][] {
  let from = 0;
  return sizes.map((size) => Array.from(all.subarray(from, (from += size))));
}

/** The reductions of a library, with the prototypes that each made. Removing one can be undone until the library is opened again. */
export class ReductionRepository {
  readonly #db: Database;
  readonly #spaces: SpaceRepository;
  readonly #announce: Announce;

  constructor(db: Database, spaces: SpaceRepository, announce: Announce) {
    this.#db = db;
    this.#spaces = spaces;
    this.#announce = announce;
  }

  /** Stores a reduction with its prototypes. */
  insert(reduction: Reduction, set: ReducedSet): void {
    this.#db
      .prepare(
        `INSERT INTO reductions (${COLUMNS}, dim, prototypes, labelsets, exact_prototypes, cluster_rows)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        reduction.id,
        reduction.taxonomyId,
        reduction.taxonomyName,
        reduction.space?.key ?? null,
        reduction.method,
        reduction.seed,
        JSON.stringify(reduction.labels),
        reduction.corpusRows,
        reduction.testRows,
        JSON.stringify(reduction.full),
        JSON.stringify(reduction.reduced),
        reduction.createdAt,
        reduction.seconds,
        JSON.stringify(set.clusterSizes),
        reduction.studyId,
        JSON.stringify(reduction.source),
        JSON.stringify(reduction.parameters),
        reduction.noise,
        JSON.stringify(reduction.sizes),
        JSON.stringify(reduction.scores),
        set.dim,
        toBlob(set.prototypes),
        set.labelsets,
        set.whole && toBlob(set.whole.prototypes),
        set.whole && toBlob(Int32Array.from(set.whole.clusters.flat())),
      ]);
    this.#announce('reductions');
  }

  /** Keeps what one more split of a study brought. */
  setScores({
    id,
    sizes,
    scores,
    reduced,
    seconds,
  }: Pick<Reduction, 'id' | 'sizes' | 'scores' | 'reduced' | 'seconds'>): void {
    this.#db
      .prepare('UPDATE reductions SET sizes = ?, scores = ?, reduced_score = ?, seconds = ? WHERE id = ?')
      .run([JSON.stringify(sizes), JSON.stringify(scores), JSON.stringify(reduced), seconds, id]);
    this.#announce('reductions');
  }

  /**
   * Newest first, without what was removed.
   * @param studyId of one study; undefined: all
   */
  list(studyId?: string): Reduction[] {
    const which = studyId === undefined ? 'TRUE' : 'study_id = ?';
    return this.#db
      .prepare<ReductionRow>(
        `SELECT ${COLUMNS} FROM reductions
         WHERE removed_at IS NULL AND ${which}
           AND study_id IN (SELECT id FROM studies WHERE removed_at IS NULL)
         ORDER BY rowid DESC`,
      )
      .all(studyId === undefined ? [] : [studyId])
      .map((row) => this.#fromRow(row));
  }

  /** @throws EngineError `not-found` */
  get(reductionId: string): Reduction {
    const row = this.#db
      .prepare<ReductionRow>(`SELECT ${COLUMNS} FROM reductions WHERE id = ? AND removed_at IS NULL`)
      .get([reductionId]);
    if (!row) throw new EngineError('not-found', `There is no reduction ${reductionId} in this library.`);
    return this.#fromRow(row);
  }

  /** @throws EngineError `not-found` */
  setOf(reductionId: string): ReducedSet {
    const row = this.#db
      .prepare<SetRow>(
        `SELECT dim, prototypes, labelsets, cluster_sizes, exact_prototypes, cluster_rows
           FROM reductions WHERE id = ? AND removed_at IS NULL`,
      )
      .get([reductionId]);
    if (!row) throw new EngineError('not-found', `There is no reduction ${reductionId} in this library.`);
    const clusterSizes = JSON.parse(row.cluster_sizes) as number[];
    return {
      dim: row.dim,
      prototypes: new Float32Array(row.prototypes),
      labelsets: new Uint8Array(row.labelsets),
      clusterSizes,
      whole:
        row.exact_prototypes === null || row.cluster_rows === null
          ? null
          : {
              prototypes: new Float64Array(row.exact_prototypes),
              clusters: cut(new Int32Array(row.cluster_rows), clusterSizes),
            },
    };
  }

  /** Labels of a reduction that none of its prototypes bears. @throws EngineError `not-found` */
  lostLabels(reductionId: string): string[] {
    const { labels } = this.get(reductionId);
    const row = this.#db
      .prepare<{ labelsets: ArrayBuffer }>('SELECT labelsets FROM reductions WHERE id = ?')
      .get([reductionId]);
    const borne = new Set<number>();
    new Uint8Array(row?.labelsets ?? new ArrayBuffer(0)).forEach((bit, i) => {
      if (bit === 1) borne.add(i % labels.length);
    });
    return labels.filter((_, label) => !borne.has(label));
  }

  /** Marks a reduction as removed: {@link restore} brings it back. @throws EngineError `not-found` */
  remove(reductionId: string): void {
    this.get(reductionId);
    this.#mark(reductionId, new Date().toISOString());
    this.#announce('reductions');
  }

  /** @throws EngineError `not-found` */
  restore(reductionId: string): void {
    this.#mark(reductionId, null);
    this.get(reductionId);
    this.#announce('reductions');
  }

  #mark(reductionId: string, removedAt: string | null): void {
    this.#db.prepare('UPDATE reductions SET removed_at = ? WHERE id = ?').run([removedAt, reductionId]);
  }

  /** The columns hold what {@link insert} wrote. */
  #fromRow(row: ReductionRow): Reduction {
    const parameters = JSON.parse(row.parameters) as Reduction['parameters'];
    return {
      id: row.id,
      name: runName(row.method, parameters),
      taxonomyId: row.taxonomy_id,
      taxonomyName: row.taxonomy_name,
      space: row.space === null ? null : this.#spaces.get(row.space),
      method: row.method,
      seed: row.seed,
      labels: JSON.parse(row.labels) as string[],
      corpusRows: row.corpus_rows,
      testRows: row.test_rows,
      prototypeRows: (JSON.parse(row.cluster_sizes) as number[]).length,
      full: JSON.parse(row.full_score) as Reduction['full'],
      reduced: JSON.parse(row.reduced_score) as Reduction['reduced'],
      createdAt: row.created_at,
      seconds: row.seconds,
      studyId: row.study_id,
      source: JSON.parse(row.source) as CorpusSource,
      parameters,
      noise: row.noise,
      sizes: JSON.parse(row.sizes) as number[],
      scores: JSON.parse(row.scores) as KnnScore[],
    };
  }
}
