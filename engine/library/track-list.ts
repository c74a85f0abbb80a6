import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { SearchTerm } from '../api/search-query.ts';
import type { SqlValue } from '../storage/database.ts';
import { predictedSql, wrongSql } from './judged-sql.ts';
import type { SqlCondition } from './judged-sql.ts';
import { asksState, searchSql } from './search-sql.ts';
import type { SearchScope } from './search-sql.ts';
import { tagMeansJoin, type TagPlace } from './tags.ts';
import { judgeOf } from './track-row.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import type { PredictionTruth } from './track-row.ts';

export type TrackQuery = ParsedInput<'tracks.list'>;

const sortColumns: Record<TrackQuery['sort'], string> = {
  path: 't.path COLLATE NOCASE',
  title: 't.title COLLATE NOCASE',
  artist: 't.artist COLLATE NOCASE',
  album: 't.album COLLATE NOCASE',
  genre: "nullif(t.genre, '[]') COLLATE NOCASE",
  year: 't.year',
  duration: 't.duration_seconds',
  windows: 'coalesce(e.count, 0)',
  label: 'l.label COLLATE NOCASE',
  prediction: 'p.class COLLATE NOCASE',
  probability: 'p.probability',
  second: 'p.second_class COLLATE NOCASE',
  margin: 'p.probability - p.second_probability',
  split: 'p.split',
  state: trackStateSql,
  notes: 't.notes COLLATE NOCASE',
  tag: 'substr(g.means, ?, 4)',
};

/** Orders that only predictions have. */
const ofPredictions: ReadonlySet<TrackQuery['sort']> = new Set([
  ...(['prediction', 'probability', 'second', 'margin', 'split'] as const),
]);

/**
 * Selects the row numbers `n` of all tracks of a query, in its order; the page does not matter for it.
 * @param space key of the space that states and windows are meant in
 * @param terms what its search says, of which `found` are the row numbers of what fits the text; null without text
 * @param sortTag where the tag lies that it sorts by; null where it sorts by none, or by one that is not kept
 * @throws EngineError `bad-input` for a filter that lacks what it filters by, and for names that are not there
 */
export function orderSql(
  query: TrackQuery,
  scope: SearchScope,
  {
    space,
    terms,
    found,
    sortTag,
  }: {
    space: string;
    terms: readonly SearchTerm[];
    found: readonly number[] | null;
    sortTag: TagPlace | null;
  },
): { sql: string; parameters: SqlValue[] } {
  const { truth } = scope;
  const conditions = [...filterSql(query, truth), ...searchSql(terms, scope)];
  if (found) conditions.push(amongSql('t.rowid', found));
  const joins: string[] = [];
  const joined: SqlValue[] = [];
  const sortsByState = query.sort === 'state' || query.sort === 'windows';
  if (query.filter.state !== undefined || sortsByState || asksState(terms)) {
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
  const byTag = query.sort === 'tag' ? sortTag : null;
  if (byTag) {
    joins.push(tagMeansJoin);
    joined.push(byTag.tagger);
  }
  const lacksTag = query.sort === 'tag' && !byTag;
  const lacksLabels = query.sort === 'label' && query.taxonomyId === null;
  const lacksPredictions = ofPredictions.has(query.sort) && !truth;
  const column = lacksLabels || lacksPredictions || lacksTag ? sortColumns.path : sortColumns[query.sort];
  const where = conditions.length > 0 ? `WHERE ${conditions.map(({ sql }) => `(${sql})`).join(' AND ')}` : '';
  return {
    sql: `SELECT t.rowid AS n FROM tracks t ${joins.join(' ')} ${where}
      ORDER BY ${column} ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, t.path`,
    parameters: [
      ...joined,
      ...conditions.flatMap(({ parameters }) => parameters),
      ...(byTag ? [byTag.from] : []),
    ],
  };
}

function filterSql({ filter, taxonomyId }: TrackQuery, truth: PredictionTruth | null): SqlCondition[] {
  const conditions: SqlCondition[] = [];
  const { state, noted, label, predicted, errorsOnly, trackIds } = filter;
  if (state !== undefined) conditions.push({ sql: `${trackStateSql} = ?`, parameters: [state] });
  if (noted !== undefined)
    conditions.push({ sql: noted ? 't.note IS NOT NULL' : 't.note IS NULL', parameters: [] });
  if (trackIds !== undefined) conditions.push(amongSql('t.id', trackIds));
  if (label !== undefined) {
    if (taxonomyId === null) throw lacking('label', 'taxonomy');
    conditions.push({
      sql: 'EXISTS (SELECT 1 FROM track_labels f WHERE f.taxonomy_id = ? AND f.label = ? AND f.track_id = t.id)',
      parameters: [taxonomyId, label],
    });
  }
  if (predicted !== undefined) {
    if (!truth) throw lacking('predicted class', 'experiment');
    conditions.push(predictedSql([predicted], truth));
  }
  if (errorsOnly === true) {
    if (!truth) throw lacking('errors', 'experiment');
    conditions.push(judgeOf(taxonomyId, truth) ? wrongSql(truth) : { sql: '0', parameters: [] });
  }
  return conditions;
}

function amongSql(column: string, values: readonly (string | number)[]): SqlCondition {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(values)] };
}

function lacking(filter: string, needed: string): EngineError {
  return new EngineError(
    'bad-input',
    `Tracks can be filtered by ${filter} only with a chosen ${needed}.`,
    `Choose the ${needed} first.`,
  );
}
