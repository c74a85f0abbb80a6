import { extname } from 'node:path';
import type { TrackRow } from '../api/tracks.ts';
import { EngineError } from '../api/errors.ts';
import type { Bundle } from '../bundles/bundle.ts';
import { mapped, csvLines } from '../bundles/csv.ts';
import { distinctFileNames } from '../bundles/names.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { ExportRequest } from './experiment.ts';
import { playlistTracks, writePlaylist } from './playlists.ts';

/** Rows that are read at once. */
const PAGE = 1000;

/** What is exported of some tracks. */
export interface TrackSelection {
  trackIds: readonly string[];
  taxonomyId: string | null;
  experimentId: string | null;
  /** Also their files, as they are. */
  copyFiles: boolean;
}

/**
 * Fills a bundle with chosen tracks, in the order given: a playlist, a table of what is known of them, copies of their files.
 * @throws EngineError `not-found` where a track is gone; `unreadable` for a file that cannot be copied; the signal's reason
 */
export async function exportTracks(
  library: Library,
  selection: TrackSelection,
  { formats, raw }: Pick<ExportRequest, 'formats' | 'raw'>,
  bundle: Bundle,
  job: JobHandle,
): Promise<void> {
  const known = playlistTracks(library);
  const tracks = selection.trackIds.map((id) => {
    const track = known.get(id);
    if (!track) throw new EngineError('not-found', `There is no track ${id} in this library.`);
    return track;
  });
  if (formats.includes('m3u8'))
    await bundle.add('tracks.m3u8', writePlaylist(library.summary().name, tracks));
  if (formats.includes('csv')) {
    const rows = await rowsOf(library, selection, job);
    await bundle.add('tracks.csv', csvLines(HEADER, mapped(rows, cells), { raw }), job.signal);
  }
  if (!selection.copyFiles) return;
  const names = distinctFileNames(tracks.map(({ path }) => baseName(path)));
  for (const [i, { path }] of tracks.entries()) {
    await job.checkpoint();
    job.report({ done: i, total: tracks.length, unit: 'files', current: path });
    await bundle.copy(`files/${names[i] ?? String(i)}${extname(path)}`, path, job.signal);
  }
}

const HEADER = [
  ...['path', 'title', 'artist', 'album', 'genre', 'duration_seconds', 'labels'],
  ...['prediction', 'probability', 'predicted_labels', 'correct', 'split'],
];

function cells({ prediction, ...track }: TrackRow): (string | number | null)[] {
  const correct = prediction?.correct;
  return [
    ...[track.path, track.title, track.artist, track.album, track.genre.join(';')],
    ...[track.durationSeconds, track.labels.join(';')],
    ...[prediction?.class ?? null, prediction?.probability ?? null],
    prediction?.labels?.map(({ label }) => label).join(';') ?? null,
    ...[correct === undefined || correct === null ? null : String(correct), prediction?.split ?? null],
  ];
}

async function rowsOf(
  library: Library,
  { trackIds, taxonomyId, experimentId }: TrackSelection,
  job: JobHandle,
): Promise<TrackRow[]> {
  const rows: TrackRow[] = [];
  for (let start = 0; start < trackIds.length; start += PAGE) {
    await job.checkpoint();
    rows.push(...library.tracks.rows(trackIds.slice(start, start + PAGE), taxonomyId, experimentId));
  }
  return rows;
}

/** Name of a file without folder and extension. */
function baseName(path: string): string {
  const name = path.replace(/^.*[/\\]/, '');
  return name.slice(0, name.length - extname(name).length);
}
