import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';

/**
 * Which columns are labels. `names` and `xml` name them; the order of the file's own columns is kept. A single column may
 * hold the class of each row, which then becomes one label per class.
 */
export type LabelChoice =
  | { kind: 'last' | 'first'; count: number }
  | { kind: 'names'; names: readonly string[] }
  | { kind: 'xml'; path: string };

export interface ReadDatasetOptions {
  /**
   * Where it is left out, the file must tell: a Mulan XML of the same name, a MEKA header, or the columns of a table or
   * archive that Archetone wrote itself.
   */
  labels?: LabelChoice | undefined;
  /** Columns that are neither features nor labels; they may hold any text. */
  exclude?: readonly string[] | undefined;
  /** What to do with rows that miss a value; `refuse` by default. */
  missing?: 'refuse' | 'drop-rows' | undefined;
  signal?: AbortSignal | undefined;
}

export type DatasetWarningCode =
  /** Columns whose values name the row rather than describe it; they ruin every distance. */
  | 'id-like'
  /** Features with one single value. */
  | 'constant'
  /** Rows with exactly the features of an earlier row. */
  | 'duplicate-rows'
  | 'unused-label'
  /** Labels that every row bears. */
  | 'universal-label'
  | 'unlabelled-rows'
  | 'one-row'
  /** Nominal features with more than two values, which became the index of the value. */
  | 'nominal-coded'
  /** Text or date attributes, left out. */
  | 'text-excluded'
  /** The index of a table (pandas, R), left out. */
  | 'index-excluded'
  /** One class per row, which became one label per class. */
  | 'class-numbers'
  /** Names inside the file that cannot be read. */
  | 'names-unread'
  /** Rows left out because a value is missing. */
  | 'rows-dropped'
  /** A MEKA header that the XML (or the caller) overrules. */
  | 'header-overruled'
  | 'weights-ignored';

/** Something the user should know before trusting a result. */
export interface DatasetWarning {
  code: DatasetWarningCode;
  message: string;
  /** Columns concerned, by name, the first hundred. */
  columns?: string[];
}

/** A multilabel data set as read from a file. Features are float64, nominal ones the index of the declared value. */
export interface Dataset extends LabelledVectors {
  /** Relation name, or the file's name without extension. */
  name: string;
  features: Float64Array;
  featureNames: string[];
  /** Whether the file gives each row its class, which became one label per class. */
  classPerRow: boolean;
  /** Values of the first excluded column when they differ from row to row; else null. */
  rowIds: string[] | null;
  warnings: DatasetWarning[];
}

/** What the writers take: a data set, or prototypes in its form. */
export interface WritableSet extends LabelledVectors {
  name: string;
  /** `dim` names. */
  featureNames: readonly string[];
}
