/** The library as a map. */
import * as z from 'zod';
import { query, stream } from '../wire/index.ts';
import { id, seed, inLibrary } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';

/** What the points of a map are; prototypes come after them. */
export interface ProjectionPoints {
  /** `row`: of a data set file. */
  kind: 'track' | 'window' | 'row';
  /** How many, without the prototypes. */
  count: number;
  /** Tracks that are on the map; none for rows of a file. */
  trackIds: string[];
  /** `[count]`: which of the tracks each window is of; empty for tracks and rows, where point n is number n. */
  trackOf: Int32Array;
  /** `[count]` for windows; empty for tracks and rows. */
  windowIndex: Int32Array;
}

export interface Projection {
  method: 'pca' | 'umap';
  level: 'track' | 'window';
  /** Of what is laid out; null for a data set file. */
  space: SpaceInfo | null;
  /** `[points + prototypes]` */
  x: Float32Array;
  y: Float32Array;
  points: ProjectionPoints;
  /** Prototypes of the experiment or reduction asked for, in their order: the last of `x` and `y`. */
  prototypes: number;
  /** Classes of the experiment's prototypes, one for each; empty for generated ones, which have sets of labels. */
  prototypeClasses: string[];
  /** Share of the 10 nearest neighbours kept by the projection, 0…1. */
  trust: number;
  /** PCA only: share of the variance along each axis. */
  explained: [number, number] | null;
}

export type ProjectionEvent =
  { type: 'progress'; done: number; total: number } | { type: 'result'; projection: Projection };

export type TrustEvent =
  | { type: 'progress'; done: number; total: number }
  /** `[points]`: of each point the share of its 10 nearest neighbours that are among its 10 nearest on the map, 0…1. */
  | { type: 'result'; trust: Float32Array };

export const columnNames = [
  'label',
  'prediction',
  'verdict',
  'probability',
  'margin',
  'split',
  'folder',
  'artist',
  'album',
  'genre',
  'year',
  'tempo',
  'key',
  'length',
] as const;
export type ColumnName = (typeof columnNames)[number];

/** One fact of all tracks that have it. */
export type Column =
  | { kind: 'numbers'; trackIds: string[]; values: Float32Array }
  /** `first` and `second` are places in `names`; −1: none. `second` is null where no track has two. */
  | { kind: 'names'; trackIds: string[]; names: string[]; first: Int32Array; second: Int32Array | null };

const whichMap = {
  ...inLibrary,
  method: z.enum(['pca', 'umap']).default('pca'),
  level: z.enum(['track', 'window']).default('track'),
  experimentId: id.nullable().default(null),
  seed: seed.default(1),
};

export const projectionMethods = {
  'projection.compute': stream<ProjectionEvent>()(
    z.strictObject({
      ...whichMap,
      /** Its generated prototypes are placed on the map of its corpus, in place of an experiment's. */
      reductionId: id.nullable().default(null),
    }),
  ),
  /** How far to trust each point of a map. Finding all neighbours of 100,000 tracks takes a minute or two. */
  'projection.trust': stream<TrustEvent>()(z.strictObject(whichMap)),
  /** What points are coloured by; duration in seconds, tempo in beats per minute, probability and margin 0…1. */
  'projection.column': query<Column>()(
    z.strictObject({
      ...inLibrary,
      taxonomyId: id.nullable().default(null),
      experimentId: id.nullable().default(null),
      column: z.enum(columnNames),
    }),
  ),
};
