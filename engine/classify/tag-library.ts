import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { TaggerFacts } from '../library/tags.ts';
import { asEngineError } from '../packs/failures.ts';
import { taggerOf, type Tagger } from '../packs/tagger.ts';
import type { Taggram } from '../api/tags.ts';
import { strongest, tagFile } from './tag-files.ts';

/** Milliseconds after which what was heard is kept, and shown. */
const KEEP_MS = 2000;

interface Heard {
  trackId: string;
  taggram: Taggram;
}

const factsOf = ({ pack, headId, key, title, classes, positive }: Tagger): TaggerFacts => ({
  ...{ packId: pack.manifest.id, headId, key, title, classes, positive },
});

/** Keeps the means of what was heard in tracks. */
export function keepTags(library: Library, tagger: Tagger, heard: readonly Heard[]): void {
  if (heard.length === 0) return;
  const facts = library.tracks.facts(heard.map(({ trackId }) => trackId));
  library.tags.keep(
    factsOf(tagger),
    heard.map(({ trackId, taggram: { means } }) => ({
      trackId,
      contentHash: facts.get(trackId)?.contentHash ?? null,
      means,
    })),
  );
}

/** What became of tagging a library. */
export interface TaggedLibrary {
  /** Null where none was asked for. */
  taxonomyId: string | null;
  /** Tracks that could be heard, and how many of them bear a label by the threshold. */
  tracks: number;
  labelled: number;
  /** Tracks that could not. */
  failed: number;
}

/**
 * Keeps the means of what a pack, or a head of one, hears in all tracks, and makes a taxonomy of them where it was asked for:
 * each track bears the classes of the largest means. It is made when all were heard. What was heard until a run was stopped
 * is kept, and not heard again.
 * @throws EngineError `pack`; `too-few-labels` where no track bears a label; the signal’s reason
 */
export async function tagLibrary(
  context: EngineContext,
  library: Library,
  { packId, headId, threshold, most, name, taxonomy }: ParsedInput<'tags.library'>,
  job: JobHandle,
): Promise<TaggedLibrary> {
  const tagger = await taggerOf(context, { packId, headId });
  const tracks = library.tracks.tagged();
  const labels = new Map<string, string[]>();
  const rows: { path: string; labels: string[] }[] = [];
  const known = library.tags.meansOf(factsOf(tagger));
  const { classes, positive } = tagger;
  let [done, heard] = [0, 0];
  let unkept: Heard[] = [];
  let keptAt = performance.now();
  const keep = (): void => {
    keepTags(library, tagger, unkept);
    [unkept, keptAt] = [[], performance.now()];
  };
  const take = (id: string, path: string, means: Float32Array): void => {
    heard += 1;
    const chosen = strongest({ classes: [...classes], means, positive }, { threshold, most });
    labels.set(id, chosen);
    // In the taxonomy, so that a track that was moved is known again.
    if (chosen.length > 0) rows.push({ path, labels: chosen });
  };
  try {
    for (const { id, path } of tracks) {
      await job.checkpoint();
      job.report({ done: done++, total: tracks.length, unit: 'tracks', current: path });
      const means = known.get(id);
      if (means) {
        take(id, path, means);
        continue;
      }
      try {
        const taggram = await tagFile(context.readers, tagger, library.absolutePath(path), job.signal);
        unkept.push({ trackId: id, taggram });
        if (performance.now() - keptAt > KEEP_MS) keep();
        take(id, path, taggram.means);
      } catch (thrown) {
        job.signal.throwIfAborted();
        const error = asEngineError(thrown);
        if (error.code === 'pack') throw error;
      }
    }
  } finally {
    keep();
  }
  const failed = tracks.length - heard;
  if (!taxonomy && heard > 0) return { taxonomyId: null, tracks: heard, labelled: rows.length, failed };
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
  return { taxonomyId, tracks: heard, labelled: rows.length, failed };
}
