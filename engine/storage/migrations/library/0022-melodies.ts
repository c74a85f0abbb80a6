/** Melodies that a library keeps; notes as JSON, each [onset seconds, duration seconds, MIDI pitch, velocity]. */
export const sql = `
CREATE TABLE melodies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  source_name TEXT,
  beats_per_minute REAL NOT NULL,
  digest TEXT NOT NULL,
  notes TEXT NOT NULL,
  note_count INTEGER NOT NULL,
  seconds REAL NOT NULL,
  created_at TEXT NOT NULL,
  removed_at TEXT
) STRICT;

CREATE INDEX melodies_by_digest ON melodies (digest);
`;
