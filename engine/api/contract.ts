/**
 * The engine API: one typed map of methods. Inputs are schemas and are parsed at the boundary, wherever a call comes from;
 * outputs are types. A *query* answers once; a *stream* answers many times until it ends or the caller aborts.
 * Long work is a job: the method answers with the job's id at once, progress and result arrive through `events` and `jobs.*`.
 */
import { z } from 'zod';
import { query, stream } from '../wire/index.ts';
import type {
  CallContext,
  Client,
  HandlersOf,
  InputOf,
  MethodOf,
  OutputOf,
  ParsedInputOf,
  QueryOf,
  StreamOf,
} from '../wire/index.ts';
import type * as domain from './domain.ts';
import { classifierSchema, corpusSourceSchema, studyRequestSchema } from './study-input.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'not an identifier');
const path = z.string().min(1).max(4096);
const seed = z.int().min(0).max(0xffffffff);
const nothing = z.strictObject({});
const inLibrary = { libraryId: id };
interface Started {
  jobId: string;
}

export const taxonomySourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folders') }),
  z.strictObject({ kind: z.literal('tokens') }),
  z.strictObject({ kind: z.literal('tags'), field: z.enum(['genre', 'artist', 'album', 'year', 'key']) }),
  z.strictObject({ kind: z.literal('csv'), path }),
  z.strictObject({ kind: z.literal('hand') }),
]) satisfies z.ZodType<domain.TaxonomySource>;

const splitSchema = z
  .strictObject({
    train: z.number().gt(0).max(1),
    validation: z.number().min(0).lt(1),
    test: z.number().min(0).lt(1),
  })
  .refine((s) => Math.abs(s.train + s.validation + s.test - 1) < 1e-6, 'the split must sum to 1');

const packOriginSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('files'), paths: z.array(path).min(1).max(8) }),
  z.strictObject({ kind: z.literal('hub'), id: z.string().min(1).max(512) }),
]) satisfies z.ZodType<domain.PackOrigin>;

const packChoicesSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a pack is named with small letters, digits, - and _')
    .optional(),
  title: z.string().trim().min(1).max(200).optional(),
  windowSeconds: z.number().min(0.1).max(60).optional(),
  encoderHeads: z.int().min(1).max(256).optional(),
  heads: z.int().min(1).max(256).optional(),
  precision: z.enum(['float32', 'float16', 'int8']).default('float32'),
}) satisfies z.ZodType<domain.PackChoices>;

export const packAdditionSchema = z.strictObject({
  origin: packOriginSchema,
  choices: packChoicesSchema.prefault({}),
  accepted: z.array(z.string().max(512)).max(32).default([]),
});

/** Defaults are the ones the window and the command line offer. */
export const trainRequestSchema = z.strictObject({
  taxonomyId: id,
  task: z.enum(['single', 'multi']).default('single'),
  prototypesPerClass: z.int().min(1).max(100).default(5),
  steps: z.int().min(1).max(200_000).default(1500),
  batchSize: z.int().min(1).max(4096).default(256),
  learningRate: z.number().gt(0).max(10).default(0.01),
  lambda: z.number().min(0).max(1).default(0.25),
  temperature: z.number().gt(0).max(10).default(0.1),
  adaptor: z.enum(['none', 'transformer']).default('none'),
  initialisation: z.enum(['kmeans', 'medoid']).default('kmeans'),
  projection: z.enum(['none', 'nearest']).default('none'),
  seed: seed.default(1),
  split: splitSchema.default({ train: 0.7, validation: 0.1, test: 0.2 }),
  groupBy: z.enum(['track', 'artist', 'album', 'folder']).default('track'),
  minimumTracks: z.int().min(1).max(1_000_000).default(5),
}) satisfies z.ZodType<domain.TrainRequest>;

export const reductionRequestSchema = z.strictObject({
  taxonomyId: id,
  level: z.enum(['track', 'window']).default('track'),
  method: z.string().min(1).max(40).default('MChen'),
  percent: z.number().gt(0).max(100).default(10),
  k: z.int().min(1).max(101).default(1),
  seed: seed.default(1),
  split: splitSchema.default({ train: 0.7, validation: 0, test: 0.3 }),
}) satisfies z.ZodType<domain.ReductionRequest>;

export const vectorRefSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('track'), trackId: id }),
  z.strictObject({ kind: z.literal('window'), trackId: id, windowIndex: z.int().min(0) }),
  z.strictObject({ kind: z.literal('prototype'), experimentId: id, index: z.int().min(0) }),
  z.strictObject({ kind: z.literal('generated'), reductionId: id, index: z.int().min(0) }),
]) satisfies z.ZodType<domain.VectorRef>;

export const windowsSchema = z.union([z.literal('all'), z.int().min(1).max(10_000)]);
export const exportFormatSchema = z.enum([
  'csv',
  'npz',
  'parquet',
  'mulan',
  'meka',
  'json',
  'onnx',
  'wav',
  'm3u8',
]) satisfies z.ZodType<domain.ExportFormat>;
/** The kNN classifier of a reduction that is exported. */
export const exportClassifierSchema = z.strictObject({
  classifier: classifierSchema,
  k: z.int().min(1).max(101),
});

export const trackQuerySchema = z.strictObject({
  ...inLibrary,
  taxonomyId: id.nullable().default(null),
  experimentId: id.nullable().default(null),
  search: z.string().max(400).default(''),
  filter: z
    .strictObject({
      state: z.enum(['pending', 'ready', 'failed', 'missing']).optional(),
      label: z.string().optional(),
      predicted: z.string().optional(),
      errorsOnly: z.boolean().optional(),
      trackIds: z.array(id).max(100_000).optional(),
    })
    .default({}),
  sort: z
    .enum([
      'path',
      'title',
      'artist',
      'album',
      'duration',
      'windows',
      'label',
      'prediction',
      'probability',
      'state',
    ])
    .default('path'),
  descending: z.boolean().default(false),
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(1000).default(200),
});

export const contract = {
  'app.info': query<domain.AppInfo>()(nothing),
  events: stream<domain.EngineEvent>()(nothing),

  'libraries.list': query<domain.LibrarySummary[]>()(nothing),
  /** Opens the library of a folder; the first time it is created. Import does not start by itself. */
  'libraries.open': query<domain.LibrarySummary>()(
    z.strictObject({
      folder: path,
      name: z.string().min(1).max(200).optional(),
      /** Left out: as the library has it; a new library embeds all windows. */
      windows: windowsSchema.optional(),
      /** Left out: as the library has it; a new library takes the embedded compact pack. */
      packId: id.optional(),
    }),
  ),
  'libraries.openDemo': query<domain.LibrarySummary>()(nothing),
  'libraries.get': query<domain.LibrarySummary>()(z.strictObject(inLibrary)),
  /** Points a library at a folder that moved; tracks are recognised by their content. */
  'libraries.relink': query<domain.LibrarySummary>()(z.strictObject({ ...inLibrary, folder: path })),
  /** Deletes Archetone's own data about a library; never an audio file. */
  'libraries.remove': query<null>()(z.strictObject(inLibrary)),

  'import.start': query<Started>()(z.strictObject(inLibrary)),

  'tracks.list': query<domain.TrackPage>()(trackQuerySchema),
  'tracks.get': query<domain.TrackDetail>()(
    z.strictObject({
      ...inLibrary,
      trackId: id,
      taxonomyId: id.nullable().default(null),
      experimentId: id.nullable().default(null),
    }),
  ),
  'tracks.peaks': query<domain.Peaks | null>()(z.strictObject({ ...inLibrary, trackId: id })),
  /** URL under which the window may play the track; formats it cannot play are given as WAV. */
  'tracks.audioUrl': query<{ url: string }>()(z.strictObject({ ...inLibrary, trackId: id })),

  'taxonomies.list': query<domain.Taxonomy[]>()(z.strictObject(inLibrary)),
  'taxonomies.create': query<domain.Taxonomy>()(
    z.strictObject({
      ...inLibrary,
      source: taxonomySourceSchema,
      name: z.string().min(1).max(200).optional(),
    }),
  ),
  'taxonomies.remove': query<null>()(z.strictObject({ ...inLibrary, taxonomyId: id })),
  /** Sets the labels of tracks by hand; answers with what they were, which undoes the change when set again. */
  'labels.set': query<{ previous: { trackId: string; labels: string[] }[] }>()(
    z.strictObject({
      ...inLibrary,
      taxonomyId: id,
      changes: z
        .array(z.strictObject({ trackId: id, labels: z.array(z.string().min(1).max(200)).max(1000) }))
        .min(1)
        .max(100_000),
    }),
  ),

  'experiments.list': query<domain.Experiment[]>()(z.strictObject(inLibrary)),
  'experiments.get': query<domain.Experiment>()(z.strictObject({ ...inLibrary, experimentId: id })),
  'experiments.remove': query<null>()(z.strictObject({ ...inLibrary, experimentId: id })),
  'experiments.train': query<Started>()(z.strictObject({ ...inLibrary, request: trainRequestSchema })),
  /** Classifies every embedded track of the library and stores the predictions. */
  'classify.library': query<Started>()(z.strictObject({ ...inLibrary, experimentId: id })),
  /** Classifies files that need not be in the library; the result is in the job. */
  'classify.files': query<Started>()(
    z.strictObject({ ...inLibrary, experimentId: id, paths: z.array(path).min(1).max(100_000) }),
  ),
  'classify.windows': query<domain.WindowClasses>()(
    z.strictObject({ ...inLibrary, experimentId: id, trackId: id }),
  ),
  'explain.track': query<domain.Explanation>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      trackId: id,
      class: z.string().nullable().default(null),
      windowIndex: z.int().min(0).nullable().default(null),
    }),
  ),

  'prototypes.list': query<domain.PrototypeInfo[]>()(z.strictObject({ ...inLibrary, experimentId: id })),
  /** Deletes prototypes: a new revision of the experiment, re-scored; `prototypes.restore` undoes it. */
  'prototypes.remove': query<domain.Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, index: z.int().min(0) }),
  ),
  /** Makes a window of the library a prototype of a class: a new revision. */
  'prototypes.add': query<domain.Experiment>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      class: z.string(),
      trackId: id,
      windowIndex: z.int().min(0),
    }),
  ),
  /** Goes back to an earlier revision. */
  'prototypes.restore': query<domain.Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, revision: z.int().min(1) }),
  ),
  /** Sonifies vectors of the embedding space; steps and guidance default to the pack's. */
  'sonify.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      targets: z.array(vectorRefSchema).min(1).max(10_000),
      seed: seed.default(1),
      steps: z.int().min(1).max(1000).optional(),
      guidance: z.number().min(0).max(20).optional(),
    }),
  ),
  'neighbours.query': query<domain.WindowRef[]>()(
    z.strictObject({
      ...inLibrary,
      target: vectorRefSchema,
      level: z.enum(['track', 'window']).default('track'),
      k: z.int().min(1).max(1000).default(10),
      metric: z.enum(['euclidean', 'cosine']).default('euclidean'),
    }),
  ),
  /** What in the library sounds like a file that need not be in it. */
  'neighbours.file': query<domain.WindowRef[]>()(
    z.strictObject({
      ...inLibrary,
      path,
      level: z.enum(['track', 'window']).default('track'),
      k: z.int().min(1).max(1000).default(10),
      metric: z.enum(['euclidean', 'cosine']).default('euclidean'),
    }),
  ),
  'projection.compute': stream<domain.ProjectionEvent>()(
    z.strictObject({
      ...inLibrary,
      method: z.enum(['pca', 'umap']).default('pca'),
      level: z.enum(['track', 'window']).default('track'),
      experimentId: id.nullable().default(null),
      /** Its generated prototypes are placed on the map of its corpus, in place of an experiment's. */
      reductionId: id.nullable().default(null),
      seed: seed.default(1),
    }),
  ),

  'reductions.methods': query<domain.ReductionMethodInfo[]>()(nothing),
  /** Methods with their parameters, kNN classifiers and metrics: what a study can be made of. */
  'reductions.choices': query<domain.StudyChoices>()(nothing),
  /** What the chosen data is. */
  'reductions.corpus': query<domain.Corpus>()(z.strictObject({ ...inLibrary, source: corpusSourceSchema })),
  /** Many reductions of one corpus, scored with several classifiers, as one job that can go on after it was stopped. */
  'reductions.study': query<Started & { studyId: string }>()(
    z.strictObject({ ...inLibrary, request: studyRequestSchema }),
  ),
  'reductions.continueStudy': query<Started>()(z.strictObject({ ...inLibrary, studyId: id })),
  'reductions.studies': query<domain.Study[]>()(z.strictObject(inLibrary)),
  'reductions.removeStudy': query<null>()(z.strictObject({ ...inLibrary, studyId: id })),
  /** Whether differences are more than chance: over the splits of a study, for one classifier and metric. */
  'reductions.statistics': query<domain.StudyStatistics>()(
    z.strictObject({
      ...inLibrary,
      studyId: id,
      metric: z.string().min(1).max(40),
      classifier: classifierSchema,
      k: z.int().min(1).max(101),
      noise: z.number().min(0).max(100),
    }),
  ),
  /** Which labelsets of the corpus a reduction kept, lost and made up. */
  'reductions.labelsets': query<domain.LabelsetShare[]>()(z.strictObject({ ...inLibrary, reductionId: id })),
  /** Brings back what was removed since the library was opened. */
  'reductions.restore': query<null>()(
    z.strictObject({ ...inLibrary, studyId: id.optional(), reductionId: id.optional() }),
  ),
  'reductions.start': query<Started>()(z.strictObject({ ...inLibrary, request: reductionRequestSchema })),
  /** Of one study; null: those made alone; left out: all. */
  'reductions.list': query<domain.Reduction[]>()(
    z.strictObject({ ...inLibrary, studyId: id.nullable().optional() }),
  ),
  'reductions.prototypes': query<domain.GeneratedPrototype[]>()(
    z.strictObject({ ...inLibrary, reductionId: id }),
  ),
  'reductions.remove': query<null>()(z.strictObject({ ...inLibrary, reductionId: id })),

  'exports.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      subject: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('experiment'), experimentId: id }),
        z.strictObject({ kind: z.literal('reduction'), reductionId: id }),
      ]),
      /** The bundle is written to this folder, which must not exist or be empty. */
      folder: path,
      formats: z
        .array(exportFormatSchema)
        .min(1)
        .default([...exportFormatSchema.options]),
      seed: seed.default(1),
      /** Reductions: left out, the classifier it was scored with first. */
      classifier: exportClassifierSchema.optional(),
    }),
  ),

  'packs.list': query<domain.PackInfo[]>()(nothing),
  'packs.verify': query<Started>()(z.strictObject({ packId: id })),
  /** Models of the hub that have a short name. */
  'packs.hub': query<domain.HubModelInfo[]>()(nothing),
  /** Says what a pack from these files, or this model of the hub, would be; writes nothing. */
  'packs.inspect': query<domain.PackProposal>()(
    z.strictObject({ origin: packOriginSchema, choices: packChoicesSchema.prefault({}) }),
  ),
  /** Downloads what is to be downloaded and converts it; `accepted` names the terms that the person accepts. */
  'packs.add': query<Started>()(packAdditionSchema),
  /** Deletes the files of a pack that was added. What was computed with it stays. */
  'packs.remove': query<null>()(z.strictObject({ packId: id })),
  'providers.check': query<Started>()(z.strictObject({ packId: id.default('compact') })),
  'providers.list': query<domain.ProviderInfo[]>()(nothing),

  'jobs.list': query<domain.Job[]>()(nothing),
  'jobs.get': query<domain.Job>()(z.strictObject({ jobId: id })),
  'jobs.cancel': query<null>()(z.strictObject({ jobId: id })),
  'jobs.pause': query<null>()(z.strictObject({ jobId: id })),
  /** Puts a waiting job first in its lane; one that can go on later makes room for it at once. */
  'jobs.first': query<null>()(z.strictObject({ jobId: id })),
  'jobs.resume': query<null>()(z.strictObject({ jobId: id })),
  /** Forgets finished jobs. */
  'jobs.clear': query<null>()(nothing),
} as const;

export type Contract = typeof contract;
export type Method = MethodOf<Contract>;
export type QueryMethod = QueryOf<Contract>;
export type StreamMethod = StreamOf<Contract>;

/** What a caller writes (defaults may be left out). */
export type Input<M extends Method> = InputOf<Contract, M>;
/** What a handler gets (defaults filled in). */
export type ParsedInput<M extends Method> = ParsedInputOf<Contract, M>;
export type Output<M extends Method> = OutputOf<Contract, M>;

/** What the engine implements. */
export type Handlers = HandlersOf<Contract>;
/** What a shell holds: the same over every transport. */
export type EngineClient = Client<Contract>;
export type { CallContext };
