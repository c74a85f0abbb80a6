/**
 * Puts beside tracks `t` their row of embeddings `e`, in the space given as the parameter, where there is one of their
 * present content.
 */
export const trackStateJoin =
  'LEFT JOIN cache.embeddings e ON e.space = ? AND e.track_id = t.id AND e.content_hash = t.content_hash';

/** State of a track in that space: what is wrong with its file, else whether it is embedded. */
export const trackStateSql = `CASE WHEN t.file_state <> 'present' THEN t.file_state
  WHEN e.track_id IS NULL THEN 'pending' ELSE 'ready' END`;
