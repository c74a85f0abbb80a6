import * as z from 'zod';
import type { Pack } from '../../models/packs/index.ts';
import {
  pairModes,
  retrievalMetrics,
  similarityControls,
  similarityMethodNames,
  similaritySettingsSchema,
  type LearnedSpace,
} from '../api/similarity.ts';

const figure = z.object({ value: z.number(), low: z.number(), high: z.number() });
const gain = figure.extend({ verdict: z.enum(['better', 'worse', 'cannot-tell']) });
const figures = z.object({
  lists: z.int(),
  queries: z.int(),
  methods: z.record(z.enum(similarityMethodNames), z.record(z.enum(retrievalMetrics), figure)),
  chance: z.record(z.enum(retrievalMetrics), z.number()),
  gains: z.record(z.enum(similarityControls), z.record(z.enum(retrievalMetrics), gain)),
});

/** What a learned pack says of itself: written by `learnedCard`, read again from a file that anybody may have changed. */
const cardSchema = z.object({
  libraryId: z.string(),
  settings: similaritySettingsSchema.extend({ pairs: z.enum(pairModes) }),
  playlists: z.int(),
  tracks: z.int(),
  assessment: z.object({ all: figures, otherArtists: figures.nullable() }),
});
export type LearnedCard = z.output<typeof cardSchema>;

/** A learned space, as its pack describes it; null for another pack, or one of another library. */
export function learnedSpaceOf(pack: Pack, libraryId: string, inUse: boolean): LearnedSpace | null {
  const { projectionOf, id, title } = pack.manifest;
  if (!projectionOf) return null;
  const parsed = cardSchema.safeParse(projectionOf.learned);
  if (!parsed.success || parsed.data.libraryId !== libraryId) return null;
  const { settings, playlists, tracks, assessment } = parsed.data;
  const parent = { packId: projectionOf.packId, title: projectionOf.title };
  return { packId: id, title, parent, settings, playlists, tracks, assessment, inUse };
}
