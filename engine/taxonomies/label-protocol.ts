import * as z from 'zod';
import type { Playlist } from '../../models/playlists/playlist.ts';
import type { EngineErrorData } from '../wire/errors.ts';
import { query } from '../wire/contract.ts';
import type { LabelTable } from './label-table.ts';

const requestSchema = z.strictObject({
  path: z.string(),
  /** Of the tracks, relative to the music folder. */
  paths: z.array(z.string()),
  folder: z.string(),
});
export type LabelRequest = z.infer<typeof requestSchema>;

/** What the thread made from `label-worker.ts` does. */
export const labelContract = {
  read: query<LabelTable>()(requestSchema),
  /** Playlists are lists of tracks as label files are, and are read in the same bounds: an answer for each file. */
  playlists: query<PlaylistAnswer[]>()(z.strictObject({ paths: z.array(z.string()).min(1) })),
  /** What lies with tracks besides their sound: pictures, and the lyrics beside each track, null for none. */
  covers: query<CoverAnswer[]>()(
    z.strictObject({
      paths: z.array(z.string()).min(1),
      /** Looks at them instead of the hand-made features; refused where the file is another than this. */
      network: z.strictObject({ path: z.string(), sha256: z.string().nullable() }).nullable(),
    }),
  ),
  /** What an image network is, once it was opened and tried. */
  imageNetwork: query<OpenedNetwork>()(z.strictObject({ path: z.string() })),
  lyrics: query<(string | null)[]>()(z.strictObject({ paths: z.array(z.string()).min(1) })),
};

export interface OpenedNetwork {
  name: string;
  licence: string | null;
  sha256: string;
  /** Numbers per picture. */
  dim: number;
}

/** What the cover of a file looks like, or why that cannot be told. */
export type CoverAnswer = { features: Float32Array } | { problem: EngineErrorData };

/** The playlists of a file, or why there are none. */
export type PlaylistAnswer = { lists: Playlist[] } | { problem: EngineErrorData };
