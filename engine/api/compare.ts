/** Two experiments side by side, on the tracks that both were tested on. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary } from './shared.ts';

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
}

export const compareMethods = {
  'experiments.compare': query<ExperimentComparison>()(
    z
      .strictObject({ ...inLibrary, first: id, second: id })
      .refine(({ first, second }) => first !== second, 'two different experiments'),
  ),
};
