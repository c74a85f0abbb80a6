/** Vectors of the embedding space, and what lies near them. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { id, path, inLibrary } from './shared.ts';

export const vectorRefSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('track'), trackId: id }),
  z.strictObject({ kind: z.literal('window'), trackId: id, windowIndex: z.int().min(0) }),
  z.strictObject({ kind: z.literal('prototype'), experimentId: id, index: z.int().min(0) }),
  z.strictObject({ kind: z.literal('generated'), reductionId: id, index: z.int().min(0) }),
  /** A point of the line between two prototypes of an experiment: 0 is the first, 1 the second. */
  z.strictObject({
    ...{ kind: z.literal('between'), experimentId: id },
    ...{ from: z.int().min(0), to: z.int().min(0), share: z.number().min(0).max(1) },
  }),
]);

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

export const neighboursMethods = {
  'neighbours.query': query<WindowRef[]>()(
    z.strictObject({
      ...inLibrary,
      target: vectorRefSchema,
      level: z.enum(['track', 'window']).default('track'),
      k: z.int().min(1).max(1000).default(10),
      metric: z.enum(['euclidean', 'cosine']).default('euclidean'),
    }),
  ),
  /** What in the library sounds like a file that need not be in it. */
  'neighbours.file': query<WindowRef[]>()(
    z.strictObject({
      ...inLibrary,
      path,
      level: z.enum(['track', 'window']).default('track'),
      k: z.int().min(1).max(1000).default(10),
      metric: z.enum(['euclidean', 'cosine']).default('euclidean'),
    }),
  ),
};
