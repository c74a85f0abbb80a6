/** The labelled vectors that a reduction starts from. */
import * as z from 'zod';
import { id, path, columns } from './shared.ts';

const datasetLabelsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal(['last', 'first']), count: z.int().min(1).max(100_000) }),
  z.strictObject({ kind: z.literal('names'), names: columns.min(1) }),
  z.strictObject({ kind: z.literal('xml'), path }),
]);

/** How a data set file is read. */
export const datasetReadingSchema = z.strictObject({
  labels: datasetLabelsSchema.nullable().default(null),
  /** Feature columns that are left out, by name: identifiers and the like. */
  exclude: columns.default([]),
  /** What to do with rows that miss a value. */
  missing: z.enum(['refuse', 'drop-rows']).default('refuse'),
});

export const corpusSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('library'),
    taxonomyId: id,
    level: z.enum(['track', 'window']).default('track'),
  }),
  z.strictObject({
    kind: z.literal('dataset'),
    path,
    ...datasetReadingSchema.shape,
  }),
]);

export type DatasetReading = z.output<typeof datasetReadingSchema>;

/** Which columns of a data set file are labels; null: as the file itself says (MEKA header, Mulan XML beside it). */
export type DatasetLabels = z.output<typeof datasetLabelsSchema>;

/** Labelled vectors: a taxonomy of the library with its embeddings, or a data set file. */
export type CorpusSource = z.output<typeof corpusSourceSchema>;

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
