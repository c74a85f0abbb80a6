import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import type { SimilarityData } from '../../models/similarity/assess.ts';
import { counted, thereAre } from '../../models/text/counted.ts';
import { EngineError } from '../api/errors.ts';
import { FEWEST_PLAYLISTS, FEWEST_PLAYLIST_TRACKS, type SimilarityReadiness } from '../api/similarity.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';
import type { MatchedPlaylist } from '../library/playlists.ts';

/** Windows of a track that are learned from, evenly spaced: more of them tell little that is new. */
const MOST_WINDOWS = 8;

interface Usable {
  /** Tracks by number. */
  trackIds: string[];
  lists: number[][];
  artists: (string | null)[];
}

/** What there is to learn from in a space. */
export async function readiness(library: Library, space: SpaceInfo): Promise<SimilarityReadiness> {
  const all = await library.playlists.matched();
  const { trackIds, lists, artists } = usable(library, space, all);
  const [playlists, tracks] = [lists.length, trackIds.length];
  const counts = { playlists, tracks, artists: artists.filter((artist) => artist !== null).length };
  if (playlists >= FEWEST_PLAYLISTS && tracks >= FEWEST_PLAYLIST_TRACKS) return { ...counts, problem: null };
  const unmatched = all.reduce((sum, own) => sum + own.unmatched, 0);
  const inThem = playlists > 0 ? `, and ${counted(tracks, 'different track')} in them` : '';
  const message = `${thereAre(playlists, 'playlist')} with two tracks of this library or more${inThem}; at least ${FEWEST_PLAYLISTS} playlists with ${FEWEST_PLAYLIST_TRACKS} tracks are needed.`;
  const hint =
    all.length === 0
      ? 'Add playlists, or take the folders of the library for them.'
      : unmatched > 0
        ? `${unmatched === 1 ? '1 entry is no track' : `${unmatched} entries are no tracks`} of this library: see why, or import the music that is named. Else add more playlists.`
        : 'Add more playlists.';
  return { ...counts, problem: { message, hint } };
}

/**
 * Vectors, playlists and artists to learn from.
 * @throws EngineError `too-few-labels` where there are too few playlists or tracks, with their numbers
 */
export async function gatherSimilarity(
  library: Library,
  space: SpaceInfo,
  signal?: AbortSignal,
): Promise<SimilarityData> {
  const { problem } = await readiness(library, space);
  if (problem) throw new EngineError('too-few-labels', problem.message, problem.hint);
  const { trackIds, lists, artists } = usable(library, space, await library.playlists.matched());
  const groups = splitGroups(library.groupFacts(), 'track');
  return {
    vectors: await vectorsOf(library, space, trackIds, signal),
    lists,
    artists,
    groups: trackIds.map((id) => groups.get(id) ?? id),
  };
}

function usable(library: Library, space: SpaceInfo, playlists: readonly MatchedPlaylist[]): Usable {
  const leftOut = library.tracks.leftOut();
  const embedded = library.embeddings.tracks(space).trackIds.filter((id) => !leftOut.has(id));
  const known = new Set(embedded);
  const lists = playlists
    .map(({ trackIds }) => trackIds.filter((id) => known.has(id)))
    .filter((ids) => ids.length >= 2);
  const used = new Set(lists.flat());
  // In the order of their paths, so that the same music gives the same numbers.
  const trackIds = embedded.filter((id) => used.has(id));
  const number = new Map(trackIds.map((id, i) => [id, i]));
  const artistOf = new Map(library.tracks.tagged().map(({ id, artist }) => [id, artist]));
  return {
    trackIds,
    lists: lists.map((ids) => ids.map((id) => number.get(id) ?? 0)),
    artists: trackIds.map((id) => {
      const artist = artistOf.get(id)?.trim().normalize().toLowerCase() ?? '';
      return artist === '' ? null : artist;
    }),
  };
}

async function vectorsOf(
  library: Library,
  space: SpaceInfo,
  trackIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<SimilarityData['vectors']> {
  const all = library.embeddings.vectors(space);
  const rows = await all.rows('window', signal);
  const { windows } = all;
  const { dim } = windows;
  const rowsOf = new Map<number, number[]>();
  windows.trackOf.forEach((track, row) => {
    const rows = rowsOf.get(track);
    if (rows) rows.push(row);
    else rowsOf.set(track, [row]);
  });
  const place = new Map(windows.trackIds.map((id, track) => [id, track]));
  const chosen = trackIds.map((id) => evenly(rowsOf.get(place.get(id) ?? -1) ?? []));
  const starts = new Int32Array(trackIds.length + 1);
  chosen.forEach((rows, i) => (starts[i + 1] = (starts[i] ?? 0) + rows.length));
  const vectors = new Float32Array((starts.at(-1) ?? 0) * dim);
  chosen.flat().forEach((row, i) => {
    vectors.set(rows.one(row), i * dim);
  });
  return { dim, vectors, starts };
}

function evenly(rows: readonly number[]): number[] {
  if (rows.length <= MOST_WINDOWS) return [...rows];
  return Array.from(
    { length: MOST_WINDOWS },
    (_, i) => rows[Math.floor(((i + 0.5) * rows.length) / MOST_WINDOWS)] ?? 0,
  );
}
