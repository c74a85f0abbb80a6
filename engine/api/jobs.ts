/** Long work: its lanes, progress and results. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { FileClassification } from './classify.ts';
import type { EngineErrorData } from './errors.ts';
import type { LibraryBundle } from './libraries.ts';
import type { ExportResult } from './exports.ts';
import type { MelodyContinuation } from './melodies.ts';
import type { HeardMelody, MelodySound } from './melody.ts';
import type { ModulationClass, ModulationReport } from './modulation.ts';
import type { VectorRef } from './neighbours.ts';
import type { ProviderInfo, PackVerification } from './packs.ts';
import type { SharedTrialFigures } from './modalities.ts';
import { id, nothing } from './shared.ts';
import type { SimilarityAssessment } from './similarity.ts';
import type { Sonification } from './sonify.ts';

/**
 * What a job needs, and who waits for it: `listen` a person who wants to hear or see one thing now, `compute` the
 * processor for long, `import` the decoders, `network` a download or a copy to another disk, `background` what is only
 * left over. Jobs of one lane wait for each other; `listen` goes before the next batch of every other lane, and every
 * other lane before `background`.
 */
export const jobLanes = ['listen', 'compute', 'import', 'network', 'background'] as const;

export type JobKind =
  | 'import'
  | 'train'
  | 'retrain'
  | 'compare-repeated'
  | 'classify'
  | 'sonify'
  | 'background-sounds'
  | 'melody'
  | 'transcribe'
  | 'continue-melody'
  | 'study'
  | 'mistakes'
  | 'evaluate'
  | 'learn-similarity'
  | 'learn-modalities'
  | 'modulation-class'
  | 'modulation-study'
  | 'export'
  | 'check-providers'
  | 'verify-pack'
  | 'add-pack'
  | 'tag-library'
  | 'move-caches'
  | 'bundle-library'
  | 'take-in-library';

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
  /** Other machines compute: who they are tells `queue.watch`. */
  overQueue?: boolean;
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
      /** Tracks of the library that were read with damage; each has a note. */
      noted: number;
      windows: number;
      /** Files and folders that were left out because of the dot before their names; some of them by path. */
      hidden?: { count: number; examples: string[] };
      seconds: number;
    }
  | { kind: 'train'; experimentId: string }
  /** `asNew`: the experiment was edited meanwhile, and this is another one. */
  | { kind: 'retrain'; experimentId: string; revision: number; asNew: boolean }
  | { kind: 'compare-repeated'; first: string; second: string; splits: number }
  | { kind: 'classify'; experimentId: string; tracks: number; files: FileClassification[] }
  | { kind: 'sonify'; sonifications: { target: VectorRef; sonification: Sonification }[] }
  | { kind: 'background-sounds'; made: number; failed: number }
  | { kind: 'melody'; melody: MelodySound }
  | ({ kind: 'transcribe' } & HeardMelody)
  | { kind: 'continue-melody'; continuation: MelodyContinuation }
  | { kind: 'study'; studyId: string; reductions: number }
  | { kind: 'mistakes'; reportId: string; mistakes: number }
  | { kind: 'evaluate'; evaluationId: string; cells: number }
  /** `used`: the library is seen in the learned space now. */
  | {
      kind: 'learn-similarity';
      packId: string;
      title: string;
      tracks: number;
      used: boolean;
      assessment: SimilarityAssessment;
    }
  | { kind: 'modulation-study'; report: ModulationReport }
  | ({ kind: 'modulation-class' } & ModulationClass)
  | {
      kind: 'learn-modalities';
      sharedId: string;
      title: string;
      tracks: number;
      trials: SharedTrialFigures[];
    }
  | { kind: 'export'; export: ExportResult }
  | { kind: 'check-providers'; providers: ProviderInfo[] }
  | { kind: 'verify-pack'; verification: PackVerification }
  | { kind: 'add-pack'; packId: string; headId: string | null; notes: string[] }
  /** `taxonomyId`: null where no taxonomy was asked for. */
  | { kind: 'tag-library'; taxonomyId: string | null; tracks: number; labelled: number; failed: number }
  | { kind: 'move-caches'; libraries: number }
  | { kind: 'bundle-library'; bundle: LibraryBundle }
  | { kind: 'take-in-library'; libraryId: string };

export const jobsMethods = {
  'jobs.list': query<Job[]>()(nothing),
  'jobs.get': query<Job>()(z.strictObject({ jobId: id })),
  'jobs.cancel': query<null>()(z.strictObject({ jobId: id })),
  'jobs.pause': query<null>()(z.strictObject({ jobId: id })),
  /** Puts a waiting job first in its lane; one that can go on later makes room for it at once. */
  'jobs.first': query<null>()(z.strictObject({ jobId: id })),
  'jobs.resume': query<null>()(z.strictObject({ jobId: id })),
  /** Forgets finished jobs. */
  'jobs.clear': query<null>()(nothing),
};
