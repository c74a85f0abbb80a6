/**
 * What packs with tags, and heads, heard in tracks: the means of their predictions over the patches, of all classes of a
 * tagger as one blob a track (`engine/library/tags.ts` says how it is written). `head_id` is empty for the network of the
 * pack itself; `key` names all that has a part in what it says. A row counts while its content is that of its track.
 */
export const sql = `
CREATE TABLE taggers (
  id INTEGER PRIMARY KEY,
  pack_id TEXT NOT NULL,
  head_id TEXT NOT NULL,
  key TEXT NOT NULL,
  title TEXT NOT NULL,
  classes TEXT NOT NULL,
  positive TEXT,
  UNIQUE (pack_id, head_id)
) STRICT;

CREATE TABLE tag_means (
  tagger INTEGER NOT NULL,
  track_id TEXT NOT NULL,
  content_hash TEXT,
  means BLOB NOT NULL,
  PRIMARY KEY (tagger, track_id)
) STRICT;
`;
