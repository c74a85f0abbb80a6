import { z } from 'zod';
import type { TrackPage } from '../api/domain.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from './library.ts';
import type { SqlValue } from '../storage/database.ts';
import { judgeOf, trackRows } from './track-row.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import type { PredictionTruth } from './track-row.ts';

type TrackQuery = ParsedInput<'tracks.list'>;

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

const classesSchema = z.array(z.string());

/**
 * One page of a library's tracks. The order of all tracks is worked out once and kept until the library changes, so that
 * pages are quick however far down, and never overlap. Tracks without a value come last; ties are in path order.
 * @throws EngineError `not-found` for an unknown experiment, `bad-input` for a filter that lacks what it filters by
 */
export function listTracks(library: Library, query: TrackQuery): TrackPage {
  const truth = query.experimentId === null ? null : predictionTruth(library, query.experimentId);
  const order = orderOf(library, query, truth);
  const ids = idsOf(library, order.slice(query.offset, query.offset + query.limit));
  return { total: order.length, tracks: trackRows(library, ids, { taxonomyId: query.taxonomyId, truth }) };
}

function idsOf(library: Library, rows: readonly number[]): string[] {
  const found = library.db
    .prepare<{ n: number; id: string }>(
      'SELECT rowid AS n, id FROM tracks WHERE rowid IN (SELECT value FROM json_each(?))',
    )
    .all([JSON.stringify(rows)]);
  const ids = new Map(found.map(({ n, id }) => [n, id]));
  return rows.flatMap((n) => ids.get(n) ?? []);
}

/** Which labels an experiment's predictions are held against. */
export function predictionTruth(library: Library, experimentId: string): PredictionTruth {
  const row = library.db
    .prepare<{ taxonomy_id: string; task: string; classes: string }>(
      `SELECT taxonomy_id, json_extract(parameters, '$.task') AS task, classes FROM experiments WHERE id = ?`,
    )
    .get([experimentId]);
  if (!row) {
    throw new EngineError(
      'not-found',
      `There is no experiment ${experimentId}.`,
      'It may have been removed.',
    );
  }
  const classes = classesSchema.parse(JSON.parse(row.classes));
  return { experimentId, taxonomyId: row.taxonomy_id, multilabel: row.task === 'multi', classes };
}

/** All tracks of a query in order, as row numbers; the page does not matter for it. */
function orderOf(library: Library, query: TrackQuery, truth: PredictionTruth | null): number[] {
  const key = JSON.stringify({ ...query, offset: 0, limit: 0 });
  return library.trackOrders.get(key, () => computeOrder(library, query, truth));
}

function computeOrder(library: Library, query: TrackQuery, truth: PredictionTruth | null): number[] {
  const { conditions, parameters } = filterSql(library, query, truth);
  const joins: string[] = [];
  const joined: SqlValue[] = [];
  if (query.filter.state !== undefined || query.sort === 'state' || query.sort === 'windows') {
    joins.push(trackStateJoin);
    joined.push(library.space().key);
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
  // As one text: a hundred thousand rows would each have to cross from the driver on their own.
  const order = library.db
    .prepare<{ rows: string }>(
      `SELECT json_group_array(n) AS rows FROM (SELECT t.rowid AS n FROM tracks t ${joins.join(' ')} ${where}
         ORDER BY ${column} ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, t.path)`,
    )
    .get([...joined, ...parameters]);
  // Made by SQLite from row numbers.
  return JSON.parse(order?.rows ?? '[]') as number[];
}

function filterSql(
  library: Library,
  query: TrackQuery,
  truth: PredictionTruth | null,
): { conditions: string[]; parameters: SqlValue[] } {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const add = (condition: string, ...values: SqlValue[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const { state, noted, label, predicted, errorsOnly, trackIds } = query.filter;
  const found = library.search.find(query.search);
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
