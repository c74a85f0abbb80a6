/** Classification, and why a track got its class. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import { label, id, path, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';

export interface Contribution {
  prototype: number;
  prototypeClass: string;
  similarity: number;
  weight: number;
  contribution: number;
  /** Place of its view in an experiment of several views; left out else. */
  view?: number;
}

/** What a view says of a track. */
export interface ViewPart {
  /** Pack of the view. */
  packId: string;
  /** What it adds to the logit of the class: bias + Σ views = logit (to 1e-5); null where the track lacks the view. */
  contribution: number | null;
  /** The class it would give on its own; null where the track lacks it. */
  alone: string | null;
  /** Of all, it adds most to the lead of the predicted class. */
  decides: boolean;
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
  /** Of an experiment of several views, in their order; null else. */
  views: ViewPart[] | null;
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
  /** What was damaged in a file that could be read all the same; null when nothing was. */
  note: string | null;
  prediction: string | null;
  /** Multilabel: every label at or above its threshold, the most probable first; null for a single-label experiment. */
  labels: { label: string; probability: number }[] | null;
  scores: { class: string; logit: number; probability: number }[];
  /** Of `prediction`: bias + Σ contributions = its logit (to 1e-5). */
  bias: number;
  contributions: Contribution[];
  windows: { startSeconds: number; class: string; probability: number }[];
  /** Of what could be heard; 0 for a file that gives no audio. */
  durationSeconds: number;
  /** The waveform in at most 50 equal slices: lowest and highest sample of each in turn, in thousandths of full scale. */
  outline: number[];
}

export const classifyMethods = {
  /** Classifies every embedded track of the library and stores the predictions. */
  'classify.library': query<Started>()(z.strictObject({ ...inLibrary, experimentId: id })),
  /** Classifies files that need not be in the library; the result is in the job. */
  'classify.files': query<Started>()(
    z.strictObject({ ...inLibrary, experimentId: id, paths: z.array(path).min(1).max(100_000) }),
  ),
  /** URL under which the window may play such a file; formats it cannot play are given as WAV. */
  'classify.audioUrl': query<{ url: string }>()(z.strictObject({ ...inLibrary, path })),
  'classify.windows': query<WindowClasses>()(z.strictObject({ ...inLibrary, experimentId: id, trackId: id })),
  'explain.track': query<Explanation>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      trackId: id,
      class: label.nullable().default(null),
      windowIndex: z.int().min(0).nullable().default(null),
    }),
  ),
};
