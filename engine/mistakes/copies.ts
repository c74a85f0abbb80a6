import { findDuplicates, type DuplicateGroup } from '../../models/mistakes/near-duplicates.ts';
import { EngineError } from '../api/errors.ts';
import type { AudioDecoder } from '../decode/index.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { Excerpts, type SoundToHear } from './excerpts.ts';

/**
 * Groups of tracks of a library that are one recording, as rows of its vectors. Those that are alike and of one length are heard, as
 * far as their files can be read.
 * @throws the signal's reason
 */
export function copiesIn(
  library: Library,
  vectors: LibraryVectors,
  decoder: Pick<AudioDecoder, 'decode'>,
  job: Pick<JobHandle, 'signal' | 'checkpoint' | 'report'>,
): Promise<DuplicateGroup[]> {
  const { trackIds } = vectors.tracks;
  if (trackIds.length === 0) return Promise.resolve([]);
  const durations = library.mistakes.durations();
  const hashes = vectors.windows.contentHashes;
  const compared = trackIds.map((id, row) => ({
    contentHash: hashes[row] ?? null,
    durationSeconds: durations.get(id) ?? null,
  }));
  const excerpts = new Excerpts((trackId) => soundOf(library, trackId), decoder, job.signal);
  const { verdicts } = library.mistakes;
  return findDuplicates(compared, vectors.tracks.vectors, vectors.windows.dim, {
    signal: job.signal,
    heard: async (row, other, counted) => {
      const contents = [hashes[row], hashes[other]];
      const known = verdicts.get(contents);
      if (known !== undefined) return known;
      await job.checkpoint();
      job.report({ ...counted, unit: 'pairs heard' });
      const same = await excerpts.same(trackIds[row] ?? '', trackIds[other] ?? '');
      verdicts.put(contents, same);
      return same;
    },
  });
}

/** Null where the track was taken out of the library meanwhile: vectors are those of when the search began. */
function soundOf(library: Library, trackId: string): SoundToHear | null {
  try {
    const { path } = library.tracks.file(trackId);
    return { path: library.absolutePath(path), peaks: library.tracks.peaks(trackId) };
  } catch (thrown) {
    if (thrown instanceof EngineError && thrown.code === 'not-found') return null;
    throw thrown;
  }
}
