import * as z from 'zod';
import { scenarioOf, ScenarioError, type Scenario } from '../../models/deformations/scenario.ts';
import type { DatasetReading } from '../api/corpora.ts';
import type { EvaluationTask } from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';

type Mark = (at: readonly PropertyKey[], message: string) => void;

const datasetTypes = ['folders', 'tokens', 'csv', 'library', 'mirdata', 'file'] as const;
export type DatasetType = (typeof datasetTypes)[number];

export interface PlannedDataset {
  name: string;
  type: DatasetType;
  /** Folder of the audio; of a library its id or name; a file of vectors. */
  dir: string;
  /** File of the labels, for `csv` and `mirdata`. */
  labels: string | null;
  /** File that lists the tracks with their checksums, for `mirdata`. */
  index: string | null;
  /** Name of the taxonomy, for `library`. */
  taxonomy: string | null;
  /** How its columns are read, for `file`. */
  reading: DatasetReading | null;
  scenarios: Scenario[];
  /** Another collection that is tested on when all of this one was learned from; its labels by this one's. */
  testOn: { dataset: PlannedDataset; mapping: Readonly<Record<string, string>> } | null;
}

/** The space of a data set file, which no pack makes. */
export const OWN_VECTORS = 'own';

const text = z.string().min(1).max(4096);
const stepSchema = z.looseObject({ type: text, params: z.record(z.string(), z.unknown()).default({}) });
const count = z.int().min(1).max(100_000);
/** Which columns of a file of vectors are labels: the last so many, the first so many, by name, or as a Mulan XML says. */
const labelColumnsSchema = z.union([
  count,
  z.strictObject({ last: count }),
  z.strictObject({ first: count }),
  z.strictObject({ xml: text }),
  z.array(text).min(1).max(100_000),
]);
const collectionSchema = z.looseObject({
  name: text,
  type: text,
  dir: text.optional(),
  file: text.optional(),
  label_columns: labelColumnsSchema.optional(),
  exclude: z.array(text).max(100_000).optional(),
  missing: z.enum(['refuse', 'drop-rows']).optional(),
  labels: text.optional(),
  index: text.optional(),
  library: text.optional(),
  taxonomy: text.optional(),
});
export const datasetSchema = collectionSchema.extend({
  deformations: z.array(z.array(stepSchema)).nullish(),
  test_on: collectionSchema.extend({ mapping: z.record(text, text).default({}) }).optional(),
});
/** What a collection may say. */
export const collectionKeys = Object.keys(collectionSchema.shape);

const isLabelled = (task: EvaluationTask): boolean => task !== 'mir';

/** How the columns of a file of vectors are read; null for sounds. */
function readingOf(
  { label_columns: columns, exclude = [], missing = 'refuse' }: z.output<typeof collectionSchema>,
  type: DatasetType,
): DatasetReading | null {
  if (type !== 'file') return null;
  const rest = { exclude, missing };
  if (columns === undefined) return { labels: null, ...rest };
  if (typeof columns === 'number') return { labels: { kind: 'last', count: columns }, ...rest };
  if (Array.isArray(columns)) return { labels: { kind: 'names', names: columns }, ...rest };
  if ('xml' in columns) return { labels: { kind: 'xml', path: columns.xml }, ...rest };
  return 'last' in columns
    ? { labels: { kind: 'last', count: columns.last }, ...rest }
    : { labels: { kind: 'first', count: columns.first }, ...rest };
}

/**
 * A data set as a file says it; none where it cannot be run, which is marked.
 * @throws EngineError `bad-input` where it does not say where it is
 */
export function plannedDataset(
  dataset: z.output<typeof datasetSchema>,
  task: EvaluationTask,
  at: readonly PropertyKey[],
  mark: Mark,
): PlannedDataset[] {
  const { name, dir, labels = null, index = null, library, taxonomy = null } = dataset;
  const type = datasetTypes.find((known) => known === dataset.type);
  if (type === 'mirdata' && index === null) {
    mark(
      [...at, 'type'],
      'names no index file of mirdata (`index`, and the table of its `labels`); it is not run.',
    );
    return [];
  }
  if (type === undefined) {
    mark([...at, 'type'], `“${dataset.type}” is no kind of data set that can be read yet; it is not run.`);
    return [];
  }
  if (type === 'file' && task === 'mir') {
    mark([...at, 'type'], 'holds no sound that could be measured; it is not run.');
    return [];
  }
  const where = type === 'library' ? library : type === 'file' ? (dataset.file ?? dir) : dir;
  const missing =
    where === undefined
      ? type === 'library'
        ? 'library'
        : type === 'file'
          ? 'file'
          : 'dir'
      : (type === 'csv' || (type === 'mirdata' && isLabelled(task))) && labels === null
        ? 'labels'
        : type === 'library' && taxonomy === null && isLabelled(task)
          ? 'taxonomy'
          : null;
  if (missing !== null || where === undefined)
    throw new EngineError(
      'bad-input',
      `The data set ${name} says no ${missing ?? 'dir'}.`,
      `Give its ${missing ?? 'dir'} in the file.`,
    );
  const deformations = dataset.deformations ?? [];
  if (type === 'file' && deformations.length > 0)
    mark([...at, 'deformations'], 'A data set file holds no sound; deformations are not run.');
  const scenarios = (type === 'file' ? [] : deformations).flatMap((steps, s) => {
    try {
      const plain = steps.map(({ type: kind, params }) => ({
        type: kind,
        params: Object.fromEntries(
          Object.entries(params).flatMap(([key, value]) =>
            typeof value === 'number' || typeof value === 'string' ? [[key, value] as const] : [],
          ),
        ),
      }));
      return [scenarioOf(plain)];
    } catch (thrown) {
      if (!(thrown instanceof ScenarioError)) throw thrown;
      mark([...at, 'deformations', s], `${thrown.message} It is not run.`);
      return [];
    }
  });
  const plain = {
    name,
    type,
    dir: where,
    labels,
    index,
    taxonomy,
    reading: readingOf(dataset, type),
    scenarios,
  };
  if (dataset.test_on === undefined) return [{ ...plain, testOn: null }];
  if (task !== 'single' && task !== 'multi' && task !== 'key') {
    mark([...at, 'test_on'], 'is for tasks of labels; it is not run.');
    return [];
  }
  const { mapping, ...other } = dataset.test_on;
  const [tested] = plannedDataset(other, task, [...at, 'test_on'], mark);
  return tested ? [{ ...plain, testOn: { dataset: tested, mapping } }] : [];
}
