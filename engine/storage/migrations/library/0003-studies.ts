/**
 * Studies: many reductions of one corpus. What belongs to the study (corpus, split, scores of the whole training data)
 * is kept once, what belongs to a run in its reduction. `scores` and `sizes` hold one value per split that is done, so
 * that a study which was stopped goes on where it was. Removed rows are only marked until the library is opened again:
 * removing can be undone.
 */
export const sql = `
CREATE TABLE studies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  request TEXT NOT NULL,
  corpus TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  splits TEXT NOT NULL,
  full_scores TEXT NOT NULL,
  failures TEXT NOT NULL,
  planned INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'stopped')),
  job_id TEXT,
  pack_id TEXT NOT NULL,
  pack_sha256 TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  removed_at TEXT
) STRICT;

CREATE TABLE study_tracks (
  study_id TEXT NOT NULL REFERENCES studies(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  PRIMARY KEY (study_id, track_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE reductions ADD COLUMN study_id TEXT REFERENCES studies(id) ON DELETE CASCADE;
ALTER TABLE reductions ADD COLUMN source TEXT;
ALTER TABLE reductions ADD COLUMN parameters TEXT;
ALTER TABLE reductions ADD COLUMN noise REAL NOT NULL DEFAULT 0;
ALTER TABLE reductions ADD COLUMN sizes TEXT;
ALTER TABLE reductions ADD COLUMN scores TEXT;
ALTER TABLE reductions ADD COLUMN removed_at TEXT;

CREATE INDEX reductions_by_study ON reductions (study_id);
`;
