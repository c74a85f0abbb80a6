/** Searches that a person keeps under a name, in the language of `engine/api/search-query.ts`. */
export const sql = `
CREATE TABLE saved_searches (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  search TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
`;
