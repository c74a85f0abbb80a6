/** What people heard in the sounds of an experiment's prototypes; questions hold their answers. */
export const sql = `
CREATE TABLE listening_tests (
  id TEXT PRIMARY KEY,
  experiment_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  settings TEXT NOT NULL,
  rounds TEXT NOT NULL,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;
CREATE INDEX listening_tests_by_experiment ON listening_tests (experiment_id);
`;
