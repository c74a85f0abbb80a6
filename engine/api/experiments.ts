/** Training, and the experiments that came of it. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { distinct, id, label, seed, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';
import { viewsRequestSchema, type ViewsReport } from './views.ts';

const splitSchema = z
  .strictObject({
    train: z.number().gt(0).max(1),
    validation: z.number().min(0).lt(1),
    test: z.number().min(0).lt(1),
  })
  .refine((s) => Math.abs(s.train + s.validation + s.test - 1) < 1e-6, 'the split must sum to 1');

/** Kinds of the prototype loss. */
export const prototypeLosses = ['class', 'two-sided'] as const;
/** Whether numbers of prototypes have weights of their own. */
export const channelWeightings = ['none', 'learned'] as const;

/** Defaults are the ones the window and the command line offer. */
export const trainRequestSchema = z.strictObject({
  taxonomyId: id,
  /** Single label: the first label of a labelset is the class (folders, first token). */
  task: z.enum(['single', 'multi']).default('single'),
  prototypesPerClass: z.int().min(1).max(100).default(5),
  steps: z.int().min(1).max(200_000).default(1500),
  batchSize: z.int().min(1).max(4096).default(256),
  learningRate: z.number().gt(0).max(10).default(0.01),
  /** λ: weight of the classification loss against the prototype loss, 0…1. */
  lambda: z.number().min(0).max(1).default(0.25),
  /**
   * What the prototype loss draws together: every prototype and the nearest window of its class (`class`); or every prototype and
   * the nearest window of any class, and every window and the nearest prototype (`two-sided`, APNet's).
   */
  prototypeLoss: z.enum(prototypeLosses).default('class'),
  /** Of the two-sided loss the share of the windows' side, 0…1. */
  coverage: z.number().min(0).max(1).default(0.5),
  /** `learned`: every number of every prototype has a weight in the distance, learned with it (APNet). */
  channelWeights: z.enum(channelWeightings).default('none'),
  temperature: z.number().gt(0).max(10).default(0.1),
  adaptor: z.enum(['none', 'transformer']).default('none'),
  /** Where prototypes start: at k-means centroids of their class, or at the window nearest to each. */
  initialisation: z.enum(['kmeans', 'medoid']).default('kmeans'),
  /** `nearest`: trained prototypes are moved onto the nearest training window of their class. */
  projection: z.enum(['none', 'nearest']).default('none'),
  seed: seed.default(1),
  split: splitSchema.default({ train: 0.7, validation: 0.1, test: 0.2 }),
  /** Groups that never cross the split. */
  groupBy: z.enum(['track', 'artist', 'album', 'folder']).default('track'),
  /** Classes with fewer labelled tracks are left out, and named in the result. */
  minimumTracks: z.int().min(1).max(1_000_000).default(5),
  /** Only these; null: all of the taxonomy that have enough tracks. */
  classes: z
    .array(label)
    .min(1)
    .max(10_000)
    .refine(distinct, 'a class is named twice')
    .nullable()
    .default(null),
  /** Labelled tracks that bear none of `classes`: they take no part, or are one class together (a single-label task only). */
  others: z.enum(['leave-out', 'one-class']).default('leave-out'),
  /** Several spaces that are looked at together; null: the space the library is seen in. */
  views: viewsRequestSchema.nullable().default(null),
});

export type SplitName = 'train' | 'validation' | 'test';

export type TrainRequest = z.output<typeof trainRequestSchema>;

export interface CurvePoint {
  step: number;
  loss: number;
  classLoss: number;
  prototypeLoss: number;
  /** Share of right answers about windows (multilabel: of right label decisions). */
  trainAccuracy: number;
  /** Multilabel: micro F1 about windows, labels predicted from ½ on; null else, and where an earlier version trained. */
  trainMicroF1: number | null;
  validationLoss: number | null;
  /** As `trainAccuracy`, about whole tracks. */
  validationAccuracy: number | null;
  /** As `trainMicroF1`, about whole tracks. */
  validationMicroF1: number | null;
  /** The network after this step was kept; null where an earlier version trained. */
  kept: boolean | null;
}

export interface ClassReport {
  class: string;
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

export interface Metrics {
  split: SplitName;
  tracks: number;
  /** Share of tracks whose answer is right: of one class, or of exactly all labels (exact match, subset accuracy). */
  accuracy: number;
  /** Mean recall over the classes that occur. */
  balancedAccuracy: number;
  macroF1: number;
  /** Multilabel: F1 of all label decisions together; null else, and where an earlier version scored. */
  microF1: number | null;
  /** Multilabel: mean over tracks of the F1 of their labels; null as `microF1`. */
  samplesF1: number | null;
  /** Accuracy of always answering the most frequent training class (multilabel: set of labels), on the same tracks. */
  majorityBaseline: number;
  perClass: ClassReport[];
  /** Rows: true class; columns: predicted class. Single label only, else empty. */
  confusion: number[][];
  /** Share of wrong label decisions. Multilabel only. */
  hammingLoss: number | null;
}

/** From which probability on a label of a multilabel experiment is predicted. */
export interface LabelThreshold {
  /** 0…1 */
  value: number;
  /**
   * `validation`: of best F1 on the tracks of the validation part; `shared`: of best F1 there for all labels together that
   * fewer than 3 validation tracks bear, or lack; `default`: ½, as even those are too few; `hand`: set by a person.
   */
  source: 'validation' | 'shared' | 'default' | 'hand';
}

export interface Experiment {
  id: string;
  name: string;
  taxonomyId: string;
  taxonomyName: string;
  /** Its prototypes are vectors of this space, and it decides about vectors of this space only; of several views the first. */
  space: SpaceInfo;
  /** Null where it looks at one space. */
  views: ViewsReport | null;
  parameters: TrainRequest;
  classes: string[];
  /** Classes left out for want of tracks. */
  droppedClasses: string[];
  counts: Record<SplitName, { tracks: number; windows: number }>;
  /** Of the newest revision, in the order of `classes`; null for a single-label task. */
  thresholds: LabelThreshold[] | null;
  metrics: Metrics[];
  curve: CurvePoint[];
  /** 1 for the trained network, +1 for every edit of its prototypes or thresholds. */
  revision: number;
  /** What a person wrote about it; empty where nobody did. */
  notes: string;
  /** A person wants it before all others in lists. */
  pinned: boolean;
  createdAt: string;
  seconds: number;
}

const description = {
  name: z.string().trim().min(1).max(200),
  notes: z.string().max(10_000),
  pinned: z.boolean(),
};

export const experimentsMethods = {
  /** Newest first. */
  'experiments.list': query<Experiment[]>()(z.strictObject(inLibrary)),
  'experiments.get': query<Experiment>()(z.strictObject({ ...inLibrary, experimentId: id })),
  'experiments.remove': query<null>()(z.strictObject({ ...inLibrary, experimentId: id })),
  /** Names, annotates or pins; what is left out stays. */
  'experiments.describe': query<Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, ...z.strictObject(description).partial().shape }),
  ),
  /** Sets the threshold of a label by hand: a new revision, re-scored; `prototypes.restore` undoes it. */
  'experiments.setThreshold': query<Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, class: label, value: z.number().gt(0).lt(1) }),
  ),
  /** Chooses all thresholds on the validation tracks again: a new revision. */
  'experiments.chooseThresholds': query<Experiment>()(z.strictObject({ ...inLibrary, experimentId: id })),
  'experiments.train': query<Started>()(z.strictObject({ ...inLibrary, request: trainRequestSchema })),
};
