/** Labelled corpora replaced by generated prototypes. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { corpusSourceSchema } from './corpora.ts';
import type { CorpusSource, Corpus } from './corpora.ts';
import type { WindowRef } from './neighbours.ts';
import { id, nothing, inLibrary, percent } from './shared.ts';
import type { Started } from './shared.ts';
import type { Sonification } from './sonify.ts';
import { classifierSchema, studyRequestSchema } from './studies.ts';
import type {
  KnnScore,
  LabelsetShare,
  Recommendation,
  Study,
  StudyChoices,
  StudyStatistics,
} from './studies.ts';
import type { SpaceInfo } from './spaces.ts';

export interface ReductionScore {
  /** Its title. */
  classifier: string;
  k: number;
  hammingLoss: number;
  exactMatch: number;
  f1Samples: number;
  f1Macro: number;
}

export interface Reduction {
  id: string;
  /** The run in short: “MChen p 10”. */
  name: string;
  taxonomyId: string;
  taxonomyName: string;
  /** Of its prototypes; null for a data set file. */
  space: SpaceInfo | null;
  method: string;
  /** Of its study. */
  seed: number;
  labels: string[];
  corpusRows: number;
  testRows: number;
  prototypeRows: number;
  /** In short; null where nothing was held out. */
  full: ReductionScore | null;
  reduced: ReductionScore | null;
  createdAt: string;
  seconds: number;
  studyId: string;
  source: CorpusSource;
  /** Everything the method was given, defaults filled in. */
  parameters: Record<string, number | string | boolean>;
  /** Per cent of the training labelsets that were exchanged before. */
  noise: number;
  /** Per cent of the training rows, one value per split; the prototypes kept are those of the first. */
  sizes: number[];
  /** Of the reduced set. */
  scores: KnnScore[];
}

export interface GeneratedPrototype {
  index: number;
  labelset: string[];
  clusterSize: number;
  nearest: WindowRef[];
  sonification: Sonification | null;
}

/** One metric of one classifier at one level of noise. */
const questionSchema = z.strictObject({
  metric: z.string().min(1).max(40),
  classifier: classifierSchema,
  k: z.int().min(1).max(101),
  noise: percent,
});

export const reductionsMethods = {
  /** Methods with their parameters, kNN classifiers and metrics: what a study can be made of. */
  'reductions.choices': query<StudyChoices>()(nothing),
  /** What the chosen data is. */
  'reductions.corpus': query<Corpus>()(z.strictObject({ ...inLibrary, source: corpusSourceSchema })),
  /** Many reductions of one corpus, scored with several classifiers, as one job that can go on after it was stopped. */
  'reductions.study': query<Started & { studyId: string }>()(
    z.strictObject({ ...inLibrary, request: studyRequestSchema }),
  ),
  'reductions.continueStudy': query<Started>()(z.strictObject({ ...inLibrary, studyId: id })),
  'reductions.studies': query<Study[]>()(z.strictObject(inLibrary)),
  'reductions.removeStudy': query<null>()(z.strictObject({ ...inLibrary, studyId: id })),
  /** Whether differences are more than chance: over the splits of a study, for one classifier and metric. */
  'reductions.statistics': query<StudyStatistics>()(
    z.strictObject({
      ...inLibrary,
      studyId: id,
      ...questionSchema.shape,
    }),
  ),
  /** The smallest set of a study that costs no more than is allowed, and what every other one would cost. */
  'reductions.recommend': query<Recommendation>()(
    z.strictObject({
      ...inLibrary,
      studyId: id,
      ...questionSchema.shape,
      /** Loss against the whole training data, in the metric's own unit. */
      allowed: z.number().min(0).max(1).default(0.02),
    }),
  ),
  /** Which labelsets of the training data a reduction kept, lost and made up. */
  'reductions.labelsets': query<LabelsetShare[]>()(z.strictObject({ ...inLibrary, reductionId: id })),
  /** Brings back what was removed since the library was opened. */
  'reductions.restore': query<null>()(
    z.strictObject({ ...inLibrary, studyId: id.optional(), reductionId: id.optional() }),
  ),
  /** Of one study, or all. */
  'reductions.list': query<Reduction[]>()(z.strictObject({ ...inLibrary, studyId: id.optional() })),
  'reductions.prototypes': query<GeneratedPrototype[]>()(z.strictObject({ ...inLibrary, reductionId: id })),
  'reductions.remove': query<null>()(z.strictObject({ ...inLibrary, reductionId: id })),
};
