/** Data set files: rows of features with labels. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { datasetReadingSchema } from './corpora.ts';
import { path } from './shared.ts';
import { classifierSchema } from './studies.ts';

/** How well one label was told. */
export interface LabelScore {
  label: string;
  /** Rows that bear it, that were given it, and that were given it rightly. */
  support: number;
  predicted: number;
  hits: number;
  precision: number;
  recall: number;
  f1: number;
  jaccard: number;
}

/** What a kNN that learned from one data set says of another. */
export interface KnnAnswer {
  train: { rows: number; features: number };
  test: { rows: number };
  labels: string[];
  /** By name, in the order of the catalogue of metrics. */
  metrics: Record<string, number>;
  perLabel: LabelScore[];
  /** Wall clock for reading and predicting, processor time of predicting. */
  seconds: { read: number; predict: number; predictProcessor: number };
  warnings: { code: string; message: string; columns: string[] }[];
}

export const datasetsMethods = {
  /** Predicts the labels of one file's rows from the nearest rows of another, and scores the prediction. */
  'datasets.knn': query<KnnAnswer>()(
    z.strictObject({
      train: path,
      test: path,
      classifier: classifierSchema.default('lpknn'),
      /** Neighbours, at most the rows of `train`. */
      k: z.int().min(1).max(1_000_000).default(1),
      metric: z.enum(['euclidean', 'cosine']).default('euclidean'),
      ...datasetReadingSchema.shape,
    }),
  ),
};
