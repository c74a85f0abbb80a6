/** What this installation is, and what happens in it. */
import { query, stream } from '../wire/index.ts';
import type { FileClassification } from './classify.ts';
import type { CurvePoint } from './experiments.ts';
import type { Job } from './jobs.ts';
import type { Preferences } from './preferences.ts';
import type { FirstSound, MadeSound } from './sonify.ts';
import { nothing } from './shared.ts';

/** What keeps the process that runs the models of packs in. */
export interface Confinement {
  /** No network, no other process, no change to the system. */
  calls: boolean;
  /** Which files it can make, change or remove; `devices`: none but those of the folder of devices. */
  files: 'none' | 'devices' | 'free';
  /** Why there is less than there could be; for people, empty when there is everything. */
  reason: string;
}

export interface AppInfo {
  version: string;
  platform: string;
  dataFolder: string;
  ffmpeg: boolean;
  provider: string;
  /** Null until the first model was run. */
  confinement: Confinement | null;
  /** “onnxruntime 1.30.0” */
  runtime: string;
  processor: string;
  /** Threads that the processor runs at once. */
  cores: number;
  /** The engine ended several times in a short while, so nothing that was under way was taken up. */
  safeStart: boolean;
  /** What the engine put aside or left out since it started, in sentences for people. */
  notices: string[];
}

/** Pushed to every shell that subscribed with `events`. */
export type EngineEvent =
  | { type: 'job'; job: Job }
  | { type: 'train-progress'; jobId: string; point: CurvePoint }
  /** One more of the files of a job, which lists them all in the end. */
  | { type: 'file-classified'; libraryId: string; jobId: string; file: FileClassification }
  | {
      type: 'library-changed';
      libraryId: string;
      what:
        | 'tracks'
        | 'taxonomies'
        | 'experiments'
        | 'reductions'
        | 'predictions'
        | 'mistakes'
        | 'sets'
        | 'playlists'
        | 'tags'
        | 'melodies';
    }
  | ({ type: 'first-sound' } & FirstSound)
  | ({ type: 'sound' } & MadeSound)
  | { type: 'libraries-changed' }
  /** A backup took the place of a library: nothing known of it holds any more. */
  | { type: 'library-restored'; libraryId: string }
  | { type: 'preferences-changed'; preferences: Preferences }
  /** One more of `AppInfo.notices`. */
  | { type: 'notice'; message: string };

export const appMethods = {
  'app.info': query<AppInfo>()(nothing),
  events: stream<EngineEvent>()(nothing),
};
