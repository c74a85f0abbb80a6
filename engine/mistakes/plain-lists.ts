import type { DuplicateGroup } from '../../models/mistakes/near-duplicates.ts';
import { OUTLIER_SCORE, outlierScores } from '../../models/mistakes/outliers.ts';
import { NEIGHBOURS } from '../../models/mistakes/support.ts';
import type { Library } from '../library/library.ts';
import type { StoredMistake } from '../library/mistakes.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { plain } from './plain.ts';

/** Groups of copies, the most alike first. */
export function duplicateRows(vectors: LibraryVectors, copies: readonly DuplicateGroup[]): StoredMistake[] {
  const { trackIds } = vectors.tracks;
  return copies.map(({ rows, kind, similarity }) => {
    const [first = '', ...others] = rows.map((row) => trackIds[row] ?? '');
    const reason =
      kind === 'content'
        ? `${rows.length} files hold the same bytes.`
        : `${rows.length} files sound the same (similarity ${similarity.toFixed(4)}) and are equally long.`;
    return plain('near-duplicates', first, { others, margin: -similarity, reason });
  });
}

/** Tracks that are like nothing else in the library, the loneliest first. */
export async function outlierRows(vectors: LibraryVectors, signal: AbortSignal): Promise<StoredMistake[]> {
  const { trackIds, vectors: tracks } = vectors.tracks;
  // The distance to ten others says nothing where there are hardly more.
  if (trackIds.length <= 2 * NEIGHBOURS) return [];
  const index = await vectors.trackIndex('euclidean');
  const found = await index.query(tracks, NEIGHBOURS + 1, { signal });
  const neighbours = found.map((near, track) =>
    near
      .filter(({ row }) => row !== track)
      .slice(0, NEIGHBOURS)
      .map(({ row, distance }) => ({ track: row, distance })),
  );
  const scores = outlierScores(neighbours);
  return trackIds.flatMap((id, track) => {
    const score = scores[track] ?? 0;
    if (score < OUTLIER_SCORE) return [];
    return plain('outliers', id, {
      margin: -score,
      neighbours: (neighbours[track] ?? []).map((near) => ({
        ...{ trackId: trackIds[near.track] ?? '', labels: [], agrees: false },
      })),
      reason: `It lies ${score.toFixed(1)} deviations farther from its ten nearest tracks than tracks of this library do.`,
    });
  });
}

/** Files without sound, and files that could not be read as they should. */
export function damagedRows(library: Library): StoredMistake[] {
  return library.mistakes.damaged().map(({ trackId, note, failed, silent }) =>
    plain('damaged', trackId, {
      margin: failed ? -3 : silent ? -2 : -1,
      reason: failed
        ? 'It could not be read.'
        : silent
          ? 'It is silent: nothing in it is louder than −48 dBFS.'
          : (note ?? ''),
    }),
  );
}
