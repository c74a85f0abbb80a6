/**
 * All labels that a multilabel experiment predicts for a track, each at or above its threshold, and for every task the
 * class that came second. `label_count` is null where there are no such labels: for a single-label task, and for
 * predictions that an earlier version stored.
 */
export const sql = `
ALTER TABLE predictions ADD COLUMN second_class TEXT;
ALTER TABLE predictions ADD COLUMN second_probability REAL;
ALTER TABLE predictions ADD COLUMN label_count INTEGER;

CREATE TABLE predicted_labels (
  experiment_id TEXT NOT NULL,
  track_id TEXT NOT NULL,
  label TEXT NOT NULL,
  probability REAL NOT NULL,
  PRIMARY KEY (experiment_id, track_id, label)
) STRICT, WITHOUT ROWID;

CREATE INDEX predicted_labels_by_label ON predicted_labels (experiment_id, label);
`;
