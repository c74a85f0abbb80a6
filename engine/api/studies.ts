/** Studies: many reductions of one corpus, scored with several classifiers. */
import * as z from 'zod';
import { corpusSourceSchema } from './corpora.ts';
import type { Corpus } from './corpora.ts';
import { path, distinct, percent, seed } from './shared.ts';

export const classifierSchema = z.enum(['brknn-a', 'brknn-b', 'lpknn', 'mlknn']);

const studySplitSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('holdout'),
    test: z.number().gt(0).lt(1).default(0.3),
    repeats: z.int().min(1).max(100).default(1),
  }),
  z.strictObject({
    kind: z.literal('folds'),
    folds: z.int().min(2).max(50).default(5),
    repeats: z.int().min(1).max(20).default(1),
  }),
  /** Data sets only: the whole source is reduced and scored on this file, which has the same columns. */
  z.strictObject({ kind: z.literal('file'), path }),
  /** Data sets only: the whole source is reduced, and nothing scored. */
  z.strictObject({ kind: z.literal('none') }),
]);

export const studyRequestSchema = z.strictObject({
  source: corpusSourceSchema,
  runs: z
    .array(
      z.strictObject({
        method: z.string().min(1).max(40),
        parameters: z
          .record(z.string().max(40), z.union([z.number(), z.string().max(100), z.boolean()]))
          .refine((all) => Object.keys(all).length <= 20, 'too many parameters')
          .default({}),
      }),
    )
    .min(1)
    .max(500)
    .refine((runs) => distinct(runs.map((run) => JSON.stringify(run))), 'a run is asked for twice'),
  classifiers: z
    .array(classifierSchema)
    .min(1)
    .max(classifierSchema.options.length)
    .refine(distinct, 'a classifier is named twice')
    .default(['lpknn']),
  /** Numbers of neighbours. */
  k: z.array(z.int().min(1).max(101)).min(1).max(20).refine(distinct, 'a k is named twice').default([1]),
  /** Per cent of the training labelsets that are exchanged; 0 is none. */
  noise: z.array(percent).min(1).max(20).refine(distinct, 'a noise level is named twice').default([0]),
  split: studySplitSchema.default({ kind: 'holdout', test: 0.3, repeats: 1 }),
  seed: seed.default(1),
});

export type KnnClassifierId = z.output<typeof classifierSchema>;

/** How rows are held out for scoring. Copies of a recording and windows of a track never part. */
export type StudySplit = z.output<typeof studySplitSchema>;

export type StudyRequest = z.output<typeof studyRequestSchema>;

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

/** A labelset with the rows of the training data and the generated prototypes that bear exactly it. */
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
  /** null: of a version that did not keep it. */
  corpus: Corpus | null;
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

/** What a search for the smallest set tries: sizes in per cent, on so many splits. */
export const searchedSizes: readonly number[] = [1, 2, 5, 10, 20, 30, 50];
export const SEARCHED_SPLITS = 4;

/** A reduced set as a candidate for the whole. Losses in the metric's own unit; negative: better than the whole. */
export interface RecommendedSet {
  reductionId: string;
  name: string;
  /** Of the first split. */
  prototypes: number;
  /** Per cent of the training rows, mean over splits. */
  size: number;
  /** On the splits that choose. */
  chosenLoss: number;
  /** On the splits that judge. */
  value: number;
  loss: number;
  /** Names of the labels that no prototype bears, and how many labels there are. */
  lostLabels: string[];
  labels: number;
  /** Costs no more than is allowed, and bears a label. */
  within: boolean;
}

/** The smallest set that costs no more than is allowed. */
export interface Recommendation {
  /** Value of the whole training data on the splits that judge. */
  whole: number;
  /** Other splits judge than chose; with a single split the figures flatter. */
  independent: boolean;
  /** null: none is good enough. */
  chosen: string | null;
  /** Smallest first. */
  sets: RecommendedSet[];
}
