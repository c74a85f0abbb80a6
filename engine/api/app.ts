/** What this installation is, and what happens in it. */
import { query, stream } from '../wire/index.ts';
import type { CurvePoint } from './experiments.ts';
import type { Job } from './jobs.ts';
import type { FirstSound } from './sonify.ts';
import { nothing } from './shared.ts';

export interface AppInfo {
  version: string;
  platform: string;
  dataFolder: string;
  ffmpeg: boolean;
  provider: string;
  /** The engine ended several times in a short while, so nothing that was under way was taken up. */
  safeStart: boolean;
  /** What the engine put aside or left out since it started, in sentences for people. */
  notices: string[];
}

/** Pushed to every shell that subscribed with `events`. */
export type EngineEvent =
  | { type: 'job'; job: Job }
  | { type: 'train-progress'; jobId: string; point: CurvePoint }
  | {
      type: 'library-changed';
      libraryId: string;
      what: 'tracks' | 'taxonomies' | 'experiments' | 'reductions' | 'predictions' | 'mistakes';
    }
  | ({ type: 'first-sound' } & FirstSound)
  | { type: 'libraries-changed' }
  /** One more of `AppInfo.notices`. */
  | { type: 'notice'; message: string };

export const appMethods = {
  'app.info': query<AppInfo>()(nothing),
  events: stream<EngineEvent>()(nothing),
};
