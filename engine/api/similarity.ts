/** A similarity of the person's own: a projection of embeddings that is learned from playlists. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary, seed } from './shared.ts';
import type { Started } from './shared.ts';

/**
 * Which tracks are held to be alike: any two of a playlist; two that meet in several playlists more often than by chance;
 * neighbours in what the playlists alone tell; two of one artist.
 */
export const pairModes = ['random', 'pmi', 'svd', 'artist'] as const;
export type PairMode = (typeof pairModes)[number];

/** Whether one of the rest of a playlist is among the ten nearest; the share of it among as many nearest; NDCG of ten. */
export const retrievalMetrics = ['hit', 'rPrecision', 'ndcg'] as const;
export type RetrievalMetric = (typeof retrievalMetrics)[number];
export const retrievalTitles: Readonly<Record<RetrievalMetric, string>> = {
  hit: 'Hit@10',
  rPrecision: 'R-precision',
  ndcg: 'NDCG@10',
};

/** The learned space, the control learned from shuffled playlists, PCA-whitened embeddings, embeddings as they are. */
export const similarityMethodNames = ['learned', 'shuffled', 'whitened', 'plain'] as const;
export type SimilarityMethod = (typeof similarityMethodNames)[number];
export const similarityTitles: Readonly<Record<SimilarityMethod, string>> = {
  learned: 'Learned',
  shuffled: 'Learned from shuffled playlists',
  whitened: 'PCA-whitened',
  plain: 'As it was',
};
export const similarityControls = ['shuffled', 'whitened', 'plain'] as const;
export type SimilarityControl = (typeof similarityControls)[number];

/** A mean over playlists with the interval of 95 % of what other draws of them would give. */
export interface Figure {
  value: number;
  low: number;
  high: number;
}

/** `better` or `worse` where the interval of the difference leaves 0 out. */
export type Verdict = 'better' | 'worse' | 'cannot-tell';

/** How well tracks find the others of playlists that nothing was learned from. */
export interface SimilarityFigures {
  /** Playlists that could be asked, and tracks that did ask. */
  lists: number;
  queries: number;
  methods: Record<SimilarityMethod, Record<RetrievalMetric, Figure>>;
  /** What a random order gives. */
  chance: Record<RetrievalMetric, number>;
  /** Learned minus control. */
  gains: Record<SimilarityControl, Record<RetrievalMetric, Figure & { verdict: Verdict }>>;
}

/** Against all controls, by NDCG: better than all, worse than one, or neither. */
export function verdictOf({ gains }: SimilarityFigures): Verdict {
  const verdicts = similarityControls.map((control) => gains[control].ndcg.verdict);
  if (verdicts.includes('worse')) return 'worse';
  return verdicts.every((verdict) => verdict === 'better') ? 'better' : 'cannot-tell';
}

export const verdictTexts: Readonly<Record<Verdict, string>> = {
  better: 'It finds your playlists better than the controls and the space as it was.',
  worse: 'It finds your playlists worse than a control, or than the space as it was: do not use it.',
  'cannot-tell':
    'Cannot tell whether it finds your playlists better than the controls and the space as it was: an interval of the differences holds 0.',
};

export interface SimilarityAssessment {
  all: SimilarityFigures;
  /** Without pairs that are known to be by one artist; null where no artist is known. */
  otherArtists: SimilarityFigures | null;
}

/** Fewer say too little to learn from. */
export const FEWEST_PLAYLISTS = 10;
export const FEWEST_PLAYLIST_TRACKS = 150;

export const similaritySettingsSchema = z.strictObject({
  /** Which tracks are held to be alike. */
  pairs: z.enum(pairModes).default('random'),
  /** Numbers per vector of the learned space. */
  dim: z.int().min(2).max(512).default(64),
  /** Units of a hidden layer; 0: a linear projection. */
  hidden: z.int().min(0).max(1024).default(0),
  /** Passes over the playlists, and steps that are made at least: of few pairs there are more passes. */
  epochs: z.int().min(1).max(1000).default(40),
  leastSteps: z.int().min(1).max(100_000).default(300),
  temperature: z.number().min(0.01).max(1).default(0.1),
  /** Other tracks of a playlist do not count as different. */
  maskAlike: z.boolean().default(true),
  seed: seed.default(1),
});
export type SimilaritySettingsInput = z.output<typeof similaritySettingsSchema>;

/** A space that was learned from playlists. */
export interface LearnedSpace {
  packId: string;
  title: string;
  /** The pack whose embeddings are projected. */
  parent: { packId: string; title: string };
  settings: SimilaritySettingsInput;
  /** Learned from so many. */
  playlists: number;
  tracks: number;
  /** How well it finds the rest of playlists that nothing was learned from. */
  assessment: SimilarityAssessment;
  /** The library is seen in it. */
  inUse: boolean;
}

/** What there is to learn from. */
export interface SimilarityReadiness {
  /** Playlists with two embedded tracks of the library or more. */
  playlists: number;
  /** Different embedded tracks in them. */
  tracks: number;
  /** Of these, tracks whose artist is known. */
  artists: number;
  /** What is missing, for people; null where it can be learned. */
  problem: { message: string; hint: string } | null;
}

export const similarityMethods = {
  /** Spaces that were learned in this library, by title. */
  'similarity.list': query<LearnedSpace[]>()(z.strictObject(inLibrary)),
  'similarity.readiness': query<SimilarityReadiness>()(z.strictObject(inLibrary)),
  /**
   * Learns, measures, and, unless told otherwise, or another job works on the library when it is done, sees the library in the
   * learned space from then on.
   */
  'similarity.learn': query<Started>()(
    z.strictObject({
      ...inLibrary,
      settings: similaritySettingsSchema.prefault({}),
      title: z.string().trim().min(1).max(200).default('My similarity'),
      use: z.boolean().default(true),
    }),
  ),
  /**
   * Sees the library in a learned space, in that of another pack by which its tracks are embedded, or (null) in what the learned
   * space it is seen in was learned on. Answers at once what is ready.
   * @throws `not-found` for a pack of neither kind; `library-busy` while a job works on the library; `pack`
   */
  'similarity.use': query<{ packId: string; tracks: number }>()(
    z.strictObject({ ...inLibrary, packId: id.nullable() }),
  ),
  /** Forgets a learned space; a library that is seen in it goes back to what it was learned on. */
  'similarity.remove': query<null>()(z.strictObject({ ...inLibrary, packId: id })),
};
