/** The library as a map. */
import { z } from 'zod';
import { stream } from '../wire/index.ts';
import { id, seed, inLibrary } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';

export interface ProjectionPoint {
  /** `row`: of a data set file. */
  kind: 'track' | 'window' | 'row' | 'prototype';
  /** Track id, row number, or index of a prototype of the experiment or reduction asked for, as text. */
  id: string;
  windowIndex: number | null;
}

export interface Projection {
  method: 'pca' | 'umap';
  level: 'track' | 'window';
  /** Of what is laid out; null for a data set file. */
  space: SpaceInfo | null;
  x: Float32Array;
  y: Float32Array;
  points: ProjectionPoint[];
  /** Share of the 10 nearest neighbours kept by the projection, 0…1. */
  trust: number;
  /** PCA only: share of the variance along each axis. */
  explained: [number, number] | null;
}

export type ProjectionEvent =
  { type: 'progress'; done: number; total: number } | { type: 'result'; projection: Projection };

export const projectionMethods = {
  'projection.compute': stream<ProjectionEvent>()(
    z.strictObject({
      ...inLibrary,
      method: z.enum(['pca', 'umap']).default('pca'),
      level: z.enum(['track', 'window']).default('track'),
      experimentId: id.nullable().default(null),
      /** Its generated prototypes are placed on the map of its corpus, in place of an experiment's. */
      reductionId: id.nullable().default(null),
      seed: seed.default(1),
    }),
  ),
};
