/** What people say of experiments, and pairs of them that were trained again over several splits. */
export const sql = `
ALTER TABLE experiments ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE experiments ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

CREATE TABLE repeated_comparisons (
  first_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  second_id TEXT NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
  result TEXT NOT NULL,
  PRIMARY KEY (first_id, second_id)
) STRICT;
CREATE INDEX repeated_comparisons_by_second ON repeated_comparisons (second_id);
`;
