/**
 * Puts beside tracks `t` their row of embeddings `e` and why they could not be embedded `failure`, of their present content,
 * in the space given as the first parameter of the statement.
 */
export const trackStateJoin = `LEFT JOIN cache.embeddings e
    ON e.space = ?1 AND e.track_id = t.id AND e.content_hash = t.content_hash
  LEFT JOIN embedding_failures failure
    ON failure.space = ?1 AND failure.track_id = t.id AND failure.content_hash = t.content_hash`;

/** State of a track in that space: what is wrong with its file, else whether it is embedded, or why not. */
export const trackStateSql = `CASE WHEN t.file_state <> 'present' THEN t.file_state
  WHEN e.track_id IS NOT NULL THEN 'ready' WHEN failure.track_id IS NOT NULL THEN 'failed' ELSE 'pending' END`;

/** What is wrong with a track in that space; null when nothing is. */
export const trackProblemSql = 'coalesce(t.problem, CASE WHEN e.track_id IS NULL THEN failure.problem END)';
