/** Sets of tracks that a person keeps under a name. */
export const sql = `
CREATE TABLE track_sets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE track_set_members (
  set_id TEXT NOT NULL REFERENCES track_sets(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
  PRIMARY KEY (set_id, track_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX track_set_members_by_track ON track_set_members (track_id);
`;
