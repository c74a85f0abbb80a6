/**
 * `ended`: how often the process ended while the job ran, with nothing kept since; `rank`: its place among the waiting
 * (null: by age).
 */
export const sql = `
ALTER TABLE jobs ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN rank INTEGER;
`;
