/** Jobs with their specification, both as JSON: they are only ever read whole. */
export const sql = `
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  finished INTEGER NOT NULL,
  job TEXT NOT NULL,
  spec TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_by_finished ON jobs (finished);
`;
