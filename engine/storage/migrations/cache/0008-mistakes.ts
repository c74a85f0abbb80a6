/**
 * Reports of labels that are probably wrong, as JSON, and the predictions of folds of runs that did not end. `id` names what
 * went into a report: labels, embeddings, folds, seed.
 */
export const sql = `
CREATE TABLE mistakes (
  id TEXT PRIMARY KEY,
  taxonomy_id TEXT NOT NULL,
  space TEXT NOT NULL,
  report TEXT NOT NULL,
  items TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE INDEX mistakes_by_taxonomy ON mistakes (taxonomy_id, space);

CREATE TABLE mistake_folds (
  id TEXT NOT NULL,
  fold INTEGER NOT NULL,
  rows BLOB NOT NULL,
  PRIMARY KEY (id, fold)
) STRICT;
`;
