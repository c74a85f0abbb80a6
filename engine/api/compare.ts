/** Two experiments side by side, on the tracks that both were tested on. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary, seed } from './shared.ts';
import type { Started } from './shared.ts';

/** A figure of 0…1 with the interval of 95 % over draws of the test tracks. */
export interface ComparedFigure {
  value: number;
  low: number;
  high: number;
}

/** A track that one of the two gets right. */
export interface ComparedTrack {
  trackId: string;
  title: string;
  path: string;
  /** What it is. */
  labels: string[];
  /** What each says. */
  first: string[];
  second: string[];
  /** The second is right, the first wrong; else the other way. */
  won: boolean;
}

export interface ExperimentComparison {
  firstId: string;
  secondId: string;
  /** Test tracks of both: neither learned from them. */
  tracks: number;
  /** That both know. */
  classes: string[];
  metrics: {
    id: 'accuracy' | 'macroF1';
    first: ComparedFigure;
    second: ComparedFigure;
    difference: ComparedFigure;
  }[];
  perClass: { class: string; support: number; first: number; second: number }[];
  /** Exact, two-sided, over whole answers (of several labels: exactly all). */
  mcnemar: { onlyFirst: number; onlySecond: number; pValue: number };
  /** At most 500, of `won + lost`. */
  flips: ComparedTrack[];
  won: number;
  lost: number;
  /** What was chosen and is not the same, in words. */
  parameters: { name: string; first: string; second: string }[];
  /** What was chosen and is the same. */
  same: { name: string; value: string }[];
}

const estimate = z.object({
  mean: z.number(),
  /** 95 %, corrected for trainings that share tracks. */
  low: z.number(),
  high: z.number(),
});

export const repeatedSchema = z.object({
  firstId: id,
  secondId: id,
  /** Of the first split; the others follow it. */
  seed: z.int(),
  /** That both were trained for. */
  classes: z.array(z.string()),
  /** A row per split: test tracks, and the figures of both on them. */
  splits: z.array(
    z.object({
      seed: z.int(),
      tracks: z.int(),
      accuracy: z.tuple([z.number(), z.number()]),
      macroF1: z.tuple([z.number(), z.number()]),
    }),
  ),
  metrics: z.array(
    z.object({
      id: z.enum(['accuracy', 'macroF1']),
      first: estimate,
      second: estimate,
      /** Second less first, split by split; `pValue` two-sided, that it is none. */
      difference: estimate.extend({ pValue: z.number() }),
    }),
  ),
  createdAt: z.string(),
  seconds: z.number(),
});

/** The settings of two experiments, both trained again on the same splits. Figures are shares of 0…1. */
export type RepeatedComparison = z.output<typeof repeatedSchema>;

export const compareMethods = {
  'experiments.compare': query<ExperimentComparison>()(
    z
      .strictObject({ ...inLibrary, first: id, second: id })
      .refine(({ first, second }) => first !== second, 'two different experiments'),
  ),
  /**
   * Trains the settings of both again on several seeded splits, the same for both (a job); edits of prototypes take no part.
   * `experiments.repeated` has the result.
   */
  'experiments.compareRepeated': query<Started>()(
    z
      .strictObject({
        ...inLibrary,
        ...{ first: id, second: id },
        splits: z.int().min(2).max(50).default(10),
        seed: seed.default(1),
      })
      .refine(({ first, second }) => first !== second, 'two different experiments'),
  ),
  /** The last such comparison of two; null where there is none. */
  'experiments.repeated': query<RepeatedComparison | null>()(
    z.strictObject({ ...inLibrary, first: id, second: id }),
  ),
};
