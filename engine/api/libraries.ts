/** Libraries: folders of music with their own databases. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import { id, path, nothing, inLibrary } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';

/** The libraries that come with Archetone: labelled instruments, synthesised; or samples that nobody labelled. */
const demoSchema = z.enum(['instruments', 'samples']);
export type DemoName = z.output<typeof demoSchema>;

const windowsSchema = z.union([z.literal('all'), z.int().min(1).max(10_000)]);

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
  /** Why its database cannot be opened; null when it can. */
  problem: EngineErrorData | null;
}

/** A whole copy of a library's own database, beside it. */
export interface LibraryBackup {
  name: string;
  /** When it was made: ISO 8601. */
  at: string;
  /** By itself, by hand, before an update changed the database, or what a restored one took the place of. */
  reason: 'auto' | 'hand' | 'update' | 'restore';
  bytes: number;
  /** It opens and is whole. */
  sound: boolean;
}

/** A library as a folder that can be carried to another computer; no audio is in it. */
export interface LibraryBundle {
  folder: string;
  name: string;
  files: { name: string; bytes: number; sha256: string }[];
}

/** A space with the number of tracks that are embedded in it. */
export type LibrarySpace = SpaceInfo & { tracks: number };

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
  /** Opens a demo; the first time, the library is made and playlists that lie beside its sounds are added. */
  'libraries.openDemo': query<LibrarySummary>()(z.strictObject({ demo: demoSchema.default('instruments') })),
  /** The embedding spaces in which tracks are embedded, the one in use first, then those of most tracks. */
  'libraries.spaces': query<LibrarySpace[]>()(z.strictObject(inLibrary)),
  'libraries.get': query<LibrarySummary>()(z.strictObject(inLibrary)),
  /** Points a library at a folder that moved; tracks are recognised by their content. */
  'libraries.relink': query<LibrarySummary>()(z.strictObject({ ...inLibrary, folder: path })),
  /** Newest first; answers for a library that cannot be opened, too. */
  'libraries.backups': query<LibraryBackup[]>()(z.strictObject(inLibrary)),
  /** Copies the library's own database and checks the copy. */
  'libraries.backUp': query<LibraryBackup>()(z.strictObject(inLibrary)),
  /** Puts a backup in the place of the database; what was there is kept. */
  'libraries.restore': query<LibrarySummary>()(
    z.strictObject({ ...inLibrary, backup: z.string().min(1).max(200) }),
  ),
  /** Writes the library as a folder for another computer (`libraries.takeIn`); the folder is made. */
  'libraries.bundle': query<{ jobId: string }>()(z.strictObject({ ...inLibrary, folder: path })),
  /** Takes in a library from such a folder, for music that lies in `folder` here. */
  'libraries.takeIn': query<{ jobId: string }>()(z.strictObject({ bundle: path, folder: path })),
  /** Deletes Archetone's own data about a library; never an audio file. */
  'libraries.remove': query<null>()(z.strictObject(inLibrary)),
};
