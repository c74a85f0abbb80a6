/**
 * What the engine tells its shells. Plain data only: everything here crosses a MessagePort by structured clone.
 * Words are those of the glossary (docs/glossary.md): library, track, window, embedding, taxonomy, labelset,
 * prototype, experiment, sonification, reduction, contribution.
 */
import type { EngineErrorData } from './errors.ts';
import type { CorpusSource, KnnScore } from './studies.ts';

export type * from './studies.ts';

/** The embedding space something was made in: what identifies a vector besides its track. */
export interface SpaceInfo {
  /** 32 hexadecimal digits that name it, the same everywhere. */
  key: string;
  /** What its pack is called; empty when nobody knows any more. */
  packId: string;
  /** Content hash of the pack; empty while the pack has never been there. */
  packSha256: string;
  /** Which windows of a track are embedded: all of them, or N evenly spaced. */
  windows: 'all' | number;
  /** How the audio is changed before it is embedded; null: not at all. */
  deformation: string | null;
}

export interface LibrarySummary {
  id: string;
  name: string;
  /** Music folders, opened read-only. */
  folders: string[];
  /** Where the library's own databases live. */
  dataFolder: string;
  packId: string;
  /** Which windows of a track are embedded: all of them, or N evenly spaced. */
  windows: 'all' | number;
  /** The embedding space the library is seen in; null when its database cannot be opened. */
  space: SpaceInfo | null;
  tracks: { total: number; ready: number; failed: number; pending: number; missing: number };
  windowCount: number;
  durationSeconds: number;
  isDemo: boolean;
  createdAt: string;
  openedAt: string;
}

export type TrackState = 'pending' | 'ready' | 'failed' | 'missing';

export interface Prediction {
  class: string;
  /** Softmax (single label) or sigmoid (multilabel) of the track logit, 0…1. */
  probability: number;
  /** Whether the predicted class equals the label; null where the track has no label. */
  correct: boolean | null;
  split: SplitName | null;
}

export interface TrackRow {
  id: string;
  /** Path relative to its library folder, with forward slashes. */
  path: string;
  title: string;
  artist: string | null;
  album: string | null;
  genre: string[];
  format: string | null;
  durationSeconds: number | null;
  windowCount: number;
  state: TrackState;
  /** Why a track failed; null when it did not. */
  problem: EngineErrorData | null;
  /** Labels in the taxonomy asked for. */
  labels: string[];
  /** Of the experiment asked for. */
  prediction: Prediction | null;
}

export interface TrackDetail extends TrackRow {
  absolutePath: string;
  contentHash: string | null;
  sampleRate: number | null;
  channels: number | null;
  bytes: number;
  year: number | null;
  bpm: number | null;
  musicalKey: string | null;
  comment: string | null;
  coverUrl: string | null;
  /** Other tracks with the same content. */
  duplicates: string[];
  windows: { index: number; startSeconds: number; durationSeconds: number }[];
}

export interface Peaks {
  /** Interleaved minimum and maximum, −1…1. */
  values: Float32Array;
  perSecond: number;
  durationSeconds: number;
}

export type TaxonomySource =
  | { kind: 'folders' }
  | { kind: 'tokens' }
  | { kind: 'tags'; field: 'genre' | 'artist' | 'album' | 'year' | 'key' }
  | { kind: 'csv'; path: string }
  | { kind: 'hand' };

export interface Taxonomy {
  id: string;
  name: string;
  source: TaxonomySource;
  /** Sorted by descending count, then name. `tracks` counts labelled tracks of any state. */
  labels: { name: string; tracks: number }[];
  /** True when some track has more than one label. */
  multilabel: boolean;
  labelledTracks: number;
  /** Rows of the source that matched no track (CSV), for the user to see. */
  unmatched: number;
}

export type SplitName = 'train' | 'validation' | 'test';

export interface TrainRequest {
  taxonomyId: string;
  /** Single label: the first label of a labelset is the class (folders, first token). */
  task: 'single' | 'multi';
  prototypesPerClass: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  /** λ: weight of the classification loss against the prototype loss, 0…1. */
  lambda: number;
  temperature: number;
  adaptor: 'none' | 'transformer';
  /** Where prototypes start: at k-means centroids of their class, or at the window nearest to each. */
  initialisation: 'kmeans' | 'medoid';
  /** `nearest`: trained prototypes are moved onto the nearest training window of their class. */
  projection: 'none' | 'nearest';
  seed: number;
  split: { train: number; validation: number; test: number };
  /** Groups that never cross the split. */
  groupBy: 'track' | 'artist' | 'album' | 'folder';
  /** Classes with fewer labelled tracks are left out, and named in the result. */
  minimumTracks: number;
}

export interface CurvePoint {
  step: number;
  loss: number;
  classLoss: number;
  prototypeLoss: number;
  trainAccuracy: number;
  validationLoss: number | null;
  validationAccuracy: number | null;
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
  accuracy: number;
  balancedAccuracy: number;
  macroF1: number;
  /** Accuracy of always answering the most frequent training class, on the same tracks. */
  majorityBaseline: number;
  perClass: ClassReport[];
  /** Rows: true class; columns: predicted class. Single label only, else empty. */
  confusion: number[][];
  /** Multilabel only. */
  hammingLoss: number | null;
}

export interface Experiment {
  id: string;
  name: string;
  taxonomyId: string;
  taxonomyName: string;
  /** Its prototypes are vectors of this space, and it decides about vectors of this space only. */
  space: SpaceInfo;
  parameters: TrainRequest;
  classes: string[];
  /** Classes left out for want of tracks. */
  droppedClasses: string[];
  counts: Record<SplitName, { tracks: number; windows: number }>;
  metrics: Metrics[];
  curve: CurvePoint[];
  /** 1 for the trained network, +1 for every edit of its prototypes. */
  revision: number;
  createdAt: string;
  seconds: number;
}

export interface WindowRef {
  trackId: string;
  windowIndex: number;
  startSeconds: number;
  /** Euclidean distance in the embedding space. */
  distance: number;
  title: string;
  path: string;
}

export interface Sonification {
  id: string;
  url: string;
  seed: number;
  steps: number;
  guidance: number;
  durationSeconds: number;
  /** Root-mean-square level of the sound file, dB re full scale. */
  rmsDbfs: number;
  /** How far a quiet sound was raised so that it can be heard, dB; 0 when it was left as the decoder made it. */
  gainDb: number;
  /** Cosine between the vector and the embedding of its sound, −1…1. */
  cycleCosine: number;
}

export interface PrototypeInfo {
  index: number;
  class: string;
  /** Training windows whose nearest prototype this is. */
  support: number;
  /** Share of those windows that carry this prototype's class, 0…1; null when support is 0. */
  purity: number | null;
  /** Weight towards every class, in the order of `Experiment.classes`. */
  weights: number[];
  nearest: WindowRef[];
  sonification: Sonification | null;
}

export interface Contribution {
  prototype: number;
  prototypeClass: string;
  similarity: number;
  weight: number;
  contribution: number;
}

/** bias + Σ contributions = logit (to 1e-5). */
export interface Explanation {
  trackId: string;
  experimentId: string;
  class: string;
  /** null: mean over all windows of the track. */
  windowIndex: number | null;
  bias: number;
  logit: number;
  probability: number;
  contributions: Contribution[];
  scores: { class: string; logit: number; probability: number }[];
}

export interface WindowClasses {
  startSeconds: number[];
  durationSeconds: number;
  classes: string[];
  /** Index into `classes` per window. */
  prediction: number[];
  /** [windows, classes] row-major. */
  probabilities: Float32Array;
}

export interface FileClassification {
  path: string;
  problem: EngineErrorData | null;
  prediction: string | null;
  scores: { class: string; logit: number; probability: number }[];
  contributions: Contribution[];
  windows: { startSeconds: number; class: string; probability: number }[];
}

/** What a vector of the embedding space stands for. */
export type VectorRef =
  | { kind: 'track'; trackId: string }
  | { kind: 'window'; trackId: string; windowIndex: number }
  | { kind: 'prototype'; experimentId: string; index: number }
  | { kind: 'generated'; reductionId: string; index: number };

export interface ProjectionPoint {
  /** `row`: of a data set file. */
  kind: 'track' | 'window' | 'row' | 'prototype';
  /** Track id, row number, or index of a prototype of the experiment or reduction asked for, as text. */
  id: string;
  windowIndex: number | null;
}

export interface Projection {
  method: 'pca' | 'umap';
  level: 'track' | 'window';
  /** Of what is laid out; null for a data set file. */
  space: SpaceInfo | null;
  x: Float32Array;
  y: Float32Array;
  points: ProjectionPoint[];
  /** Share of the 10 nearest neighbours kept by the projection, 0…1. */
  trust: number;
  /** PCA only: share of the variance along each axis. */
  explained: [number, number] | null;
}

export type ProjectionEvent =
  { type: 'progress'; done: number; total: number } | { type: 'result'; projection: Projection };

export interface ReductionMethodInfo {
  id: string;
  title: string;
  description: string;
  /** Whether the method takes a size in per cent. */
  takesPercent: boolean;
}

export interface ReductionScore {
  /** Its title. */
  classifier: string;
  k: number;
  hammingLoss: number;
  exactMatch: number;
  f1Samples: number;
  f1Macro: number;
}

export interface ReductionRequest {
  taxonomyId: string;
  level: 'track' | 'window';
  method: string;
  /** Size in per cent of the corpus, above 0 up to 100. */
  percent: number;
  k: number;
  seed: number;
  split: { train: number; validation: number; test: number };
}

export interface Reduction {
  id: string;
  /** The run in short: “MChen p 10”. */
  name: string;
  taxonomyId: string;
  taxonomyName: string;
  /** Of its prototypes; null for a data set file. */
  space: SpaceInfo | null;
  request: ReductionRequest;
  labels: string[];
  corpusRows: number;
  testRows: number;
  prototypeRows: number;
  full: ReductionScore;
  reduced: ReductionScore;
  createdAt: string;
  seconds: number;
  /** null: made alone. */
  studyId: string | null;
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

/** What a bundle can hold; `onnx` is the classifier, `parquet` the table that embedding-atlas opens. */
export type ExportFormat = 'csv' | 'npz' | 'parquet' | 'mulan' | 'meka' | 'json' | 'onnx' | 'wav' | 'm3u8';

export interface ExportResult {
  folder: string;
  files: { path: string; bytes: number; sha256: string }[];
}

export interface PackInfo {
  id: string;
  version: string;
  title: string;
  kind: 'generative' | 'embedding-only';
  licence: string;
  attribution: string;
  folder: string;
  sha256: string;
  bytes: number;
  sampleRate: number;
  windowSeconds: number;
  embeddingDim: number;
  sampler: { steps: number; guidance: number } | null;
  trainingStatement: string;
  /** Measured figures of the quality card, flattened to name and value. */
  quality: { name: string; value: number | string }[];
  embedded: boolean;
  /** Why an embedding-only pack makes no sound; null for generative packs. */
  soundless: string | null;
  /** Files that the pack was converted from. */
  sources: { file: string; sha256: string; bytes: number; url: string | null }[];
}

/** Where a new pack comes from: files on this machine, or a model of the hub, which is downloaded. */
export type PackOrigin = { kind: 'files'; paths: string[] } | { kind: 'hub'; id: string };

/** What the weights of a model do not tell, said by the person; left out, configuration and defaults decide. */
export interface PackChoices {
  id?: string | undefined;
  title?: string | undefined;
  windowSeconds?: number | undefined;
  encoderHeads?: number | undefined;
  heads?: number | undefined;
  /** Of the weights of encoder and denoiser; what the reduced ones change is measured and stands on the pack's card. */
  precision?: PackPrecision | undefined;
}

/** How the weights of encoder and denoiser are kept; `float32` is what was published. */
export type PackPrecision = 'float32' | 'float16' | 'int8';

/** Terms under which a model was published; they must be accepted before it is added. */
export interface PackTerms {
  id: string;
  subject: string;
  licence: string;
  url: string;
}

/** What adding a pack would do. */
export interface PackProposal {
  /** Each with the model it was recognised as; null where that shows only after the download. */
  files: { name: string; model: string | null }[];
  terms: PackTerms[];
  /** Assumptions and warnings, a sentence each. */
  notes: string[];
  /** Null where nothing is downloaded, or a server does not say. */
  downloadBytes: number | null;
  /** The pack to be; null where that shows only after the download. */
  pack: {
    id: string;
    title: string;
    kind: PackInfo['kind'];
    windowSeconds: number;
    embeddingDim: number;
    soundless: string | null;
  } | null;
}

/** A model of the hub that can be asked for by a short name. */
export interface HubModelInfo {
  id: string;
  title: string;
}

export interface ProviderInfo {
  provider: string;
  available: boolean;
  correct: boolean | null;
  maxAbsDifference: number | null;
  windowsPerSecond: number | null;
  chosen: boolean;
  message: string;
}

export type PackVerification = {
  packId: string;
  ok: boolean;
  problems: { file: string; message: string; hint: string }[];
};

export type JobKind =
  | 'import'
  | 'train'
  | 'classify'
  | 'sonify'
  | 'reduce'
  | 'study'
  | 'export'
  | 'check-providers'
  | 'verify-pack'
  | 'add-pack'
  | 'embed';

/**
 * What a job needs, and who waits for it: `listen` a person who wants to hear or see one thing now, `compute` the
 * processor for long, `import` the decoders, `network` a download. Jobs of one lane wait for each other; `listen` goes
 * before the next batch of every other lane.
 */
export const jobLanes = ['listen', 'compute', 'import', 'network'] as const;
export type JobLane = (typeof jobLanes)[number];

/** What a queued job waits for. */
export interface WaitingFor {
  lane: JobLane;
  /** The job that has the lane, and its title. */
  jobId: string;
  title: string;
  /** Waiting jobs that come before this one. */
  ahead: number;
  /** Until its turn; null where nobody knows. */
  seconds: number | null;
}

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

export interface JobProgress {
  done: number;
  /** 0 while not known. */
  total: number;
  /** What is being counted: files, steps, prototypes … */
  unit: string;
  /** The thing being worked on, e.g. a path. */
  current: string;
  windows: number;
  failures: number;
  /** Seconds of audio processed per second of wall time; null where it makes no sense. */
  audioSecondsPerSecond: number | null;
  etaSeconds: number | null;
}

export interface Job {
  id: string;
  kind: JobKind;
  title: string;
  lane: JobLane;
  libraryId: string | null;
  /** Name of the library when the job was started. */
  libraryName: string | null;
  state: JobState;
  /** Null unless queued behind another job. */
  waitingFor: WaitingFor | null;
  progress: JobProgress;
  error: EngineErrorData | null;
  /** Set when done. */
  result: JobResult | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

export type JobResult =
  | {
      kind: 'import';
      imported: number;
      unchanged: number;
      failed: number;
      missing: number;
      windows: number;
      seconds: number;
    }
  | { kind: 'train'; experimentId: string }
  | { kind: 'classify'; experimentId: string; tracks: number; files: FileClassification[] }
  | { kind: 'sonify'; sonifications: { target: VectorRef; sonification: Sonification }[] }
  | { kind: 'reduce'; reductionId: string }
  | { kind: 'study'; studyId: string; reductions: number }
  | { kind: 'export'; export: ExportResult }
  | { kind: 'check-providers'; providers: ProviderInfo[] }
  | { kind: 'verify-pack'; verification: PackVerification }
  | { kind: 'add-pack'; packId: string; notes: string[] }
  | { kind: 'embed'; file: string; tracks: number; windows: number };

/** Pushed to every shell that subscribed with `events`. */
export type EngineEvent =
  | { type: 'job'; job: Job }
  | { type: 'train-progress'; jobId: string; point: CurvePoint }
  | {
      type: 'library-changed';
      libraryId: string;
      what: 'tracks' | 'taxonomies' | 'experiments' | 'reductions' | 'predictions';
    }
  | { type: 'libraries-changed' };

export interface AppInfo {
  version: string;
  platform: string;
  dataFolder: string;
  ffmpeg: boolean;
  provider: string;
}

export interface TrackPage {
  total: number;
  tracks: TrackRow[];
}
