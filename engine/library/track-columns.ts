import type { Column, ColumnName } from '../api/projection.ts';
import type { Database } from '../storage/database.ts';
import type { ExperimentRepository } from './experiments.ts';
import type { LabelRepository } from './labels.ts';
import { judgeOf, verdictOf, type PredictionTruth } from './track-row.ts';

/** What a column is read for. */
export interface ColumnScope {
  taxonomyId: string | null;
  experimentId: string | null;
}

/** A value for each of some tracks. */
interface Values<T> {
  ids: string[];
  values: T[];
}

type Names = Values<readonly string[]>;
type Source =
  { numbers: (scope: ColumnScope) => Values<number | null> } | { names: (scope: ColumnScope) => Names };

/** One fact of all tracks at a time, for what shows very many of them at once. */
export class TrackColumns {
  readonly #db: Database;
  readonly #labels: LabelRepository;
  readonly #experiments: ExperimentRepository;

  constructor(db: Database, labels: LabelRepository, experiments: ExperimentRepository) {
    this.#db = db;
    this.#labels = labels;
    this.#experiments = experiments;
  }

  /** Tracks that have no value are left out. @throws EngineError `not-found` for an unknown experiment */
  read(column: ColumnName, scope: ColumnScope): Column {
    const source = this.#sources[column];
    if ('numbers' in source) {
      const { ids, values } = source.numbers(scope);
      return { kind: 'numbers', trackIds: ids, values: Float32Array.from(values, (value) => value ?? NaN) };
    }
    return coded(source.names(scope));
  }

  readonly #sources: Record<ColumnName, Source> = {
    label: {
      names: ({ taxonomyId }) => (taxonomyId === null ? nothing : this.#namesOf(this.#labels.of(taxonomyId))),
    },
    prediction: { names: ({ experimentId }) => this.#predicted(experimentId) },
    verdict: { names: (scope) => this.#verdicts(scope) },
    probability: { numbers: ({ experimentId }) => this.#scores('probability', experimentId) },
    margin: {
      numbers: ({ experimentId }) =>
        this.#scores('probability - coalesce(second_probability, 0)', experimentId),
    },
    split: { names: ({ experimentId }) => singly(this.#scores<string>('split', experimentId)) },
    artist: { names: () => singly(this.#facts<string>('artist')) },
    album: { names: () => singly(this.#facts<string>('album')) },
    genre: {
      names: () => {
        const { ids, values } = this.#facts<string>(
          `(SELECT group_concat(value, char(31)) FROM json_each(genre))`,
        );
        return { ids, values: values.map((value) => value?.split('\u001f') ?? []) };
      },
    },
    folder: {
      names: () => {
        const { ids, values } = this.#facts<string>('path');
        return { ids, values: values.map((path) => [path?.split('/').slice(0, -1).join('/') || '(top)']) };
      },
    },
    key: { names: () => singly(this.#facts<string>('musical_key')) },
    year: { numbers: () => this.#facts<number>('year') },
    tempo: { numbers: () => this.#facts<number>('bpm') },
    length: { numbers: () => this.#facts<number>('duration_seconds') },
  };

  // As texts: a hundred thousand rows would each have to cross from the driver on their own.
  #columnsOf<T>(sql: string, parameters: readonly (string | number)[] = []): Values<T | null> {
    const row = this.#db
      .prepare<{ ids: string; list: string }>(
        `SELECT json_group_array(id) AS ids, json_group_array(value) AS list FROM (${sql})`,
      )
      .get(parameters);
    // Made by SQLite from columns of one type.
    return {
      ids: JSON.parse(row?.ids ?? '[]') as string[],
      values: JSON.parse(row?.list ?? '[]') as (T | null)[],
    };
  }

  #facts<T>(expression: string): Values<T | null> {
    return this.#columnsOf(`SELECT id, ${expression} AS value FROM tracks WHERE kind = 'file'`);
  }

  #scores<T = number>(expression: string, experimentId: string | null): Values<T | null> {
    if (experimentId === null) return { ids: [], values: [] };
    return this.#columnsOf(
      `SELECT track_id AS id, ${expression} AS value FROM cache.predictions WHERE experiment_id = ?`,
      [experimentId],
    );
  }

  #namesOf(byTrack: ReadonlyMap<string, readonly string[]>): Names {
    return { ids: [...byTrack.keys()], values: [...byTrack.values()] };
  }

  #predicted(experimentId: string | null): Names {
    if (experimentId === null) return nothing;
    const top = singly(this.#scores<string>('class', experimentId));
    if (!this.#experiments.truthOf(experimentId).multilabel) return top;
    const several = this.#several(experimentId);
    return { ids: top.ids, values: top.ids.map((id) => several.get(id) ?? []) };
  }

  /** Labels at or above their thresholds, the most probable first. */
  #several(experimentId: string): Map<string, string[]> {
    const { ids, values } = this.#columnsOf<string>(
      `SELECT track_id AS id, label AS value FROM cache.predicted_labels WHERE experiment_id = ?
        ORDER BY track_id, probability DESC, label`,
      [experimentId],
    );
    const labels = new Map<string, string[]>();
    ids.forEach((id, i) => {
      const label = values[i];
      if (label == null) return;
      const known = labels.get(id);
      if (known) known.push(label);
      else labels.set(id, [label]);
    });
    return labels;
  }

  #verdicts({ taxonomyId, experimentId }: ColumnScope): Names {
    if (experimentId === null) return nothing;
    const judge: PredictionTruth | null = judgeOf(taxonomyId, this.#experiments.truthOf(experimentId));
    if (judge === null) return nothing;
    const labels = this.#labels.of(judge.taxonomyId);
    const { ids, values } = this.#predicted(experimentId);
    return {
      ids,
      values: values.map((answers, i) => {
        const { correct } = verdictOf(answers, labels.get(ids[i] ?? '') ?? [], judge);
        return correct === null ? [] : [correct ? 'correct' : 'wrong'];
      }),
    };
  }
}

const nothing: Names = { ids: [], values: [] };

function singly({ ids, values }: Values<string | null>): Names {
  return { ids, values: values.map((value) => (value === null || value === '' ? [] : [value])) };
}

/** Names by number, the first and the second of each track. */
function coded({ ids, values }: Names): Column {
  const numbers = new Map<string, number>();
  const numberOf = (name: string | undefined): number => {
    if (name === undefined) return -1;
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const first = Int32Array.from(values, (names) => numberOf(names[0]));
  const several = values.some((names) => names.length > 1);
  const second = several ? Int32Array.from(values, (names) => numberOf(names[1])) : null;
  return { kind: 'names', trackIds: ids, names: [...numbers.keys()], first, second };
}
