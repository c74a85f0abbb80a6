/**
 * Why a track could not be embedded belongs to the track and the space, and to the content that was read: another pack may
 * have embedded it all the same. What is wrong with the file itself stays with the track. A failure of before whose content is
 * known came about while it was embedded, in the library's space.
 */
export const sql = `
CREATE TABLE embedding_failures (
  space TEXT NOT NULL REFERENCES spaces(key) ON DELETE CASCADE,
  track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
  content_hash TEXT NOT NULL,
  problem TEXT NOT NULL,
  problem_detail TEXT NOT NULL,
  problem_version TEXT NOT NULL,
  PRIMARY KEY (space, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX embedding_failures_by_track ON embedding_failures (track_id);

INSERT INTO embedding_failures (space, track_id, content_hash, problem, problem_detail, problem_version)
  SELECT library.space, t.id, t.content_hash, t.problem, t.problem_detail, t.problem_version
    FROM tracks t, library
   WHERE t.file_state = 'failed' AND t.kind = 'file' AND t.content_hash IS NOT NULL AND library.space IS NOT NULL
     AND t.problem IS NOT NULL AND t.problem_detail IS NOT NULL AND t.problem_version IS NOT NULL;
UPDATE tracks SET file_state = 'present', problem = NULL, problem_detail = NULL, problem_version = NULL
 WHERE id IN (SELECT track_id FROM embedding_failures);
`;
