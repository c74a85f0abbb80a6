/**
 * Embeddings and peaks of a track, each as one row: they are written and read together. Arrays are little-endian blobs:
 * `vectors` float32[count, dim], `window_index` int32[count], `start_seconds` and `window_seconds` float32[count];
 * peaks are int8, full scale ±127. A row counts only while pack, content and choice of windows are those of the track.
 */
export const sql = `
CREATE TABLE embeddings (
  track_id TEXT PRIMARY KEY,
  pack_sha256 TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  windows TEXT NOT NULL,
  dim INTEGER NOT NULL,
  count INTEGER NOT NULL,
  duration_seconds REAL NOT NULL,
  window_index BLOB NOT NULL,
  start_seconds BLOB NOT NULL,
  window_seconds BLOB NOT NULL,
  vectors BLOB NOT NULL
) STRICT;

CREATE INDEX embeddings_by_content ON embeddings (content_hash);

CREATE TABLE peaks (
  track_id TEXT PRIMARY KEY,
  per_second REAL NOT NULL,
  duration_seconds REAL NOT NULL,
  peaks BLOB NOT NULL
) STRICT;
`;
