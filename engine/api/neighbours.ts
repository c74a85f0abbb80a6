/** Vectors of the embedding space, and what lies near them. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, path, inLibrary } from './shared.ts';
import type { TrackRow } from './tracks.ts';

const vectorKinds = [
  z.strictObject({ kind: z.literal('track'), trackId: id }),
  z.strictObject({ kind: z.literal('window'), trackId: id, windowIndex: z.int().min(0) }),
  z.strictObject({
    ...{ kind: z.literal('prototype'), experimentId: id, index: z.int().min(0) },
    /** Default: the present one. */
    revision: z.int().min(1).optional(),
  }),
  z.strictObject({ kind: z.literal('generated'), reductionId: id, index: z.int().min(0) }),
  /** A point of the line between two prototypes of an experiment: 0 is the first, 1 the second. */
  z.strictObject({
    ...{ kind: z.literal('between'), experimentId: id },
    ...{ from: z.int().min(0), to: z.int().min(0), share: z.number().min(0).max(1) },
  }),
] as const;

export const vectorRefSchema = z.discriminatedUnion('kind', vectorKinds);

/** What a vector of the embedding space stands for. */
export type VectorRef = z.output<typeof vectorRefSchema>;

export interface WindowRef {
  trackId: string;
  windowIndex: number;
  startSeconds: number;
  /** Euclidean distance in the embedding space. */
  distance: number;
  title: string;
  path: string;
}

export const soundRefSchema = z.discriminatedUnion('kind', [
  ...vectorKinds,
  z.strictObject({ kind: z.literal('file'), path }),
]);

/** What similar sounds are looked for of: a vector of the library, or a file that need not be in it. */
export type SoundRef = z.output<typeof soundRefSchema>;

export const levels = ['track', 'window'] as const;
export const metrics = ['euclidean', 'cosine'] as const;
/**
 * Where distances are taken: in the space as its encoder was trained, or with every dimension brought to mean 0 and
 * deviation 1 over what the library holds in it.
 */
export const scalings = ['trained', 'standardised'] as const;
/** Where similar sounds are looked for unless somebody says otherwise: what measured best (`tests/bench/similar.bench.ts`). */
export const similarDefaults = { metric: 'cosine', scaling: 'standardised' } as const;

/** What several queries look for is mixed of as many at most. */
export const MOST_QUERIES = 1000;

export interface SimilarSound {
  track: TrackRow;
  /** 0 for a track as a whole. */
  windowIndex: number;
  startSeconds: number;
  /** Euclidean distance, or 1 − cosine; of several queries the root of the weighted mean square, or the weighted mean. */
  distance: number;
  /** Cosine to the query, −1…1; of several the weighted mean. */
  similarity: number;
}

export interface SimilarSounds {
  /** What the queries are called, in their order. */
  names: string[];
  /** Nearest first. */
  sounds: SimilarSound[];
  /** Tracks or windows that were compared. */
  compared: number;
  /** Tracks among the nearest that were left out as copies. */
  copies: number;
}

const k = z.int().min(1).max(1000).default(10);
const level = z.enum(levels).default('track');
const metric = z.enum(metrics).default('euclidean');

export const neighboursMethods = {
  /** What lies nearest to one vector, in the space as trained. */
  'neighbours.query': query<WindowRef[]>()(
    z.strictObject({ ...inLibrary, target: vectorRefSchema, level, k, metric }),
  ),
  /**
   * What in the library sounds like one or several sounds. Several are mixed as the weighted mean of their vectors (of
   * unit vectors for cosine), which puts the library in the order of the mean squared distance (the mean cosine) to them.
   */
  'neighbours.similar': query<SimilarSounds>()(
    z.strictObject({
      ...inLibrary,
      queries: z
        .array(z.strictObject({ of: soundRefSchema, weight: z.number().positive().max(1000).default(1) }))
        .min(1)
        .max(MOST_QUERIES),
      level,
      k,
      metric: z.enum(metrics).default(similarDefaults.metric),
      scaling: z.enum(scalings).default(similarDefaults.scaling),
      /** Other windows of the tracks that were asked for. */
      sameTrack: z.boolean().default(false),
      /** More than the nearest of tracks that are one recording, and copies of what was asked for. */
      copies: z.boolean().default(false),
      /** Labels and predictions that come with the tracks. */
      taxonomyId: id.nullable().default(null),
      experimentId: id.nullable().default(null),
    }),
  ),
};

export type SimilarRequest = Omit<
  z.output<(typeof neighboursMethods)['neighbours.similar']['input']>,
  'libraryId'
>;
