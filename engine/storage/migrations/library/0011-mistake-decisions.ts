/**
 * What a person decided of labels that are probably wrong. `topic` and `label` say what was asked of the track; `before`
 * and `after` are its labels, as JSON; `report` is the report that asked. Newest last, so that decisions can be undone.
 */
export const sql = `
CREATE TABLE mistake_decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  taxonomy_id TEXT NOT NULL REFERENCES taxonomies (id) ON DELETE CASCADE,
  track_id TEXT NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
  tab TEXT NOT NULL,
  topic TEXT NOT NULL,
  label TEXT NOT NULL,
  given TEXT,
  suggested TEXT,
  decision TEXT NOT NULL CHECK (decision IN ('accept', 'keep', 'change', 'skip')),
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  report TEXT NOT NULL,
  decided_at TEXT NOT NULL
) STRICT;

CREATE INDEX mistake_decisions_by_taxonomy ON mistake_decisions (taxonomy_id, id);
`;
