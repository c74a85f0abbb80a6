import type { SqlValue } from '../storage/database.ts';
import type { PredictionTruth } from './track-row.ts';

/** A condition on tracks `t` with predictions `p` beside them, and its parameters in order. */
export interface SqlCondition {
  sql: string;
  parameters: SqlValue[];
}

/** Whether a label is among those predicted for the track. */
const PREDICTED = `EXISTS (SELECT 1 FROM cache.predicted_labels f WHERE f.experiment_id = p.experiment_id
  AND f.track_id = t.id AND f.label = ?)`;

/** That one of these classes is predicted: among several labels any of them. */
export function predictedSql(classes: readonly string[], { multilabel }: PredictionTruth): SqlCondition {
  const list = JSON.stringify(classes);
  const among = 'IN (SELECT value FROM json_each(?))';
  return multilabel
    ? { sql: `p.label_count IS NOT NULL AND ${PREDICTED.replace('= ?', among)}`, parameters: [list] }
    : { sql: `p.class ${among}`, parameters: [list] };
}

/** A person's labels of a track that predictions are held against. */
const ownOf = ({ multilabel }: PredictionTruth): string =>
  `FROM track_labels e WHERE e.taxonomy_id = ? AND e.track_id = t.id ${multilabel ? '' : 'AND e.position = 0'}`;
const LEARNED = 'AND e.label IN (SELECT value FROM json_each(?))';

/** That the prediction can be right or wrong: a label that was learned is there. As `verdictOf` has it. */
export function judgedSql(truth: PredictionTruth): SqlCondition {
  const known = truth.multilabel ? 'p.label_count IS NOT NULL' : 'p.class IS NOT NULL';
  return {
    sql: `${known} AND EXISTS (SELECT 1 ${ownOf(truth)} ${LEARNED})`,
    parameters: [truth.taxonomyId, JSON.stringify(truth.classes)],
  };
}

/** That the prediction is wrong. As `verdictOf` has it. */
export function wrongSql(truth: PredictionTruth): SqlCondition {
  const judged = judgedSql(truth);
  const own = ownOf(truth);
  const { taxonomyId } = truth;
  if (!truth.multilabel)
    return {
      sql: `${judged.sql} AND NOT EXISTS (SELECT 1 ${own} AND e.label = p.class)`,
      parameters: [...judged.parameters, taxonomyId],
    };
  const missing = `EXISTS (SELECT 1 ${own} ${LEARNED} AND NOT ${PREDICTED.replace('?', 'e.label')})`;
  const extra = `EXISTS (SELECT 1 FROM cache.predicted_labels x WHERE x.experiment_id = p.experiment_id
    AND x.track_id = t.id AND NOT EXISTS (SELECT 1 ${own} AND e.label = x.label))`;
  return {
    sql: `${judged.sql} AND (${missing} OR ${extra})`,
    parameters: [...judged.parameters, ...judged.parameters, taxonomyId],
  };
}
