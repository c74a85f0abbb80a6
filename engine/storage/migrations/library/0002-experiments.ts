/**
 * Experiments with every revision of their network, and reductions: what a person made and cannot get back by computing
 * it again on a library that has changed since. Split and labels are kept per track, so that a revision can be scored
 * on exactly the tracks of the first training even after the taxonomy was edited or removed.
 */
export const sql = `
CREATE TABLE experiments (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  taxonomy_id TEXT NOT NULL,
  taxonomy_name TEXT NOT NULL,
  pack_id TEXT NOT NULL,
  pack_sha256 TEXT NOT NULL,
  parameters TEXT NOT NULL,
  classes TEXT NOT NULL,
  dropped_classes TEXT NOT NULL,
  counts TEXT NOT NULL,
  curve TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  seconds REAL NOT NULL
) STRICT;

CREATE TABLE experiment_tracks (
  experiment_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  labels TEXT NOT NULL,
  PRIMARY KEY (experiment_id, track_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE experiment_revisions (
  experiment_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  change TEXT NOT NULL,
  metrics TEXT NOT NULL,
  network BLOB NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (experiment_id, revision)
) STRICT;

CREATE TABLE reductions (
  id TEXT PRIMARY KEY,
  taxonomy_id TEXT NOT NULL,
  taxonomy_name TEXT NOT NULL,
  pack_id TEXT NOT NULL,
  pack_sha256 TEXT NOT NULL,
  request TEXT NOT NULL,
  labels TEXT NOT NULL,
  corpus_rows INTEGER NOT NULL,
  test_rows INTEGER NOT NULL,
  full_score TEXT NOT NULL,
  reduced_score TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  dim INTEGER NOT NULL,
  prototypes BLOB NOT NULL,
  labelsets BLOB NOT NULL,
  cluster_sizes TEXT NOT NULL
) STRICT;

CREATE TABLE reduction_tracks (
  reduction_id TEXT NOT NULL REFERENCES reductions(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  PRIMARY KEY (reduction_id, track_id)
) STRICT, WITHOUT ROWID;
`;
