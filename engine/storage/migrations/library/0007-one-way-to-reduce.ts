/** What one LP-kNN said of a set, as studies keep scores: the short form of an earlier version in the long one. */
const scoresOf = (column: string): string => `json_array(json_object(
  'classifier', 'lpknn',
  'k', ${column} -> '$.k',
  'metrics', json_object(
    'hammingLoss', json_array(${column} -> '$.hammingLoss'),
    'exactMatch', json_array(${column} -> '$.exactMatch'),
    'f1Samples', json_array(${column} -> '$.f1Samples'),
    'f1Macro', json_array(${column} -> '$.f1Macro')),
  'labelF1', json('[]')))`;

/**
 * A reduction is a run of a study: those that were made alone become a study of one run each, under their own id and
 * name. What a corpus was is not known of them any more (`null`), nor whether it is still the same. Rows of data set
 * files keep what makes their prototypes a data set of the same columns: names, hash, full precision, rows per cluster.
 */
export const sql = `
DELETE FROM studies WHERE removed_at IS NOT NULL;
DELETE FROM reductions WHERE removed_at IS NOT NULL;

ALTER TABLE studies ADD COLUMN dataset TEXT;
ALTER TABLE reductions ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE reductions ADD COLUMN seed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reductions ADD COLUMN exact_prototypes BLOB;
ALTER TABLE reductions ADD COLUMN cluster_rows BLOB;

UPDATE reductions SET method = request ->> '$.method', seed = request ->> '$.seed';
UPDATE reductions SET source = json_object(
  'kind', 'library', 'taxonomyId', request ->> '$.taxonomyId', 'level', request ->> '$.level')
  WHERE source IS NULL;
UPDATE reductions SET parameters = CASE WHEN method IN ('MRSP3', 'MRHC', 'RHC', 'RSP3')
  THEN '{}' ELSE json_object('p', request -> '$.percent') END
  WHERE parameters IS NULL;
UPDATE reductions SET sizes = json_array(100.0 * json_array_length(cluster_sizes) / corpus_rows)
  WHERE sizes IS NULL;
UPDATE reductions SET scores = ${scoresOf('reduced_score')} WHERE scores IS NULL;

INSERT INTO studies (id, name, request, corpus, fingerprint, splits, full_scores, failures, planned, state, space,
  created_at, seconds)
SELECT id,
  taxonomy_name || ': ' || method || coalesce(' p ' || (parameters ->> '$.p'), ''),
  json_object(
    'source', json(source),
    'runs', json_array(json_object('method', method, 'parameters', json(parameters))),
    'classifiers', json('["lpknn"]'),
    'k', json_array(request -> '$.k'),
    'noise', json('[0]'),
    'split', json_object('kind', 'holdout', 'test', request -> '$.split.test', 'repeats', 1),
    'seed', seed),
  'null', '',
  json_array(json_object('train', corpus_rows, 'test', test_rows)),
  json_array(json_object('noise', 0, 'scores', ${scoresOf('full_score')})),
  '[]', 1, 'done', space, created_at, seconds
FROM reductions WHERE study_id IS NULL ORDER BY rowid;

INSERT INTO study_tracks (study_id, track_id, split)
SELECT t.reduction_id, t.track_id, t.split FROM reduction_tracks t JOIN reductions r ON r.id = t.reduction_id
WHERE r.study_id IS NULL;
UPDATE reductions SET study_id = id WHERE study_id IS NULL;

DROP TABLE reduction_tracks;
ALTER TABLE reductions DROP COLUMN request;
`;
