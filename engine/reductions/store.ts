import type { Reduction, SplitName } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { OpenLibrary } from '../context.ts';
import { toBlob } from '../storage/database.ts';

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

/** A reduction with what only the engine needs to know about it. */
export interface StoredReduction extends Reduction {
  packSha256: string;
}

interface ReductionRow {
  id: string;
  taxonomy_id: string;
  taxonomy_name: string;
  pack_id: string;
  pack_sha256: string;
  request: string;
  labels: string;
  corpus_rows: number;
  test_rows: number;
  full_score: string;
  reduced_score: string;
  created_at: string;
  seconds: number;
  cluster_sizes: string;
}

const COLUMNS = `id, taxonomy_id, taxonomy_name, pack_id, pack_sha256, request, labels, corpus_rows, test_rows,
  full_score, reduced_score, created_at, seconds, cluster_sizes`;

/** Stores a reduction with its prototypes and its split, in one transaction. */
export function insertReduction(
  library: OpenLibrary,
  reduction: StoredReduction,
  set: ReducedSet,
  splits: ReadonlyMap<string, SplitName>,
): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare(
      `INSERT INTO reductions (${COLUMNS}, dim, prototypes, labelsets)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run([
      reduction.id,
      reduction.taxonomyId,
      reduction.taxonomyName,
      reduction.packId,
      reduction.packSha256,
      JSON.stringify(reduction.request),
      JSON.stringify(reduction.labels),
      reduction.corpusRows,
      reduction.testRows,
      JSON.stringify(reduction.full),
      JSON.stringify(reduction.reduced),
      reduction.createdAt,
      reduction.seconds,
      JSON.stringify(set.clusterSizes),
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

/** Newest first. */
export function listReductions(library: OpenLibrary): Reduction[] {
  return library.db
    .prepare<ReductionRow>(`SELECT ${COLUMNS} FROM reductions ORDER BY created_at DESC, id DESC`)
    .all()
    .map(fromRow);
}

/** @throws EngineError `not-found` */
export function getReduction(library: OpenLibrary, reductionId: string): StoredReduction {
  const row = library.db
    .prepare<ReductionRow>(`SELECT ${COLUMNS} FROM reductions WHERE id = ?`)
    .get([reductionId]);
  if (!row) throw new EngineError('not-found', `There is no reduction ${reductionId} in this library.`);
  return { ...fromRow(row), packSha256: row.pack_sha256 };
}

/** @throws EngineError `not-found` */
export function loadReducedSet(library: OpenLibrary, reductionId: string): ReducedSet {
  const row = library.db
    .prepare<{ dim: number; prototypes: ArrayBuffer; labelsets: ArrayBuffer; cluster_sizes: string }>(
      'SELECT dim, prototypes, labelsets, cluster_sizes FROM reductions WHERE id = ?',
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

/** Part of the split of every track that took part. */
export function reductionSplits(library: OpenLibrary, reductionId: string): Map<string, SplitName> {
  const rows = library.db
    .prepare<{ track_id: string; split: SplitName }>(
      'SELECT track_id, split FROM reduction_tracks WHERE reduction_id = ?',
    )
    .all([reductionId]);
  return new Map(rows.map((row) => [row.track_id, row.split]));
}

/** @throws EngineError `not-found` */
export function removeReduction(library: OpenLibrary, reductionId: string): void {
  getReduction(library, reductionId);
  library.db.prepare('DELETE FROM reductions WHERE id = ?').run([reductionId]);
}

/** The columns hold what {@link insertReduction} wrote. */
function fromRow(row: ReductionRow): Reduction {
  return {
    id: row.id,
    taxonomyId: row.taxonomy_id,
    taxonomyName: row.taxonomy_name,
    packId: row.pack_id,
    request: JSON.parse(row.request) as Reduction['request'],
    labels: JSON.parse(row.labels) as string[],
    corpusRows: row.corpus_rows,
    testRows: row.test_rows,
    prototypeRows: (JSON.parse(row.cluster_sizes) as number[]).length,
    full: JSON.parse(row.full_score) as Reduction['full'],
    reduced: JSON.parse(row.reduced_score) as Reduction['reduced'],
    createdAt: row.created_at,
    seconds: row.seconds,
  };
}
