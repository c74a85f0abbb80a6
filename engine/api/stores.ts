/** A vector store on a server that people run: windows of libraries in it, and what is near among them. */
import * as z from 'zod';
import { query, stream } from '../wire/index.ts';
import { metrics, soundRefSchema } from './neighbours.ts';
import { inLibrary } from './shared.ts';

export interface StoreFilling {
  /** Windows that are there. */
  done: number;
  total: number;
}

export interface StoreAnswer {
  /** Nearest first; of all libraries whose windows are in the store. */
  windows: {
    libraryId: string;
    trackId: string;
    title: string;
    path: string;
    windowIndex: number;
    startSeconds: number;
    distance: number;
  }[];
  /** Windows of the space that the store has. */
  compared: number;
  metric: (typeof metrics)[number];
  /** Share of what an exact search of the library finds; null where it was not asked for. */
  recall: number | null;
}

/** Of the store that the engine was started with: no caller can name another one. */
export const storesMethods = {
  /** Puts the windows of a library into the store, in the place of what it had of it. */
  'stores.fill': stream<StoreFilling>({ credit: 1 })(
    z.strictObject({ ...inLibrary, metric: z.enum(metrics).default('cosine') }),
  ),
  'stores.search': query<StoreAnswer>()(
    z.strictObject({
      ...inLibrary,
      of: soundRefSchema,
      k: z.int().min(1).max(1000).default(10),
      /** The store compares every vector. */
      exact: z.boolean().default(false),
      /** Held against an exact search of the library; then only its own windows are asked for. */
      check: z.boolean().default(false),
    }),
  ),
};
