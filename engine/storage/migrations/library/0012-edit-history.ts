/**
 * The history of an experiment: revisions are never changed, and the steps say in which order they were gone to.
 * `experiments.position` is where it stands; undo goes one step back, redo one forward. `edit` is what was asked for, as
 * JSON, where a revision came of an edit of prototypes; `name` is what a person called it. Until now every revision
 * followed the one before it, going back included.
 */
export const sql = `
ALTER TABLE experiment_revisions ADD COLUMN edit TEXT;
ALTER TABLE experiment_revisions ADD COLUMN name TEXT NOT NULL DEFAULT '';

CREATE TABLE experiment_steps (
  experiment_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (experiment_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO experiment_steps (experiment_id, position, revision)
  SELECT experiment_id, row_number() OVER (PARTITION BY experiment_id ORDER BY revision), revision
    FROM experiment_revisions;

ALTER TABLE experiments ADD COLUMN position INTEGER NOT NULL DEFAULT 1;
UPDATE experiments SET position =
  coalesce((SELECT max(position) FROM experiment_steps s WHERE s.experiment_id = experiments.id), 1);
`;
