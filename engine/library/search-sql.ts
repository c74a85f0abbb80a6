import { fieldInfo } from '../api/search-fields.ts';
import type { ChoiceField, NameField, NumberField } from '../api/search-fields.ts';
import { searchProblem } from '../api/search-query.ts';
import type { Pattern, SearchTerm, Span } from '../api/search-query.ts';
import { judgedSql, predictedSql, wrongSql } from './judged-sql.ts';
import type { SqlCondition } from './judged-sql.ts';
import { foldText, matcher } from './search-text.ts';
import { sortable, type KnownTag } from './tags.ts';
import { judgeOf } from './track-row.ts';
import type { PredictionTruth } from './track-row.ts';
import { trackStateSql } from './track-state.ts';

/** What names and predictions in a search mean. */
export interface SearchScope {
  taxonomyId: string | null;
  truth: PredictionTruth | null;
  /** Labels of the taxonomy. */
  labels: () => readonly string[];
  /** Names of the sets that are kept. */
  sets: () => readonly string[];
  /** Tags whose means are kept. */
  tags: () => readonly KnownTag[];
}

type TermOf<K extends SearchTerm['kind']> = Extract<SearchTerm, { kind: K }>;

const numbers: Readonly<Record<NumberField, string>> = {
  p: 'p.probability',
  margin: 'p.probability - p.second_probability',
  len: 't.duration_seconds',
  year: 't.year',
  bpm: 't.bpm',
  windows: 'coalesce(e.count, 0)',
};

/** Fields that only the row of embeddings beside a track tells. */
const ofState: ReadonlySet<string> = new Set<NumberField | ChoiceField>(['windows', 'state']);

/** Whether a search asks what only the row of embeddings beside a track tells. */
export function asksState(terms: readonly SearchTerm[]): boolean {
  return terms.some((term) => 'field' in term && ofState.has(term.field));
}

/**
 * What a search asks of tracks `t`, predictions `p` and embeddings `e` besides their text, which is the part of
 * `SearchIndex`. Values are parameters and never part of the text.
 * @throws EngineError `bad-input` with its place, for names that are not there and fields that mean nothing yet
 */
export function searchSql(terms: readonly SearchTerm[], scope: SearchScope): SqlCondition[] {
  return terms.flatMap((term) => {
    const condition = conditionOf(term, scope);
    if (condition === null) return [];
    // What is not known is not so: turned round, it holds.
    return term.negated ? { ...condition, sql: `NOT coalesce((${condition.sql}), 0)` } : condition;
  });
}

function conditionOf(term: SearchTerm, scope: SearchScope): SqlCondition | null {
  if ('field' in term) requireChosen(term, scope);
  switch (term.kind) {
    case 'words':
    case 'text':
      return null;
    case 'number':
      return { sql: `${numbers[term.field]} ${term.comparison} ?`, parameters: [term.value] };
    case 'range':
      return { sql: `${numbers[term.field]} BETWEEN ? AND ?`, parameters: [term.low, term.high] };
    case 'name':
      return names[term.field](term, scope);
    case 'choice':
      return choices[term.field](term, scope);
    case 'tag':
      return tagSql(term, scope.tags());
  }
}

/** That the mean of one of the tags meant is as asked, whichever tagger says it. */
function tagSql({ values, mean }: TermOf<'tag'>, known: readonly KnownTag[]): SqlCondition {
  const meant = new Map<number, Set<number>>();
  for (const value of values)
    for (const { tagger, from } of tagsOf(value, known))
      meant.set(tagger, (meant.get(tagger) ?? new Set()).add(from));
  const bound = 'low' in mean ? 'BETWEEN ? AND ?' : `${mean.comparison} ?`;
  const bounds = 'low' in mean ? [mean.low, mean.high] : [mean.value];
  const ofOne = `EXISTS (SELECT 1 FROM cache.tag_means f JOIN json_each(?) c
    WHERE f.tagger = ? AND f.track_id = t.id AND f.content_hash IS t.content_hash AND substr(f.means, c.value, 4) ${bound})`;
  return {
    sql: [...meant].map(() => ofOne).join(' OR '),
    parameters: [...meant].flatMap(([tagger, places]) => [
      JSON.stringify([...places]),
      tagger,
      ...bounds.map((value) => sortable([value])),
    ]),
  };
}

/** The tags that a value means, by their short names or whole ones. @throws EngineError `bad-input` for none */
function tagsOf(value: Pattern, known: readonly KnownTag[]): KnownTag[] {
  const match = matcher(value, true);
  const found = known.filter(({ tag, name }) => match(foldText(tag)) || match(foldText(name)));
  if (found.length > 0) return found;
  if (known.length > 0)
    throw unknownName(value.text, [...new Set(known.map(({ tag }) => tag))], 'tag that is kept', value);
  throw searchProblem(
    'No tags are kept of this library.',
    'Have its tracks heard by a pack with tags first: right click on a heading, Tags….',
    value,
  );
}

const names: Readonly<Record<NameField, (term: TermOf<'name'>, scope: SearchScope) => SqlCondition>> = {
  label: (term, { taxonomyId, labels }) => ({
    sql: `EXISTS (SELECT 1 FROM track_labels f WHERE f.taxonomy_id = ? AND f.track_id = t.id
      AND f.label IN (SELECT value FROM json_each(?)))`,
    parameters: [taxonomyId, JSON.stringify(namesOf(term, labels(), 'label of the taxonomy'))],
  }),
  set: (term, { sets }) => ({
    sql: `EXISTS (SELECT 1 FROM track_set_members m JOIN track_sets s ON s.id = m.set_id
      WHERE m.track_id = t.id AND s.name IN (SELECT value FROM json_each(?)))`,
    parameters: [JSON.stringify(namesOf(term, sets(), 'set'))],
  }),
  pred: (term, { truth }) =>
    truth ? predictedSql(namesOf(term, truth.classes, 'class of the experiment'), truth) : never,
  second: (term, { truth }) => ({
    sql: 'p.second_class IN (SELECT value FROM json_each(?))',
    parameters: [JSON.stringify(namesOf(term, truth?.classes ?? [], 'class of the experiment'))],
  }),
};

const never: SqlCondition = { sql: '0', parameters: [] };

const choices: Readonly<Record<ChoiceField, (term: TermOf<'choice'>, scope: SearchScope) => SqlCondition>> = {
  split: ({ values }) => oneOf('p.split', values),
  state: ({ values }) => oneOf(trackStateSql, values),
  is: ({ values, ...place }, scope) => {
    const each = values.map((value) => (facts[value] ?? (() => never))(scope, place));
    return {
      sql: each.map(({ sql }) => `(${sql})`).join(' OR '),
      parameters: each.flatMap(({ parameters }) => parameters),
    };
  },
};

/** What `is:` asks, by its value. */
const facts: Readonly<Record<string, (scope: SearchScope, place: Span) => SqlCondition>> = {
  right: (scope, place) => {
    const judge = judged(scope, place);
    if (!judge) return never;
    const is = judgedSql(judge);
    const wrong = wrongSql(judge);
    return {
      sql: `${is.sql} AND NOT (${wrong.sql})`,
      parameters: [...is.parameters, ...wrong.parameters],
    };
  },
  wrong: (scope, place) => {
    const judge = judged(scope, place);
    return judge ? wrongSql(judge) : never;
  },
  judged: (scope, place) => {
    const judge = judged(scope, place);
    return judge ? judgedSql(judge) : never;
  },
  labelled: ({ taxonomyId }, place) => {
    if (taxonomyId === null) throw lacking('is:labelled', 'taxonomy', place);
    return {
      sql: 'EXISTS (SELECT 1 FROM track_labels f WHERE f.taxonomy_id = ? AND f.track_id = t.id)',
      parameters: [taxonomyId],
    };
  },
  predicted: ({ truth }, place) => {
    if (!truth) throw lacking('is:predicted', 'experiment', place);
    return { sql: 'p.class IS NOT NULL', parameters: [] };
  },
  'left-out': () => ({ sql: 't.left_out = 1', parameters: [] }),
  damaged: () => ({ sql: 't.note IS NOT NULL', parameters: [] }),
  duplicate: () => ({
    sql: `t.content_hash IN (SELECT content_hash FROM tracks
      WHERE content_hash IS NOT NULL AND file_state <> 'missing' GROUP BY content_hash HAVING count(*) > 1)`,
    parameters: [],
  }),
};

function judged({ taxonomyId, truth }: SearchScope, place: Span): PredictionTruth | null {
  if (!truth) throw lacking('is:right and is:wrong', 'experiment', place);
  return judgeOf(taxonomyId, truth);
}

function oneOf(column: string, values: readonly string[]): SqlCondition {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(values)] };
}

/** The names that a term means. @throws EngineError `bad-input` for one that means none */
function namesOf({ values }: TermOf<'name'>, known: readonly string[], what: string): string[] {
  const folded = known.map((name) => ({ name, text: foldText(name) }));
  const meant = values.flatMap((value) => {
    const match = matcher(value, true);
    const found = folded.filter(({ text }) => match(text));
    if (found.length === 0) throw unknownName(value.text, known, what, value);
    return found.map(({ name }) => name);
  });
  return [...new Set(meant)];
}

/** Names that an error offers at most. */
const OFFERED = 8;

function unknownName(text: string, known: readonly string[], what: string, place: Span): Error {
  const wanted = foldText(text);
  const near = known.filter((name) => foldText(name).includes(wanted));
  const offered = (near.length > 0 ? near : known).slice(0, OFFERED);
  const hint =
    near.length > 0
      ? `Did you mean ${offered.join(', ')}? “*” stands for anything: *${text}*.`
      : offered.length > 0
        ? `There are for example ${offered.join(', ')}.`
        : 'There are none yet.';
  return searchProblem(`No ${what} is called “${text}”.`, hint, place);
}

function requireChosen(term: Extract<SearchTerm, { field: unknown }>, scope: SearchScope): void {
  const { needs } = fieldInfo(term.field);
  if (needs === 'taxonomy' && scope.taxonomyId === null) throw lacking(`“${term.field}”`, needs, term);
  if (needs === 'experiment' && !scope.truth) throw lacking(`“${term.field}”`, needs, term);
}

function lacking(what: string, needed: 'taxonomy' | 'experiment', place: Span): Error {
  const hint =
    needed === 'taxonomy' ? 'Take labels from somewhere first.' : 'Train an experiment first, or choose one.';
  return searchProblem(
    `${what} means nothing without ${needed === 'taxonomy' ? 'a taxonomy' : 'an experiment'}.`,
    hint,
    place,
  );
}
