import type { CorpusSource, KnnScore, Reduction, ReductionScore, SplitName } from '../api/domain.ts';
import { reductionMethods } from '../../models/reduction/index.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from './library.ts';
import { toBlob } from '../storage/database.ts';
import { runName } from './reduction-names.ts';

/** The reduced set of a reduction. */
export interface ReducedSet {
  dim: number;
  /** `[m, dim]` in the embedding space. */
  prototypes: Float32Array;
  /** `[m, L]` of 0/1, in the order of `Reduction.labels`. */
  labelsets: Uint8Array;
  /** Rows of the corpus behind each prototype. */
  clusterSizes: number[];
}

interface ReductionRow {
  id: string;
  taxonomy_id: string;
  taxonomy_name: string;
  space: string | null;
  request: string;
  labels: string;
  corpus_rows: number;
  test_rows: number;
  full_score: string;
  reduced_score: string;
  created_at: string;
  seconds: number;
  cluster_sizes: string;
  study_id: string | null;
  source: string | null;
  parameters: string | null;
  noise: number;
  sizes: string | null;
  scores: string | null;
}

const COLUMNS = `id, taxonomy_id, taxonomy_name, space, request, labels, corpus_rows, test_rows,
  full_score, reduced_score, created_at, seconds, cluster_sizes, study_id, source, parameters, noise, sizes, scores`;

/**
 * Stores a reduction with its prototypes and its split, in one transaction. The split of a study is kept with the study:
 * give none.
 */
export function insertReduction(
  library: Library,
  reduction: Reduction,
  set: ReducedSet,
  splits: ReadonlyMap<string, SplitName>,
): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare(
      `INSERT INTO reductions (${COLUMNS}, dim, prototypes, labelsets)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run([
      reduction.id,
      reduction.taxonomyId,
      reduction.taxonomyName,
      reduction.space?.key ?? null,
      JSON.stringify(reduction.request),
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
    ]);
    const insert = db.prepare(
      'INSERT INTO reduction_tracks (reduction_id, track_id, split) VALUES (?, ?, ?)',
    );
    for (const [trackId, split] of splits) insert.run([reduction.id, trackId, split]);
  })();
}

/** Keeps what one more split of a study brought. */
export function updateScores(
  library: Library,
  { id, sizes, scores, reduced, seconds }: Pick<Reduction, 'id' | 'sizes' | 'scores' | 'reduced' | 'seconds'>,
): void {
  library.db
    .prepare('UPDATE reductions SET sizes = ?, scores = ?, reduced_score = ?, seconds = ? WHERE id = ?')
    .run([JSON.stringify(sizes), JSON.stringify(scores), JSON.stringify(reduced), seconds, id]);
}

/**
 * Newest first, without what was removed.
 * @param studyId of one study; null: those made alone; undefined: all
 */
export function listReductions(library: Library, studyId?: string | null): Reduction[] {
  const which = studyId === undefined ? 'TRUE' : 'study_id IS ?';
  return library.db
    .prepare<ReductionRow>(
      `SELECT ${COLUMNS} FROM reductions
       WHERE removed_at IS NULL AND ${which}
         AND (study_id IS NULL OR study_id IN (SELECT id FROM studies WHERE removed_at IS NULL))
       ORDER BY rowid DESC`,
    )
    .all(studyId === undefined ? [] : [studyId])
    .map((row) => fromRow(library, row));
}

/** @throws EngineError `not-found` */
export function getReduction(library: Library, reductionId: string): Reduction {
  const row = library.db
    .prepare<ReductionRow>(`SELECT ${COLUMNS} FROM reductions WHERE id = ? AND removed_at IS NULL`)
    .get([reductionId]);
  if (!row) throw new EngineError('not-found', `There is no reduction ${reductionId} in this library.`);
  return fromRow(library, row);
}

/** @throws EngineError `not-found` */
export function loadReducedSet(library: Library, reductionId: string): ReducedSet {
  const row = library.db
    .prepare<{ dim: number; prototypes: ArrayBuffer; labelsets: ArrayBuffer; cluster_sizes: string }>(
      `SELECT dim, prototypes, labelsets, cluster_sizes FROM reductions WHERE id = ? AND removed_at IS NULL`,
    )
    .get([reductionId]);
  if (!row) throw new EngineError('not-found', `There is no reduction ${reductionId} in this library.`);
  return {
    dim: row.dim,
    prototypes: new Float32Array(row.prototypes),
    labelsets: new Uint8Array(row.labelsets),
    clusterSizes: JSON.parse(row.cluster_sizes) as number[],
  };
}

/** Part of the (first) split of every track that took part. */
export function reductionSplits(library: Library, reductionId: string): Map<string, SplitName> {
  const rows = library.db
    .prepare<{ track_id: string; split: SplitName }>(
      `SELECT track_id, split FROM reduction_tracks WHERE reduction_id = ?
       UNION ALL
       SELECT track_id, split FROM study_tracks
       WHERE study_id = (SELECT study_id FROM reductions WHERE id = ?)`,
    )
    .all([reductionId, reductionId]);
  return new Map(rows.map((row) => [row.track_id, row.split]));
}

/** Marks a reduction as removed: {@link restoreReduction} brings it back. @throws EngineError `not-found` */
export function removeReduction(library: Library, reductionId: string): void {
  getReduction(library, reductionId);
  mark(library, reductionId, new Date().toISOString());
}

/** @throws EngineError `not-found` */
export function restoreReduction(library: Library, reductionId: string): void {
  mark(library, reductionId, null);
  getReduction(library, reductionId);
}

function mark(library: Library, reductionId: string, removedAt: string | null): void {
  library.db.prepare('UPDATE reductions SET removed_at = ? WHERE id = ?').run([removedAt, reductionId]);
}

/** The columns hold what {@link insertReduction} wrote; the last ones are empty where an earlier version wrote. */
function fromRow(library: Library, row: ReductionRow): Reduction {
  const request = JSON.parse(row.request) as Reduction['request'];
  const prototypeRows = (JSON.parse(row.cluster_sizes) as number[]).length;
  const reduced = JSON.parse(row.reduced_score) as Reduction['reduced'];
  const { taxonomyId, level } = request;
  const parameters = parsed(row.parameters, earlierParameters(request));
  return {
    id: row.id,
    name: runName(request.method, parameters),
    taxonomyId: row.taxonomy_id,
    taxonomyName: row.taxonomy_name,
    space: row.space === null ? null : library.spaces.get(row.space),
    request,
    labels: JSON.parse(row.labels) as string[],
    corpusRows: row.corpus_rows,
    testRows: row.test_rows,
    prototypeRows,
    full: JSON.parse(row.full_score) as Reduction['full'],
    reduced,
    createdAt: row.created_at,
    seconds: row.seconds,
    studyId: row.study_id,
    source: parsed<CorpusSource>(row.source, { kind: 'library', taxonomyId, level }),
    parameters,
    noise: row.noise,
    sizes: parsed(row.sizes, [(100 * prototypeRows) / row.corpus_rows]),
    scores: parsed(row.scores, [earlierScore(reduced)]),
  };
}

function parsed<T>(text: string | null, otherwise: T): T {
  return text === null ? otherwise : (JSON.parse(text) as T);
}

function earlierParameters({ method, percent }: Reduction['request']): Record<string, number> {
  const known = reductionMethods.find(({ name }) => name === method);
  return known?.parameters.some(({ name }) => name === 'p') === true ? { p: percent } : {};
}

function earlierScore({ k, hammingLoss, exactMatch, f1Samples, f1Macro }: ReductionScore): KnnScore {
  return {
    classifier: 'lpknn',
    k,
    metrics: {
      hammingLoss: [hammingLoss],
      exactMatch: [exactMatch],
      f1Samples: [f1Samples],
      f1Macro: [f1Macro],
    },
    labelF1: [],
  };
}
