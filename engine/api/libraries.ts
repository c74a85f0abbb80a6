/** Libraries: folders of music with their own databases. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { id, path, nothing, inLibrary } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';

export const windowsSchema = z.union([z.literal('all'), z.int().min(1).max(10_000)]);

export interface LibrarySummary {
  id: string;
  name: string;
  /** Music folders, opened read-only. */
  folders: string[];
  /** Where the library's own databases live. */
  dataFolder: string;
  packId: string;
  /** Which windows of a track are embedded: all of them, or N evenly spaced. */
  windows: 'all' | number;
  /** The embedding space the library is seen in; null when its database cannot be opened. */
  space: SpaceInfo | null;
  tracks: { total: number; ready: number; failed: number; pending: number; missing: number };
  windowCount: number;
  durationSeconds: number;
  isDemo: boolean;
  createdAt: string;
  openedAt: string;
}

export const librariesMethods = {
  'libraries.list': query<LibrarySummary[]>()(nothing),
  /** Opens the library of a folder; the first time it is created. Import does not start by itself. */
  'libraries.open': query<LibrarySummary>()(
    z.strictObject({
      folder: path,
      name: z.string().min(1).max(200).optional(),
      /** Left out: as the library has it; a new library embeds all windows. */
      windows: windowsSchema.optional(),
      /** Left out: as the library has it; a new library takes the embedded compact pack. */
      packId: id.optional(),
    }),
  ),
  'libraries.openDemo': query<LibrarySummary>()(nothing),
  'libraries.get': query<LibrarySummary>()(z.strictObject(inLibrary)),
  /** Points a library at a folder that moved; tracks are recognised by their content. */
  'libraries.relink': query<LibrarySummary>()(z.strictObject({ ...inLibrary, folder: path })),
  /** Deletes Archetone's own data about a library; never an audio file. */
  'libraries.remove': query<null>()(z.strictObject(inLibrary)),
};
