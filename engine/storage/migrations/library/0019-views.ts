/**
 * Experiments may look at several spaces: which, in order, and what came out of each as JSON in `views`. Those of one space
 * have neither.
 */
export const sql = `
ALTER TABLE experiments ADD COLUMN views TEXT;

CREATE TABLE experiment_views (
  experiment_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  view INTEGER NOT NULL,
  space TEXT NOT NULL REFERENCES spaces(key),
  PRIMARY KEY (experiment_id, view)
) STRICT;
CREATE INDEX experiment_views_by_space ON experiment_views (space);
`;
