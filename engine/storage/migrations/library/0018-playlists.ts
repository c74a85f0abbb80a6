/** Playlists that a person added; entries as their files say them. */
export const sql = `
CREATE TABLE playlists (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  format TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  entries TEXT NOT NULL,
  entry_count INTEGER NOT NULL,
  added_at TEXT NOT NULL
) STRICT;
`;
