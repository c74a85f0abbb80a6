/** Evaluations: tasks × spaces × deformations × probes, from a file that mir_ref's configuration is. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, nothing, path, seed } from './shared.ts';
import type { Started } from './shared.ts';

/**
 * Steps of an evaluation: `deform` measures the deformations on test audio, `extract` makes the vectors, `train` scores on
 * clean audio, `evaluate` on deformed audio too; `conduct` is all of it.
 */
export const evaluationSteps = ['deform', 'extract', 'train', 'evaluate', 'conduct'] as const;

/**
 * What is learned: one label of each track, several, its key, a number, or what is measured of its sound (`mir`: loudness,
 * tempo, onset density, key strength, chroma, MFCC).
 */
export const evaluationTasks = ['single', 'multi', 'key', 'regression', 'mir'] as const;
export type EvaluationTask = (typeof evaluationTasks)[number];

/** What stays together in a split, besides copies of one recording. */
export const evaluationGroups = ['track', 'folder', 'artist', 'album'] as const;
export type EvaluationGroup = (typeof evaluationGroups)[number];

/** How metrics of one target of the sound begin: “R² of chroma”. */
export const targetMetric = 'R² of ';
/** In the unit of the labels; every other metric is a share of 1. */
export const absoluteMetric = 'mean absolute error';

/** Mean and interval as people read them: percent, or the labels’ own unit. */
export function scoreText({
  metric,
  mean,
  interval,
}: Pick<EvaluationRow, 'metric' | 'mean' | 'interval'>): string {
  const text =
    metric === absoluteMetric
      ? (value: number): string => value.toPrecision(3)
      : (value: number): string => (100 * value).toFixed(1);
  return `${text(mean)}${interval === null ? '' : ` ± ${text(interval)}`}`.replaceAll('-', '−');
}

/**
 * How good a score is among those of its metric, for the depth of a colour: the best 1, the worst 0. R² below 0, however far, is
 * worse than the mean of the training tracks, and counts as 0: one of them would leave no difference between all others.
 */
export function shareOfBest(
  { metric, mean }: Pick<EvaluationRow, 'metric' | 'mean'>,
  means: readonly number[],
): number {
  const bounded = (value: number): number => (metric === absoluteMetric ? -value : Math.max(0, value));
  const all = means.map(bounded);
  const low = all.reduce((least, value) => Math.min(least, value), Infinity);
  const high = all.reduce((most, value) => Math.max(most, value), -Infinity);
  return high > low ? (bounded(mean) - low) / (high - low) : 1;
}

const evaluationId = z
  .string()
  .length(16)
  .regex(/^[0-9a-f]{16}$/, 'not an evaluation');

export type EvaluationStep = (typeof evaluationSteps)[number];

/** A part of the file that is kept and not understood, or not run. */
export interface EvaluationMark {
  /** Where it stands: “experiments[0].features[2]”. */
  at: string;
  message: string;
}

/** One line of the table: the mean over seeds and splits. */
export interface EvaluationRow {
  dataset: string;
  space: string;
  probe: string;
  /** “clean”, or the deformations in order. */
  deformation: string;
  metric: string;
  mean: number;
  /**
   * Half the width of the 95 % interval: of the mean over runs (Student's t), null for one run; where every run tested the same
   * tracks, of accuracy over those tracks (Wilson), and null for all else.
   */
  interval: number | null;
  runs: number;
  /** Test tracks of all runs together. */
  tested: number;
}

/** How much two spaces share on the clean tracks of a data set. */
export interface EvaluationSimilarity {
  dataset: string;
  first: string;
  second: string;
  /** Debiased linear CKA of track embeddings: 1 the same but for rotation and scale, about 0 unrelated. */
  cka: number | null;
  /** Spearman’s correlation of the cosine distances between all pairs of tracks, −1…1. */
  rsa: number | null;
  /** How many were compared. */
  tracks: number;
}

export interface EvaluationTable {
  evaluationId: string;
  name: string;
  /** The file that made it. */
  text: string;
  marks: EvaluationMark[];
  rows: EvaluationRow[];
  /** Each pair of spaces; none before a run was brought to its end. */
  similarities: EvaluationSimilarity[];
  /** Cells there are, and all there should be. */
  cells: number;
  planned: number;
  /** The application and the packs that made it. */
  madeBy: { version: string; packs: { id: string; version: string; sha256: string }[] };
}

/** The file of an evaluation: where it is, or what it says. */
const fileSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path }),
  z.strictObject({
    kind: z.literal('text'),
    name: z.string().min(1).max(200),
    content: z.string().min(1).max(1_000_000),
  }),
]);
const placesSchema = z.record(z.string().min(1).max(1000), path);

/** An evaluation that was begun. */
export interface EvaluationSummary {
  evaluationId: string;
  /** What its file is called. */
  name: string;
  /** When it was last begun or gone on with: ISO 8601. */
  at: string;
  /** Cells there are, and all there should be. */
  cells: number;
  planned: number;
}

/** What a file would run. */
export interface EvaluationFileInfo {
  name: string;
  text: string;
  marks: EvaluationMark[];
  experiments: {
    task: EvaluationTask;
    groupBy: EvaluationGroup;
    datasets: { name: string; type: string; deformations: string[] }[];
    spaces: string[];
    probes: string[];
    seeds: number;
    /** How often tracks are held out for each seed. */
    splits: number;
  }[];
  /** Folders and files that it names and that are not there; `places` says where they are. */
  missing: string[];
}

/** How often each of two spaces told a track right. */
export interface EvaluationFlip {
  path: string;
  /** It can be heard: no row of a data set file. */
  sounds: boolean;
  /** What it bears. */
  truth: string[];
  /** What was said of it, in the first run that tested it. */
  first: string[];
  second: string[];
  runs: number;
  firstRight: number;
  secondRight: number;
}

/** Scores of each label: F1 of classes, average precision of labels. */
export interface EvaluationClasses {
  labels: string[];
  spaces: string[];
  /** `[space][label]`, the mean over runs; null where it was not defined in any. */
  values: (number | null)[][];
}

/** One column of the grid under one deformation. */
const columnOf = {
  evaluationId,
  dataset: z.string().min(1).max(4096),
  probe: z.string().min(1).max(400),
  deformation: z.string().min(1).max(4096),
};

/** Kinds of probes that a form offers; their settings are the usual ones. */
export const formProbes = ['knn', 'mlknn', 'linear', 'classifier', 'prototypes', 'head', 'ridge'] as const;

/** Deformations that a form offers, each with one value. */
export const formDeformations = [
  { type: 'AddGaussianSNR', title: 'Noise', unit: 'dB SNR', usual: 15, low: -20, high: 60 },
  { type: 'Gain', title: 'Gain', unit: 'dB', usual: -12, low: -60, high: 40 },
  { type: 'ClippingDistortion', title: 'Clipping', unit: '% clipped', usual: 20, low: 0, high: 90 },
  { type: 'Mp3Compression', title: 'MP3', unit: 'kbit/s', usual: 32, low: 8, high: 320 },
  { type: 'PitchShift', title: 'Pitch shift', unit: 'semitones', usual: 1, low: -12, high: 12 },
] as const;

const formSoundsSchema = z.discriminatedUnion('kind', [
  /** Null: no labels, as for what is measured. */
  z.strictObject({ kind: z.literal('library'), libraryId: id, taxonomyId: id.nullable() }),
  /** Sub-folders, or words of file names, are the labels. */
  z.strictObject({ kind: z.enum(['folders', 'tokens']), name: z.string().min(1).max(200) }),
  /** A data set file with vectors of its own; null: it says itself which columns are labels. */
  z.strictObject({
    kind: z.literal('file'),
    name: z.string().min(1).max(200),
    labels: z
      .union([
        z.strictObject({ last: z.int().min(1).max(100_000) }),
        z.strictObject({ first: z.int().min(1).max(100_000) }),
        /** A Mulan XML, by its name in the file. */
        z.strictObject({ xml: z.string().min(1).max(200) }),
      ])
      .nullable(),
  }),
]);

const formSchema = z.strictObject({
  name: z.string().min(1).max(200),
  task: z.enum(evaluationTasks),
  groupBy: z.enum(evaluationGroups).default('track'),
  dataset: formSoundsSchema,
  /** Another collection that is tested on when all of the first was learned from; null: parts of the first. */
  testOn: z
    .strictObject({
      sounds: formSoundsSchema,
      /** Labels of the first by those of this one; others count as they are. */
      mapping: z.record(z.string().min(1).max(400), z.string().min(1).max(400)),
    })
    .nullable()
    .default(null),
  deformations: z
    .array(
      z.strictObject({
        type: z.enum(formDeformations.map(({ type }) => type)),
        value: z.number().min(-1000).max(1000),
      }),
    )
    .max(20),
  spaces: z.array(z.string().min(1).max(200)).min(1).max(100),
  /** Also looks at groups of the numbers of hand-made spaces alone. */
  groups: z.boolean().default(false),
  /** Also looks at the blocks inside the networks of the spaces, each as a space. */
  layers: z.boolean().default(false),
  probes: z.array(z.enum(formProbes)).min(1).max(formProbes.length),
  seeds: z.array(seed).min(1).max(100),
  folds: z.int().min(2).max(50),
  windows: z.union([z.literal('all'), z.int().min(1).max(10_000)]),
});
export type EvaluationForm = z.input<typeof formSchema>;

export const evaluationFormats = ['csv', 'latex', 'yaml', 'svg'] as const;
export type EvaluationFormat = (typeof evaluationFormats)[number];

export const evaluationsMethods = {
  /** Those that were begun, the newest first. */
  'evaluations.list': query<EvaluationSummary[]>()(nothing),
  /** What a file would run, before it is. */
  'evaluations.read': query<EvaluationFileInfo>()(
    z.strictObject({ file: fileSchema, places: placesSchema.default({}) }),
  ),
  /** The file that a form stands for: mir_ref’s YAML. */
  'evaluations.compose': query<{ text: string }>()(formSchema),
  /** Goes on with one that was begun, with the places it was begun with. */
  'evaluations.resume': query<Started>()(
    z.strictObject({
      evaluationId,
      /** Whether the workers of the queue make what vectors are missing; left out: as it was begun. */
      overQueue: z.boolean().optional(),
    }),
  ),
  /** Forgets its cells; vectors are kept, and its file and audio are not touched. */
  'evaluations.remove': query<null>()(z.strictObject({ evaluationId })),
  'evaluations.classes': query<EvaluationClasses>()(z.strictObject(columnOf)),
  /** Tracks that one space tells right more often than another, those that differ most first. */
  'evaluations.flips': query<EvaluationFlip[]>()(
    z.strictObject({ ...columnOf, first: z.string().min(1).max(200), second: z.string().min(1).max(200) }),
  ),
  /** URL under which the window may play a track of a task. */
  'evaluations.audioUrl': query<{ url: string }>()(
    z.strictObject({
      evaluationId,
      dataset: z.string().min(1).max(4096),
      track: z.string().min(1).max(4096),
    }),
  ),
  /** Writes the table, or the file that it was made by, as a new file. @throws `bad-input` where it is there already */
  'evaluations.export': query<null>()(
    z.strictObject({ evaluationId, format: z.enum(evaluationFormats), file: path }),
  ),
  /** The table, what deformations cost and what spaces know, as SVG. */
  'evaluations.picture': query<{ svg: string }>()(z.strictObject({ evaluationId })),
  /** Writes a picture that the window drew of one as a new file. @throws `bad-input` where it is there already, or is no PNG */
  'evaluations.savePng': query<null>()(
    z.strictObject({ png: z.base64().min(1).max(50_000_000), file: path }),
  ),
  /** Writes what a form or a file says as a new file. @throws `bad-input` where it is there already */
  'evaluations.save': query<null>()(
    z.strictObject({ content: z.string().min(1).max(1_000_000), file: path }),
  ),
  /** Goes on where an earlier run of the same file ended. */
  'evaluations.run': query<Started>()(
    z.strictObject({
      file: fileSchema,
      step: z.enum(evaluationSteps).default('conduct'),
      /** The workers of the queue that is connected make the vectors. */
      overQueue: z.boolean().default(false),
      /** Where the folders that the file names are, by the name it gives them. */
      places: placesSchema.default({}),
    }),
  ),
  'evaluations.table': query<EvaluationTable>()(z.strictObject({ evaluationId })),
};
