/** Spaces that sound, covers and words share: how they were learned and how well they do as JSON, their numbers as float32. */
export const sql = `
CREATE TABLE shared_spaces (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  space TEXT NOT NULL REFERENCES spaces(key),
  card TEXT NOT NULL,
  numbers BLOB NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
`;
