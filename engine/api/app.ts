/** What this installation is, and what happens in it. */
import { query, stream } from '../wire/index.ts';
import type { CurvePoint } from './experiments.ts';
import type { Job } from './jobs.ts';
import { nothing } from './shared.ts';

export interface AppInfo {
  version: string;
  platform: string;
  dataFolder: string;
  ffmpeg: boolean;
  provider: string;
}

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

export const appMethods = {
  'app.info': query<AppInfo>()(nothing),
  events: stream<EngineEvent>()(nothing),
};
