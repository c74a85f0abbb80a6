/**
 * Embeddings by other packs, or of other choices of windows, than the library uses now: they are moved here when a
 * row takes their place, and back when the library returns to them. `embeddings` still has one row for each track.
 */
export const sql = `
CREATE TABLE kept_embeddings (
  track_id TEXT NOT NULL,
  pack_sha256 TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  windows TEXT NOT NULL,
  dim INTEGER NOT NULL,
  count INTEGER NOT NULL,
  duration_seconds REAL NOT NULL,
  window_index BLOB NOT NULL,
  start_seconds BLOB NOT NULL,
  window_seconds BLOB NOT NULL,
  vectors BLOB NOT NULL,
  PRIMARY KEY (track_id, pack_sha256, windows)
) STRICT;

CREATE TRIGGER keep_embeddings BEFORE INSERT ON embeddings
BEGIN
  INSERT OR REPLACE INTO kept_embeddings
    SELECT track_id, pack_sha256, content_hash, windows, dim, count, duration_seconds, window_index, start_seconds,
           window_seconds, vectors
      FROM embeddings
     WHERE track_id = NEW.track_id AND content_hash = NEW.content_hash
       AND (pack_sha256 <> NEW.pack_sha256 OR windows <> NEW.windows);
END;
`;
