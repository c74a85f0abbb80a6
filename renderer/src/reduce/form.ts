import type { Corpus, CorpusSource, DatasetLabels } from '../../../engine/api/corpora.ts';
import {
  SEARCHED_SPLITS,
  searchedSizes,
  type KnnClassifierId,
  type MethodInfo,
  type StudyRequest,
} from '../../../engine/api/studies.ts';

/** What the person has set for the next study. */
export interface StudyForm {
  source: 'library' | 'dataset';
  level: 'track' | 'window';
  path: string | null;
  labels: 'auto' | 'last' | 'first' | 'xml';
  labelCount: number;
  labelsPath: string | null;
  exclude: string[];
  /** Methods that are left out; all others take part. */
  off: string[];
  /** Values of p for every method that takes it, per cent. */
  sizes: number[];
  /** Other parameters by name, for every method that takes them: the values that are tried. */
  values: Record<string, (number | string)[]>;
  classifiers: KnnClassifierId[];
  k: number[];
  noise: boolean;
  split: StudyRequest['split']['kind'];
  test: number;
  repeats: number;
  folds: number;
  testPath: string | null;
  seed: number;
}

export const formDefaults: StudyForm = {
  source: 'library',
  level: 'track',
  path: null,
  labels: 'auto',
  labelCount: 1,
  labelsPath: null,
  exclude: [],
  off: [],
  sizes: [10, 30, 50, 70, 90],
  values: {},
  classifiers: ['lpknn', 'brknn-a', 'mlknn'],
  k: [1],
  noise: false,
  split: 'holdout',
  test: 0.3,
  repeats: 1,
  folds: 5,
  testPath: null,
  seed: 1,
};

/** Every method at sizes from small on, on several splits: what a recommendation is made from. */
export const searchSettings: Pick<StudyForm, 'off' | 'sizes' | 'split' | 'repeats'> = {
  off: [],
  sizes: [...searchedSizes],
  split: 'holdout',
  repeats: SEARCHED_SPLITS,
};

const TABLES: readonly string[] = ['csv', 'tsv', 'tab', 'txt'];
/** What names of data set files end in. */
export const DATASET_EXTENSIONS = ['arff', ...TABLES, 'gz', 'npz', 'parquet'];

/**
 * Which columns are labels when a file is chosen: as set before, unless it is of another format than the file before. A CSV
 * table cannot say it itself.
 */
export function labelsFor(path: string, form: Pick<StudyForm, 'path' | 'labels'>): StudyForm['labels'] {
  const format = (file: string): string => file.toLowerCase().replace(/\.gz$/, '').split('.').at(-1) ?? '';
  const kept = form.path === null || format(form.path) === format(path) ? form.labels : 'auto';
  return kept === 'auto' && TABLES.includes(format(path)) ? 'last' : kept;
}

/** The levels of the noise switch: those of the published comparison. */
const noiseLevels = [0, 20, 40];

/** The data the form names, or null while something is missing. */
export function sourceOf(form: StudyForm, taxonomyId: string | null): CorpusSource | null {
  if (form.source === 'library')
    return taxonomyId === null ? null : { kind: 'library', taxonomyId, level: form.level };
  if (form.path === null) return null;
  const labels = labelsOf(form);
  if (labels === undefined) return null;
  return { kind: 'dataset', path: form.path, labels, exclude: form.exclude, missing: 'refuse' };
}

function labelsOf(form: StudyForm): DatasetLabels | null | undefined {
  if (form.labels === 'auto') return null;
  if (form.labels === 'xml')
    return form.labelsPath === null ? undefined : { kind: 'xml', path: form.labelsPath };
  return { kind: form.labels, count: form.labelCount };
}

/** Methods that can work on the data: some need rows of one label each. */
export function usableMethods(methods: readonly MethodInfo[], corpus: Corpus | null): MethodInfo[] {
  return methods.filter(({ oneLabel }) => !oneLabel || corpus?.oneLabel === true);
}

/** Every combination of the parameters of the methods that take part, in the order of the methods. */
export function runsOf(form: StudyForm, methods: readonly MethodInfo[]): StudyRequest['runs'] {
  return methods
    .filter(({ id }) => !form.off.includes(id))
    .flatMap(({ id, parameters }) =>
      parameters
        .reduce<Record<string, number | string>[]>(
          (grid, { name }) =>
            grid.flatMap((one) =>
              valuesOf(form, id, name, methods).map((value) => ({ ...one, [name]: value })),
            ),
          [{}],
        )
        .map((one) => ({ method: id, parameters: one })),
    );
}

/** The values of a parameter that are tried. */
export function valuesOf(
  form: StudyForm,
  method: string,
  name: string,
  methods: readonly MethodInfo[],
): (number | string)[] {
  if (name === 'p') return form.sizes;
  const known = methods
    .find(({ id }) => id === method)
    ?.parameters.find((parameter) => parameter.name === name);
  return form.values[name] ?? (known ? [known.default] : []);
}

/** What the engine is asked to do, or null while something is missing. */
export function requestOf(
  form: StudyForm,
  methods: readonly MethodInfo[],
  taxonomyId: string | null,
): StudyRequest | null {
  const source = sourceOf(form, taxonomyId);
  const runs = runsOf(form, methods);
  const split = splitOf(form);
  if (!source || !split || runs.length === 0 || form.classifiers.length === 0 || form.k.length === 0)
    return null;
  const { classifiers, k, seed } = form;
  return { source, runs, classifiers, k, noise: form.noise ? noiseLevels : [0], split, seed };
}

function splitOf(form: StudyForm): StudyRequest['split'] | null {
  const { test, repeats, folds, testPath } = form;
  if (form.split === 'holdout') return { kind: 'holdout', test, repeats };
  if (form.split === 'folds') return { kind: 'folds', folds, repeats };
  return testPath === null || form.source === 'library' ? null : { kind: 'file', path: testPath };
}

/** What a request comes to: reduction runs, and scores of a classifier. */
export function estimate({ runs, noise, classifiers, k, split }: StudyRequest): {
  runs: number;
  scores: number;
} {
  const repeats = 'repeats' in split ? split.repeats : 1;
  const splits = repeats * (split.kind === 'folds' ? split.folds : 1);
  const each = noise.length * splits;
  return { runs: runs.length * each, scores: (runs.length + 1) * each * classifiers.length * k.length };
}

/** “10, 30 50” → [10, 30, 50], without repetitions; null when something is no number of the range. */
export function numbersOf(
  text: string,
  range: { above: number; atMost: number; whole?: boolean },
): number[] | null {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const values = words.map(Number);
  const fits = (value: number): boolean =>
    value > range.above && value <= range.atMost && (range.whole !== true || Number.isInteger(value));
  return values.length > 0 && values.every(fits) ? [...new Set(values)] : null;
}
