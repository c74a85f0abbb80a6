import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { asEngineError } from '../packs/failures.ts';
import { taggerOf } from '../packs/tagger.ts';
import { strongest, tagFile } from './tag-files.ts';

/** What became of tagging a library. */
export interface TaggedLibrary {
  taxonomyId: string;
  /** Tracks that could be heard, and how many of them bear a label. */
  tracks: number;
  labelled: number;
  /** Tracks that could not. */
  failed: number;
}

/**
 * Makes a taxonomy of what a pack, or a head of one, hears in all tracks: each bears the classes of the largest means. It is
 * made when all were heard; a run that is stopped leaves nothing.
 * @throws EngineError `pack`; `too-few-labels` where no track bears a label; the signal’s reason
 */
export async function tagLibrary(
  context: EngineContext,
  library: Library,
  { packId, headId, threshold, most, name }: ParsedInput<'tags.library'>,
  job: JobHandle,
): Promise<TaggedLibrary> {
  const tagger = await taggerOf(context, { packId, headId });
  const tracks = library.tracks.tagged();
  const labels = new Map<string, string[]>();
  const rows: { path: string; labels: string[] }[] = [];
  let [done, heard] = [0, 0];
  for (const { id, path } of tracks) {
    await job.checkpoint();
    job.report({ done: done++, total: tracks.length, unit: 'tracks', current: path });
    try {
      const taggram = await tagFile(context.readers, tagger, library.absolutePath(path), job.signal);
      heard += 1;
      const chosen = strongest(taggram, { threshold, most });
      labels.set(id, chosen);
      // Kept, so that a track that was moved is known again.
      if (chosen.length > 0) rows.push({ path, labels: chosen });
    } catch (thrown) {
      job.signal.throwIfAborted();
      const error = asEngineError(thrown);
      if (error.code === 'pack') throw error;
    }
  }
  if (rows.length === 0)
    throw new EngineError(
      'too-few-labels',
      heard === 0
        ? 'None of the tracks can be heard.'
        : `No tag of ${tagger.title} reaches ${threshold} in any of ${heard} tracks.`,
      heard === 0 ? 'Look at what is said of them in the table.' : 'Choose a lower threshold.',
    );
  const source = { kind: 'heard' as const, packId, headId, threshold, most };
  const derived = { labels, unmatched: 0, reasons: [], rows };
  const { id: taxonomyId } = library.taxonomies.insert(name ?? tagger.title.slice(0, 200), source, derived);
  return { taxonomyId, tracks: heard, labelled: rows.length, failed: tracks.length - heard };
}
