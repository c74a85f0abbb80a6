/** Labels and where they come from. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { label, id, path, inLibrary } from './shared.ts';

/** Sources that are read at once. */
const readSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folders') }),
  z.strictObject({ kind: z.literal('tokens') }),
  z.strictObject({ kind: z.literal('tags'), field: z.enum(['genre', 'artist', 'album', 'year', 'key']) }),
  z.strictObject({ kind: z.literal('csv'), path }),
  z.strictObject({ kind: z.literal('hand') }),
]);

/** What a pack, or a head of one, heard in every track: made by `tags.library`. */
interface HeardSource {
  kind: 'heard';
  packId: string;
  headId: string | null;
  threshold: number;
  most: number;
}

/** A source that labels can be read from at once. */
export type ReadSource = z.output<typeof readSourceSchema>;
export type TaxonomySource = ReadSource | HeardSource;

export interface Taxonomy {
  id: string;
  name: string;
  source: TaxonomySource;
  /** Sorted by descending count, then name. `tracks` counts labelled tracks of any state. */
  labels: { name: string; tracks: number }[];
  /** True when some track has more than one label. */
  multilabel: boolean;
  labelledTracks: number;
  /** Rows of the source that matched no track (CSV), for the user to see. */
  unmatched: number;
  /** Why they did not, the most frequent reason first. */
  unmatchedRows: UnmatchedRows[];
}

/** Rows of a label file that name no track, for one reason. */
export interface UnmatchedRows {
  /**
   * `absent`: no file is called so; `elsewhere`: files of that name lie in other folders; `ending`: a file of that name has
   * another ending; `ambiguous`: several files end so.
   */
  reason: 'absent' | 'elsewhere' | 'ending' | 'ambiguous';
  rows: number;
  /** The first of them; rows count from 1, the header is row 1. */
  example: { row: number; path: string };
  /** Some tracks that might be meant, relative to the music folder. */
  tracks: string[];
  /** All of that as one sentence for people. */
  message: string;
}

export const taxonomiesMethods = {
  'taxonomies.list': query<Taxonomy[]>()(z.strictObject(inLibrary)),
  'taxonomies.create': query<Taxonomy>()(
    z.strictObject({
      ...inLibrary,
      source: readSourceSchema,
      name: z.string().min(1).max(200).optional(),
    }),
  ),
  /** Labels tracks from the source again; a label file is read again. What was set by hand stays. */
  'taxonomies.refresh': query<Taxonomy>()(z.strictObject({ ...inLibrary, taxonomyId: id })),
  'taxonomies.remove': query<null>()(z.strictObject({ ...inLibrary, taxonomyId: id })),
  /** Sets the labels of tracks by hand; answers with what they were, which undoes the change when set again. */
  'labels.set': query<{ previous: { trackId: string; labels: string[] }[] }>()(
    z.strictObject({
      ...inLibrary,
      taxonomyId: id,
      changes: z
        .array(z.strictObject({ trackId: id, labels: z.array(label).max(1000) }))
        .min(1)
        .max(100_000),
    }),
  ),
};
