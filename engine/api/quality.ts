/** What a pack is worth, measured on sounds it was not trained on. */
import * as z from 'zod';
import { stream } from '../wire/index.ts';
import { id, path, seed } from './shared.ts';

/** Mean and standard deviation over the seeds. */
export interface Spread {
  mean: number;
  sd: number;
}

/** What classifiers are given: the pack's embedding, that of the same network without training, and two of everyday use. */
export type FeatureKind = 'embedding' | 'randomTwin' | 'logMel' | 'mfcc';

/** Accuracy in per cent by classifier (`knn5`, `pecmae1` …) and kind of features. */
export type AccuracyTable = Record<string, Record<FeatureKind, Spread>>;

/** Mean distances to the originals on 128 log-mel bands at 50 Hz. */
export interface CodecDistances {
  logSpectralDb: number;
  multiResolution: number;
}

/** What prototypes sound like that were trained, or made audible, in one way. */
export interface HeardScore {
  name: string;
  cycleCosine: number;
  /** Share of sounds that the network assigns to the prototype's class. */
  classRetention: number;
  /** The same, judged by the real sounds nearest in MFCC+Δ. */
  mfccRetention: number;
  secondsEach: number;
}

export interface FidelityScore extends HeardScore {
  prototypes: number;
  /** To the nearest embedding of the class, in units of the median distance between neighbours of one class. */
  distance: number;
  /** Medians over the sounds. */
  rmsDbfs: number;
  flatness: number;
  /** Spearman correlations over the prototypes between their distance and what is heard. */
  distanceAgainst: { rmsDbfs: number; flatness: number; cycleCosine: number };
  /** What shares nothing with the encoder hears: medians over the sounds, and over real windows of the same classes. */
  witnesses?: WitnessScore;
}

export interface WitnessScore {
  /** Of pitched classes, 0 … 1; null where there are none. */
  clarity: MadeAndReal | null;
  /** Harmonics to noise, dB. */
  harmonicsDb: MadeAndReal | null;
  /** How far the attack lies from the class's median, octaves. */
  attackOctaves: MadeAndReal;
  /** The same of the level, dB. */
  levelDb: MadeAndReal;
}

/** A median over sounds that were made, and over real ones. */
export interface MadeAndReal {
  made: number;
  real: number;
}

export interface OriginScore extends HeardScore {
  /** Median over the sounds of pitched classes; null where no class is pitched. */
  pitchClarity: number | null;
}

/** The ways of sounding on one half of a collection, judged by the other. */
export interface OriginTable {
  /** Sounds the prototypes were trained on, whose windows sounds start from; sounds of the judge. */
  trained: number;
  judge: number;
  prototypes: number;
  pitchedClasses: number;
  rows: OriginScore[];
}

/** The measured figures of a pack. Accuracies in per cent, mean and standard deviation over the seeds. */
export interface QualityCard {
  schema: 'archetone.quality/2';
  /** By collection: `instruments`, `rendered`, `styles`. */
  data: Record<string, { sounds: number; windows: number; classes: number; sha256: string }>;
  seeds: readonly number[];
  accuracy: {
    instruments?: AccuracyTable;
    rendered?: AccuracyTable;
    renderedToInstruments?: AccuracyTable;
    instrumentsToRendered?: AccuracyTable;
    /** Classes of the two cross-collection tables. */
    sharedClasses?: string[];
    styles?: AccuracyTable;
  };
  /** Share of a sound's ten nearest neighbours that are of its class, in per cent. */
  precisionAt10?: { k: number; mean: number; perClass: Record<string, number> };
  robustness?: {
    deformation: string;
    /** Mean cosine of a window's embeddings before and after. */
    cosine: number;
    /** kNN (k = 5) that learned from untouched sounds, per cent, five folds. */
    accuracy: number;
    /** Points lost against untouched test sounds. */
    accuracyDrop: number;
  }[];
  roundTrip?: { windows: number; pack: CodecDistances; griffinLim: CodecDistances };
  /** Vectors of real windows made audible and heard again. */
  cycle?: {
    vectors: number;
    cycleCosine: number;
    /** To the sound of the next vector: what chance would give. */
    cosineToOthers: number;
    /** 5th, 50th and 95th percentile of the level, dB re full scale. */
    rmsDbfs: [number, number, number];
    /** Share of sounds that are finite, not silent (above −70 dBFS) and within full scale. */
    sound: number;
    secondsEach: number;
  };
  /** Of prototypes trained on all instruments, five per class; the first entry is what the application does. */
  fidelity?: FidelityScore[];
  /** Sounds from noise and from recordings, on each half of the instruments, judged by the other. */
  origins?: OriginTable[];
  /** On as many threads of the machine that made the card as were asked for. */
  speed: { windowsPerSecond: number; secondsPerSonification: number | null; packMegabytes: number };
}

/** One sound with its picture: names of files in the folder they were written to. */
export interface HeardSound {
  sound: string;
  /** Log-mel spectrogram over 80 dB, PNG. */
  picture: string;
  /** Quiet sounds are raised by this much. */
  gainDb: number;
}

/** A class as it is heard: the first of its prototypes, the nearest real window, and that window through the codec. */
export interface HeardClass {
  title: string;
  /** File that the nearest window is of. */
  excerptOf: string;
  cycleCosine: number;
  /** How many of the class's sonified prototypes are assigned to it. */
  kept: number;
  prototypes: number;
  sonified: HeardSound;
  excerpt: HeardSound;
  roundTrip: HeardSound;
}

export type ScoreEvent =
  /** What is done now, or was left out. */
  { type: 'note'; message: string } | { type: 'done'; card: QualityCard; classes: HeardClass[] };

/** What a pack is compared with on a folder of kinds; see `models/benchmarks/folder-scores.ts`. */
export type FolderView = 'embedding' | 'embeddingStandardised' | 'logMel' | 'mfcc' | 'both' | 'randomTwin';

/** A folder of kinds that a pack was scored on. */
export interface ScoredFolder {
  name: string;
  sounds: number;
  windows: number;
  classes: number;
  /** Over the names and windows of the sounds. */
  sha256: string;
  /** Files that could not be read, and why. */
  leftOut: string[];
  /** Classes of one sound: nobody could know them by another. */
  singleSounds: string[];
}

/** Accuracies in per cent on one folder, or from one to another over the classes both have. */
export interface FolderScore {
  /** Names of folders: learned from, asked for. The same: every sound is asked while all others are known. */
  from: string;
  to: string;
  /** Five nearest neighbours of a sound, or a prototype network of five prototypes per class (within: five folds). */
  classifier: 'knn5' | 'pecmae5';
  classes: number;
  asked: number;
  /** Share of the largest class, in per cent: what always giving the same answer would get. */
  largestClass: number;
  accuracy: Partial<Record<FolderView, number>>;
}

/** What a pack is worth on any folders of kinds. */
export interface FolderTable {
  schema: 'archetone.folder-scores/1';
  pack: { id: string; version: string; sha256: string };
  seed: number;
  folders: ScoredFolder[];
  rows: FolderScore[];
}

export type FolderScoreEvent = { type: 'note'; message: string } | { type: 'done'; table: FolderTable };

export const qualityMethods = {
  /**
   * Scores a pack on folders of kinds (instruments, one-shots, albums: a folder per class), each by itself with every sound
   * left out in turn, and between folders that share classes. Ends with `done`; leaving early stops the work.
   */
  'packs.scoreFolders': stream<FolderScoreEvent>()(
    z.strictObject({
      packId: id.default('compact'),
      folders: z.array(path).min(1).max(32),
      /** As in `packs.score`. */
      twin: path.nullable().default(null),
      seed: seed.default(1),
      threads: z.int().min(1).max(64).default(2),
      /** Nearest neighbours alone; training prototype networks takes most of the time. */
      quick: z.boolean().default(false),
    }),
  ),

  /**
   * Scores a pack; without collections it is heard on demo sounds. Ends with `done`; leaving early stops the work. Nothing
   * is written but what `listenTo` and `write` ask for.
   */
  'packs.score': stream<ScoreEvent>()(
    z.strictObject({
      packId: id.default('compact'),
      /** Real instruments, a folder of sounds per class; rendered ones, the same; music, a folder per style and album. */
      instruments: path.nullable().default(null),
      rendered: path.nullable().default(null),
      styles: path.nullable().default(null),
      /** Folder of a pack with random weights to compare with; null: this one, its weights shuffled. */
      twin: path.nullable().default(null),
      /** Demo sounds that are heard where no collection is given. */
      sounds: z.int().min(1).max(1000).default(16),
      /** Seeds from `seed` on. */
      seeds: z.int().min(1).max(100).default(5),
      seed: seed.default(1),
      threads: z.int().min(1).max(64).default(2),
      /** Compares remedies against blurred prototypes as well: minutes. */
      fidelity: z.boolean().default(false),
      /** Compares sounds from noise with those from recordings: half an hour. */
      origins: z.boolean().default(false),
      /** Nearest neighbours alone; training prototype networks takes most of the time. */
      quick: z.boolean().default(false),
      /** Folder, empty or not yet there, for the sounds and pictures of the instruments' classes. */
      listenTo: path.nullable().default(null),
      /** Puts the card into the pack's manifest. */
      write: z.boolean().default(false),
    }),
  ),
};
