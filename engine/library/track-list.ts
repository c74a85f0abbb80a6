import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { SqlValue } from '../storage/database.ts';
import { judgeOf } from './track-row.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import type { PredictionTruth } from './track-row.ts';

export type TrackQuery = ParsedInput<'tracks.list'>;

const sortColumns: Record<TrackQuery['sort'], string> = {
  path: 't.path COLLATE NOCASE',
  title: 't.title COLLATE NOCASE',
  artist: 't.artist COLLATE NOCASE',
  album: 't.album COLLATE NOCASE',
  duration: 't.duration_seconds',
  windows: 'coalesce(e.count, 0)',
  label: 'l.label COLLATE NOCASE',
  prediction: 'p.class COLLATE NOCASE',
  probability: 'p.probability',
  state: trackStateSql,
};

/** Whether a label is among those predicted for the track. */
const PREDICTED = `EXISTS (SELECT 1 FROM cache.predicted_labels f WHERE f.experiment_id = p.experiment_id
  AND f.track_id = t.id AND f.label = ?)`;

/**
 * Selects the row numbers `n` of all tracks of a query, in its order; the page does not matter for it.
 * @param space key of the space that states and windows are meant in
 * @param found row numbers of what a search found; null without one
 * @throws EngineError `bad-input` for a filter that lacks what it filters by
 */
export function orderSql(
  query: TrackQuery,
  truth: PredictionTruth | null,
  { space, found }: { space: string; found: readonly number[] | null },
): { sql: string; parameters: SqlValue[] } {
  const { conditions, parameters } = filterSql(query, truth, found);
  const joins: string[] = [];
  const joined: SqlValue[] = [];
  if (query.filter.state !== undefined || query.sort === 'state' || query.sort === 'windows') {
    joins.push(trackStateJoin);
    joined.push(space);
  }
  if (query.sort === 'label' && query.taxonomyId !== null) {
    joins.push('LEFT JOIN track_labels l ON l.track_id = t.id AND l.taxonomy_id = ? AND l.position = 0');
    joined.push(query.taxonomyId);
  }
  if (truth) {
    joins.push('LEFT JOIN cache.predictions p ON p.track_id = t.id AND p.experiment_id = ?');
    joined.push(truth.experimentId);
  }
  const lacksLabels = query.sort === 'label' && query.taxonomyId === null;
  const lacksPredictions = (query.sort === 'prediction' || query.sort === 'probability') && !truth;
  const column = lacksLabels || lacksPredictions ? sortColumns.path : sortColumns[query.sort];
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  return {
    sql: `SELECT t.rowid AS n FROM tracks t ${joins.join(' ')} ${where}
      ORDER BY ${column} ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, t.path`,
    parameters: [...joined, ...parameters],
  };
}

function filterSql(
  query: TrackQuery,
  truth: PredictionTruth | null,
  found: readonly number[] | null,
): { conditions: string[]; parameters: SqlValue[] } {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const add = (condition: string, ...values: SqlValue[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const { state, noted, label, predicted, errorsOnly, trackIds } = query.filter;
  if (found) add('t.rowid IN (SELECT value FROM json_each(?))', JSON.stringify(found));
  if (state !== undefined) add(`${trackStateSql} = ?`, state);
  if (noted !== undefined) add(noted ? 't.note IS NOT NULL' : 't.note IS NULL');
  if (trackIds !== undefined) add('t.id IN (SELECT value FROM json_each(?))', JSON.stringify(trackIds));
  if (label !== undefined) {
    if (query.taxonomyId === null) throw lacking('label', 'taxonomy');
    add(
      'EXISTS (SELECT 1 FROM track_labels f WHERE f.taxonomy_id = ? AND f.label = ? AND f.track_id = t.id)',
      query.taxonomyId,
      label,
    );
  }
  if (predicted !== undefined) {
    if (!truth) throw lacking('predicted class', 'experiment');
    if (truth.multilabel) add(`p.label_count IS NOT NULL AND ${PREDICTED}`, predicted);
    else add('p.class = ?', predicted);
  }
  if (errorsOnly === true) {
    if (!truth) throw lacking('errors', 'experiment');
    if (!judgeOf(query.taxonomyId, truth)) add('0');
    const { taxonomyId } = truth;
    const classes = JSON.stringify(truth.classes);
    const first = truth.multilabel ? '' : 'AND e.position = 0';
    const own = `FROM track_labels e WHERE e.taxonomy_id = ? AND e.track_id = t.id ${first}`;
    const learned = `SELECT 1 ${own} AND e.label IN (SELECT value FROM json_each(?))`;
    add(`p.class IS NOT NULL AND EXISTS (${learned})`, taxonomyId, classes);
    if (truth.multilabel) {
      const missing = `EXISTS (${learned} AND NOT ${PREDICTED.replace('?', 'e.label')})`;
      const extra = `EXISTS (SELECT 1 FROM cache.predicted_labels x WHERE x.experiment_id = p.experiment_id
        AND x.track_id = t.id AND NOT EXISTS (SELECT 1 ${own} AND e.label = x.label))`;
      add(`p.label_count IS NOT NULL AND (${missing} OR ${extra})`, taxonomyId, classes, taxonomyId);
    } else add(`NOT EXISTS (SELECT 1 ${own} AND e.label = p.class)`, taxonomyId);
  }
  return { conditions, parameters };
}

function lacking(filter: string, needed: string): EngineError {
  return new EngineError(
    'bad-input',
    `Tracks can be filtered by ${filter} only with a chosen ${needed}.`,
    `Choose the ${needed} first.`,
  );
}
