/** What a pack with tags says of a sound, patch by patch. */
import * as z from 'zod';
import { query, stream } from '../wire/index.ts';
import type { Started } from './shared.ts';
import type { EngineErrorData } from './errors.ts';
import type { JobProgress } from './jobs.ts';
import { id, path } from './shared.ts';

/** Tags of one sound over time: a taggram. */
export interface Taggram {
  packId: string;
  /** The head of the pack that said it; null: the network of the pack itself. */
  headId: string | null;
  classes: string[];
  /** Of two classes of which one denies the other, the one that does not; null otherwise. */
  positive: string | null;
  /** Seconds, of each patch. */
  startSeconds: Float32Array;
  /** Length of a patch. */
  patchSeconds: number;
  /** `[patches, classes]`, as the network gives them: probabilities, where it ends in a sigmoid or a softmax. */
  values: Float32Array;
  /** `[classes]`: means over the patches, which is what the sound as a whole is said to be. */
  means: Float32Array;
  /** Seconds of audio. */
  seconds: number;
  /** What was damaged in the file; null when nothing was. */
  note: string | null;
}

export type TagsEvent =
  | { type: 'progress'; progress: JobProgress }
  | { type: 'file'; path: string; taggram: Taggram }
  | { type: 'failure'; path: string; problem: EngineErrorData }
  /** `labels`: the file that was written, and how many of the sounds bear a label in it. */
  | { type: 'done'; files: number; labels: { file: string; labelled: number } | null };

/** The tags that a library keeps of a tagger: what its columns and searches are made of. */
export interface KeptTags {
  packId: string;
  headId: string | null;
  title: string;
  classes: string[];
  /** Of two classes of which one denies the other, the one that does not; null otherwise. */
  positive: string | null;
  /** Tracks whose means are kept, of the content that they have. */
  tracks: number;
}

/** A tag of a tagger as one name: `pack/tag`, or `pack#head/tag` of a head. Ids of packs hold neither “#” nor “/”. */
export function tagName({ packId, headId }: { packId: string; headId: string | null }, tag: string): string {
  return `${packId}${headId === null ? '' : `#${headId}`}/${tag}`;
}

/** The parts of a name that {@link tagName} made; null for another text. */
export function tagOfName(name: string): { packId: string; headId: string | null; tag: string } | null {
  const [, packId, headId = null, tag] = /^([^#/]+)(?:#([^/]+))?\/(.+)$/s.exec(name) ?? [];
  return packId === undefined || tag === undefined ? null : { packId, headId, tag };
}

/** Who tags: the network of a pack, or a head behind its embeddings. */
const taggerFields = { packId: id, headId: id.nullable().default(null) };

export const tagsMethods = {
  /** Tags of files, and of the audio files in folders. Means of predictions, not predictions of a mean. */
  'tags.files': stream<TagsEvent>()(
    z.strictObject({
      ...taggerFields,
      paths: z.array(path).min(1).max(100_000),
      /** Also writes a label file, `path,labels`, from which a taxonomy can be made. */
      labels: z
        .strictObject({
          file: path,
          /** A tag is a label from this mean on. */
          threshold: z.number().min(0).max(1).default(0.5),
          /** At most so many labels for a file, the strongest. */
          most: z.int().min(1).max(1000).default(5),
        })
        .optional(),
    }),
  ),
  /** What the library keeps, the tagger of most tracks first. */
  'tags.kept': query<KeptTags[]>()(z.strictObject({ libraryId: id })),
  /**
   * Hears all tracks of a library and keeps the means of their tags; tracks whose means are kept are not heard again. Makes a
   * taxonomy of them unless told not to.
   */
  'tags.library': query<Started>()(
    z.strictObject({
      libraryId: id,
      ...taggerFields,
      threshold: z.number().min(0).max(1).default(0.5),
      most: z.int().min(1).max(1000).default(5),
      name: z.string().min(1).max(200).optional(),
      taxonomy: z.boolean().default(true),
    }),
  ),
  /** Tags of a track of a library over time; its means are kept. */
  'tags.track': query<Taggram>()(z.strictObject({ libraryId: id, trackId: id, ...taggerFields })),
};
