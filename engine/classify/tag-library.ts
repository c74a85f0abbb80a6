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
  /** Read before it was heard: a file that changed meanwhile is another one. */
  contentHash: string | null;
  means: Float32Array;
}

const factsOf = ({ pack, headId, key, title, classes, positive }: Tagger): TaggerFacts => ({
  ...{ packId: pack.manifest.id, headId, key, title, classes, positive },
});

/**
 * What a tagger hears in a track; its means are kept.
 * @throws as {@link tagFile}; EngineError `not-found`
 */
export async function tagTrack(
  { readers }: Pick<EngineContext, 'readers'>,
  library: Library,
  tagger: Tagger,
  trackId: string,
  signal: AbortSignal,
): Promise<Taggram> {
  const path = library.absolutePath(library.tracks.file(trackId).path);
  const contentHash = contentOf(library, trackId);
  const taggram = await tagFile(readers, tagger, path, signal);
  library.tags.keep(factsOf(tagger), [{ trackId, contentHash, means: taggram.means }]);
  return taggram;
}

const contentOf = (library: Library, trackId: string): string | null =>
  library.tracks.facts([trackId]).get(trackId)?.contentHash ?? null;

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
  const facts = factsOf(tagger);
  const { classes, positive } = tagger;
  let [done, heard] = [0, 0];
  let unkept: Heard[] = [];
  let keptAt = performance.now();
  const keep = (): void => {
    library.tags.keep(facts, unkept);
    [unkept, keptAt] = [[], performance.now()];
  };
  const take = (id: string, path: string, means: Float32Array): void => {
    heard += 1;
    if (!taxonomy) return;
    const chosen = strongest({ classes: [...classes], means, positive }, { threshold, most });
    labels.set(id, chosen);
    // In the taxonomy, so that a track that was moved is known again.
    if (chosen.length > 0) rows.push({ path, labels: chosen });
  };
  try {
    for (const { id, path } of tracks) {
      await job.checkpoint();
      job.report({ done: done++, total: tracks.length, unit: 'tracks', current: path });
      const means = library.tags.meansOf(facts, id);
      if (means) {
        take(id, path, means);
        continue;
      }
      const contentHash = contentOf(library, id);
      const taggram = await tagFile(context.readers, tagger, library.absolutePath(path), job.signal).catch(
        (thrown: unknown) => {
          job.signal.throwIfAborted();
          const error = asEngineError(thrown);
          if (error.code === 'pack') throw error;
          return null;
        },
      );
      if (!taggram) continue;
      unkept.push({ trackId: id, contentHash, means: taggram.means });
      if (performance.now() - keptAt > KEEP_MS) keep();
      take(id, path, taggram.means);
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
        : `No tag of ${tagger.title} reaches ${threshold} in ${heard === 1 ? 'the one track' : `any of ${heard} tracks`}.`,
      heard === 0 ? 'Look at what is said of them in the table.' : 'Choose a lower threshold.',
    );
  const source = { kind: 'heard' as const, packId, headId, threshold, most };
  const derived = { labels, unmatched: 0, reasons: [], rows };
  const { id: taxonomyId } = library.taxonomies.insert(name ?? tagger.title.slice(0, 200), source, derived);
  return { taxonomyId, tracks: heard, labelled: rows.length, failed };
}
