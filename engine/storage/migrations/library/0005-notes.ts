/** What was read with damage says so: the reasons, in words; null where a file was whole. */
export const sql = `
ALTER TABLE tracks ADD COLUMN note TEXT;
CREATE INDEX tracks_with_note ON tracks (path) WHERE note IS NOT NULL;
`;
