/** Playlists of the person, read from files of other programs or made of the folders of the library. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import { id, inLibrary, path } from './shared.ts';

/** Why an entry is no track of the library. */
export type UnmatchedReason = 'absent' | 'elsewhere' | 'ending' | 'ambiguous' | 'stream' | 'unnamed';

export interface PlaylistInfo {
  id: string;
  name: string;
  format: 'm3u' | 'pls' | 'xspf' | 'rekordbox' | 'folder';
  /** Where it was read from. */
  path: string;
  entries: number;
  /** Distinct tracks of the library among them. */
  tracks: number;
  /** Entries that are no track of the library. */
  unmatched: number;
  addedAt: string;
}

/** An entry that is no track of the library. */
export interface UnmatchedEntry {
  /** From 1. */
  position: number;
  /** As the file says it: a path or URL, else artist and title. */
  entry: string;
  reason: UnmatchedReason;
  /** A sentence for people. */
  message: string;
}

/** What came of adding playlists. */
export interface AddedPlaylists {
  added: PlaylistInfo[];
  /** Names of those that were there already, entry by entry. */
  known: string[];
  /** Files that could not be read as playlists. */
  problems: { path: string; problem: EngineErrorData }[];
}

export const playlistsMethods = {
  /** By name. */
  'playlists.list': query<PlaylistInfo[]>()(z.strictObject(inLibrary)),
  /** Entries that are no track of the library, the first 1000 of them. */
  'playlists.unmatched': query<UnmatchedEntry[]>()(z.strictObject({ ...inLibrary, playlistId: id })),
  /** Reads playlists from files (M3U, M3U8, PLS, XSPF, Rekordbox XML), and from those in folders. */
  'playlists.add': query<AddedPlaylists>()(
    z.strictObject({ ...inLibrary, paths: z.array(path).min(1).max(10_000) }),
  ),
  /** Takes every folder of the library that holds two tracks or more for a playlist. */
  'playlists.addFolders': query<AddedPlaylists>()(z.strictObject(inLibrary)),
  /** Forgets playlists; their files stay. */
  'playlists.remove': query<null>()(
    z.strictObject({ ...inLibrary, playlistIds: z.array(id).min(1).max(20_000) }),
  ),
};
