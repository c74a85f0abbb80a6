/** What the engine tells about the data a reduction starts from, and about studies that compare many reductions. */

/** Which columns of a data set file are labels; null: as the file itself says (MEKA header, Mulan XML beside it). */
export type DatasetLabels =
  | { kind: 'last' | 'first'; count: number }
  | { kind: 'names'; names: string[] }
  | { kind: 'xml'; path: string };

/** Labelled vectors: a taxonomy of the library with its embeddings, or a data set file. */
export type CorpusSource =
  | { kind: 'library'; taxonomyId: string; level: 'track' | 'window' }
  | {
      kind: 'dataset';
      path: string;
      labels: DatasetLabels | null;
      /** Feature columns that are left out, by name: identifiers and the like. */
      exclude: string[];
    };

export interface CorpusLabel {
  name: string;
  /** Rows that bear the label. */
  rows: number;
  /** IRLbl: rows of the most frequent label / rows of this one; 1 for a label nobody bears (golden SPEC §8). */
  imbalance: number;
}

/** Something about the data that a person should know before reducing it. */
export interface CorpusWarning {
  code: string;
  message: string;
  hint: string;
  /** Feature columns it is about; they can be excluded. */
  columns: string[];
}

/** What the data is. */
export interface Corpus {
  source: CorpusSource;
  /** Taxonomy or file name. */
  name: string;
  rows: number;
  /** Numbers per row. */
  dim: number;
  /** In the order of the label columns. */
  labels: CorpusLabel[];
  /** Mean of IRLbl over labels. */
  meanImbalance: number;
  /** Mean labelset size. */
  cardinality: number;
  /** Cardinality / number of labels, 0…1. */
  density: number;
  /** Every row bears exactly one label. */
  oneLabel: boolean;
  /** Distinct labelsets, and those borne by one row only. */
  labelsets: number;
  singleLabelsets: number;
  /** Library: tracks or windows left out because they have no label. Data set: rows with an empty labelset, kept. */
  unlabelled: number;
  /** Rows whose vector occurred before, and those of them whose labelset differs from the first's. */
  duplicates: number;
  conflicting: number;
  /** Why generated prototypes of this corpus make no sound; null when they do. */
  silent: string | null;
  warnings: CorpusWarning[];
}

export type KnnClassifierId = 'brknn-a' | 'brknn-b' | 'lpknn' | 'mlknn';

/** How rows are held out for scoring. Copies of a recording and windows of a track never part. */
export type StudySplit =
  | { kind: 'holdout'; test: number; repeats: number }
  | { kind: 'folds'; folds: number; repeats: number }
  /** Data sets only: the whole source is reduced and scored on this file, which has the same columns. */
  | { kind: 'file'; path: string };

export interface StudyRequest {
  source: CorpusSource;
  runs: { method: string; parameters: Record<string, number | string | boolean> }[];
  classifiers: KnnClassifierId[];
  /** Numbers of neighbours. */
  k: number[];
  /** Per cent of the training labelsets that are exchanged; 0 is none. */
  noise: number[];
  split: StudySplit;
  seed: number;
}

/** Scores of one kNN classifier. */
export interface KnnScore {
  classifier: KnnClassifierId;
  /** As asked; a set of fewer rows was asked for all of them. */
  k: number;
  /** By metric, one value per split. */
  metrics: Record<string, number[]>;
  /** F1 of every label in the order of the labels, mean over splits. */
  labelF1: number[];
}

/** Scores of the whole training data, the reference of a study. */
export interface FullScore {
  noise: number;
  scores: KnnScore[];
}

/** A labelset with the rows of the corpus and the generated prototypes that bear exactly it. */
export interface LabelsetShare {
  labelset: string[];
  rows: number;
  prototypes: number;
}

/** A run that its method refused. */
export interface StudyFailure {
  method: string;
  parameters: Record<string, number | string | boolean>;
  noise: number;
  message: string;
  hint: string;
}

export interface Study {
  id: string;
  name: string;
  /** `stopped`: cancelled or interrupted; what was finished is kept, and it can go on. */
  state: 'running' | 'done' | 'stopped';
  jobId: string | null;
  request: StudyRequest;
  corpus: Corpus;
  splits: { train: number; test: number }[];
  full: FullScore[];
  /** Reductions this study comes to when it is done, and how many are there. */
  planned: number;
  finished: number;
  failures: StudyFailure[];
  createdAt: string;
  seconds: number;
}

/** A number or a choice that a reduction method takes. */
export type MethodParameter =
  | {
      kind: 'number';
      name: string;
      title: string;
      /** Exclusive lower and inclusive upper end. */
      above: number;
      atMost: number;
      default: number;
      unit: string;
    }
  | {
      kind: 'choice';
      name: string;
      title: string;
      options: readonly { value: string; title: string }[];
      default: string;
    };

export interface MethodInfo {
  id: string;
  title: string;
  description: string;
  kind: 'generation' | 'baseline';
  /** Whether the seed changes the result. */
  seeded: boolean;
  /** Whether every row must bear exactly one label. */
  oneLabel: boolean;
  parameters: MethodParameter[];
}

export interface MetricInfo {
  id: string;
  title: string;
  hint: string;
  lowerIsBetter: boolean;
}

/** What a study can be made of. */
export interface StudyChoices {
  methods: MethodInfo[];
  classifiers: { id: KnnClassifierId; title: string; description: string }[];
  metrics: MetricInfo[];
}

/**
 * Whether differences between reductions are more than chance, over the splits of a study. Folds of one corpus share
 * rows, so that the tests are optimistic.
 */
export interface StudyStatistics {
  splits: number;
  /** Best mean rank first; `reductionId` null is the whole training data. */
  entries: {
    reductionId: string | null;
    mean: number;
    /** Sample standard deviation over splits; 0 for one split. */
    deviation: number;
    rank: number;
    /** Wilcoxon's signed-rank test against the whole training data, corrected after Holm; null for itself. */
    pValue: number | null;
  }[];
  /** Friedman's test in the form of Iman and Davenport, with Nemenyi's critical difference of mean ranks at 0.05. */
  friedman: { pValue: number; criticalDifference: number } | null;
}
