/** Experiments that look at several embedding spaces together: views. */
import * as z from 'zod';
import type { SpaceInfo } from './spaces.ts';

/** How the losses of the views and of their joint head are weighted, the default first. */
export const viewWeightings = {
  p1: 'blend by losses',
  p2: 'blend by slopes (XSleepNet-2)',
  equal: 'equal',
  concatenation: 'joint head only (concatenation)',
} as const;

/** What the joint head of a training of several views is, the default first. */
export const viewHeads = {
  refit: 'fitted again after training',
  blended: 'sum of the branches by weight',
  trained: 'as trained',
} as const;

const keysOf = <T extends string>(table: Record<T, string>): [T, ...T[]] => {
  const [first, ...rest] = Object.keys(table) as T[];
  if (first === undefined) throw new Error('a table of kinds is empty');
  return [first, ...rest];
};

/** Which views are looked at; that they are several different ones is said in words. */
export const viewsRequestSchema = z.strictObject({
  /** Spaces of the library, each by its key or by the name of its pack; the windows of the first are those of all. */
  spaces: z.array(z.string().min(1).max(200)).min(1).max(8),
  weighting: z.enum(keysOf(viewWeightings)).default('p1'),
  head: z.enum(keysOf(viewHeads)).default('refit'),
});

export type ViewsRequest = z.output<typeof viewsRequestSchema>;

/** Losses and weights of the branches after some steps: the views in order, then the joint head. */
export interface BlendPoint {
  step: number;
  /** Mean losses on training and validation windows. */
  train: readonly number[];
  validation: readonly number[];
  /** Of the losses; they sum to 1. */
  weights: number[];
  /** G: how much better a branch did on validation windows than an evaluation window before. */
  generalisation: number[];
  /** O: how much its gap to training grew. */
  overfitting: number[];
}

/** One view of an experiment. */
export interface ExperimentView {
  space: SpaceInfo;
  /** Share of right answers of this view alone about tracks of each part; null where a part has none. */
  accuracy: { train: number | null; validation: number | null; test: number | null };
  /** At the end of the training it got better in training and worse on validation. */
  overfitting: boolean;
  prototypes: number;
}

/** A track that was not learned from because it is not embedded in every view. */
export interface LackingTrack {
  trackId: string;
  path: string;
  /** Places of the views it lacks. */
  views: number[];
}

/** What an experiment of several views has beside one of a single space. */
export interface ViewsReport {
  views: ExperimentView[];
  blend: BlendPoint[];
  /** Tracks that lack a view, of which the first ones are listed: they are classified by the others. */
  lacking: { tracks: number; listed: LackingTrack[] };
  /** What should be known of how the weights came about, in sentences. */
  notes: string[];
}
