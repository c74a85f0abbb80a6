/** Blind listening tests: what people recognise in the sounds of prototypes (as in arXiv 2402.09318, by hand). */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { SpaceInfo } from './spaces.ts';
import { id, inLibrary, label, path, seed } from './shared.ts';
import { defaultSoundOrigin, soundOriginSchema, type SoundOrigin } from './sonify.ts';

export const FEWEST_CHOICES = 2;
export const MOST_CHOICES = 6;

const inTest = { ...inLibrary, testId: id };
const rounds = z.int().min(0).max(200);

/** The real excerpt that is nearest to a prototype. */
export interface ListeningExcerpt {
  trackId: string;
  path: string;
  windowIndex: number;
  startSeconds: number;
}

/** One of the two sounds of a question. */
export type ListeningSide = 'first' | 'second';

/** One question: what is heard, what was answered, and what is true. */
export type ListeningRound =
  /** A prototype, sonified: which class is this? */
  | { kind: 'class'; index: number; class: string; choices: string[]; answer: string | null }
  /** A prototype, sonified, and the real excerpt nearest to it: which of the two is real? */
  | {
      kind: 'real';
      index: number;
      class: string;
      excerpt: ListeningExcerpt;
      real: ListeningSide;
      answer: ListeningSide | null;
    }
  /** ABX: the same two sounds as A and B, and then one of them again as X: which of the two is it? */
  | {
      kind: 'abx';
      index: number;
      class: string;
      excerpt: ListeningExcerpt;
      real: ListeningSide;
      x: ListeningSide;
      answer: ListeningSide | null;
    };

/** How the sounds of a test are made. */
export interface ListeningSettings {
  seed: number;
  steps: number;
  guidance: number;
  from: SoundOrigin;
}

/** Right answers, of a class or of all. */
export interface ListeningScore {
  kind: ListeningRound['kind'];
  /** Null: all classes together. */
  class: string | null;
  answered: number;
  right: number;
  /** Right answers per answer, 0…1; null where there is none. */
  share: number | null;
  /** Wilson's interval of 95 %. */
  low: number;
  high: number;
  /** What guessing would give. */
  chance: number;
}

/** A test, without its questions. */
export interface ListeningSummary {
  id: string;
  experimentId: string;
  experimentName: string;
  /** The revision whose prototypes are heard. */
  revision: number;
  space: SpaceInfo;
  settings: ListeningSettings;
  /** What the questions were drawn by. */
  seed: number;
  rounds: number;
  answered: number;
  scores: ListeningScore[];
  createdAt: string;
  /** When the last question was answered; null before. */
  finishedAt: string | null;
}

export interface ListeningTest {
  summary: ListeningSummary;
  questions: ListeningRound[];
}

export const listeningMethods = {
  /**
   * Draws the questions of a test: the same seed asks the same. @throws `pack` for one that makes no sound; `bad-input`
   * where there is but one class, or nothing is asked
   */
  'listening.start': query<ListeningTest>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      classRounds: rounds.default(10),
      realRounds: rounds.default(10),
      abxRounds: rounds.default(10),
      /** Classes to choose from; fewer where the experiment has fewer. */
      choices: z.int().min(FEWEST_CHOICES).max(MOST_CHOICES).default(5),
      seed: seed.default(1),
      sound: z
        .strictObject({
          seed: seed.default(1),
          steps: z.int().min(1).max(1000).optional(),
          guidance: z.number().min(0).max(20).optional(),
          from: soundOriginSchema.default(defaultSoundOrigin),
        })
        .default({ seed: 1, from: defaultSoundOrigin }),
    }),
  ),
  /** Keeps an answer: a class, or `first` (A) or `second` (B); one that was given stays. */
  'listening.answer': query<ListeningTest>()(
    z.strictObject({ ...inTest, round: z.int().min(0), answer: label }),
  ),
  'listening.get': query<ListeningTest>()(z.strictObject(inTest)),
  /** Newest first. */
  'listening.list': query<ListeningSummary[]>()(z.strictObject(inLibrary)),
  'listening.remove': query<null>()(z.strictObject(inTest)),
  /** Every answer with what was asked and how it sounded (`rounds`), or the figures of each class (`scores`). */
  'listening.export': query<{ path: string; rows: number }>()(
    z.strictObject({ ...inLibrary, what: z.enum(['rounds', 'scores']), path }),
  ),
};
