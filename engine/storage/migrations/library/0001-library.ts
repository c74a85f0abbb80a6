/**
 * The library itself, its tracks, taxonomies and labels. A track is found by path and by content: `content_hash` is the
 * SHA-256 of the file. `kind` is 'folder' for a folder that could not be read: it is listed as a failure, but it is no
 * track. Labels are kept as they are in force (`track_labels`); what a person set by hand is kept beside them with what
 * the source says (`label_overrides`), so that it survives when the source is read again.
 */
export const sql = `
CREATE TABLE library (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  folder TEXT NOT NULL,
  pack_id TEXT NOT NULL,
  windows TEXT NOT NULL,
  is_demo INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  opened_at TEXT NOT NULL
) STRICT;

CREATE TABLE tracks (
  id TEXT PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL DEFAULT 'file' CHECK (kind IN ('file', 'folder')),
  state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'failed', 'missing')),
  problem TEXT,
  problem_detail TEXT,
  problem_version TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  modified_ms REAL NOT NULL DEFAULT 0,
  content_hash TEXT,
  title TEXT NOT NULL,
  artist TEXT,
  album TEXT,
  genre TEXT NOT NULL DEFAULT '[]',
  year INTEGER,
  track_number INTEGER,
  bpm REAL,
  musical_key TEXT,
  comment TEXT,
  cover TEXT,
  format TEXT,
  sample_rate INTEGER,
  channels INTEGER,
  duration_seconds REAL,
  window_count INTEGER NOT NULL DEFAULT 0,
  search_text TEXT NOT NULL,
  added_at TEXT NOT NULL
) STRICT;

CREATE INDEX tracks_by_hash ON tracks (content_hash);
CREATE INDEX tracks_by_state ON tracks (state, path);
CREATE INDEX tracks_by_path ON tracks (path COLLATE NOCASE, path);
CREATE INDEX tracks_by_title ON tracks (title COLLATE NOCASE, path);
CREATE INDEX tracks_by_artist ON tracks (artist COLLATE NOCASE, path);
CREATE INDEX tracks_by_album ON tracks (album COLLATE NOCASE, path);
CREATE INDEX tracks_by_duration ON tracks (duration_seconds, path);
CREATE INDEX tracks_by_windows ON tracks (window_count, path);

CREATE TABLE taxonomies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  unmatched INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE taxonomy_rows (
  taxonomy_id TEXT NOT NULL REFERENCES taxonomies(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  path TEXT NOT NULL,
  labels TEXT NOT NULL,
  PRIMARY KEY (taxonomy_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE track_labels (
  taxonomy_id TEXT NOT NULL REFERENCES taxonomies(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (taxonomy_id, track_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX track_labels_by_label ON track_labels (taxonomy_id, label);
CREATE INDEX track_labels_by_track ON track_labels (track_id);

CREATE TABLE label_overrides (
  taxonomy_id TEXT NOT NULL REFERENCES taxonomies(id) ON DELETE CASCADE,
  track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
  labels TEXT NOT NULL,
  derived TEXT NOT NULL,
  PRIMARY KEY (taxonomy_id, track_id)
) STRICT, WITHOUT ROWID;
`;
