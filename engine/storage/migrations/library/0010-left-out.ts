/** Tracks that a person leaves out of training: they are listed and classified like any other, but nothing is learned from them. */
export const sql = `
ALTER TABLE tracks ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
`;
