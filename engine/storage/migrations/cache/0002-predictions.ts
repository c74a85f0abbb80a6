/**
 * What can be computed again at any time: predictions of the newest revision of every experiment, sounds made from
 * vectors (the WAV files lie beside the database), and projections.
 */
export const sql = `
CREATE TABLE predictions (
  experiment_id TEXT NOT NULL,
  track_id TEXT NOT NULL,
  class TEXT NOT NULL,
  probability REAL NOT NULL,
  split TEXT,
  revision INTEGER NOT NULL,
  PRIMARY KEY (experiment_id, track_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX predictions_by_class ON predictions (experiment_id, class);

CREATE TABLE sonifications (
  id TEXT PRIMARY KEY,
  pack_sha256 TEXT NOT NULL,
  vector_sha256 TEXT NOT NULL,
  seed INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  guidance REAL NOT NULL,
  file TEXT NOT NULL,
  duration_seconds REAL NOT NULL,
  rms_dbfs REAL NOT NULL,
  gain_db REAL NOT NULL,
  cycle_cosine REAL NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE INDEX sonifications_by_vector ON sonifications (pack_sha256, vector_sha256);

CREATE TABLE projections (
  id TEXT PRIMARY KEY,
  x BLOB NOT NULL,
  y BLOB NOT NULL,
  points TEXT NOT NULL,
  trust REAL NOT NULL,
  explained TEXT
) STRICT;
`;
