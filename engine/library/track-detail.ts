import { join } from 'node:path';
import type { Peaks, TrackDetail } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { MediaTokens } from '../media.ts';
import type { Library } from './library.ts';
import { predictionTruth } from './track-list.ts';
import { trackRows } from './track-row.ts';

interface DetailRow {
  path: string;
  bytes: number;
  content_hash: string | null;
  sample_rate: number | null;
  channels: number | null;
  year: number | null;
  bpm: number | null;
  musical_key: string | null;
  comment: string | null;
  cover: string | null;
}

const coverMimes: Record<string, string> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
};

/** @throws EngineError `not-found` */
export function trackDetail(
  library: Library,
  media: MediaTokens,
  query: { trackId: string; taxonomyId: string | null; experimentId: string | null },
): TrackDetail {
  const { trackId } = query;
  const truth = query.experimentId === null ? null : predictionTruth(library, query.experimentId);
  const row = trackRows(library, [trackId], { taxonomyId: query.taxonomyId, truth })[0];
  const more = library.db
    .prepare<DetailRow>(
      `SELECT path, bytes, content_hash, sample_rate, channels, year, bpm, musical_key, comment, cover
         FROM tracks WHERE id = ?`,
    )
    .get([trackId]);
  if (!row || !more) throw noTrack(trackId);
  return {
    ...row,
    absolutePath: library.absolutePath(more.path),
    contentHash: more.content_hash,
    sampleRate: more.sample_rate,
    channels: more.channels,
    bytes: more.bytes,
    year: more.year,
    bpm: more.bpm,
    musicalKey: more.musical_key,
    comment: more.comment,
    coverUrl: more.cover === null ? null : coverUrl(library, media, more.cover),
    duplicates: duplicatesOf(library, trackId, more.content_hash),
    windows: library.embeddings.windowsOf(trackId),
    computedBy: library.embeddings.computedBy(library.space(), [trackId])[0] ?? null,
  };
}

export function noTrack(trackId: string): EngineError {
  return new EngineError(
    'not-found',
    `There is no track ${trackId}.`,
    'The library may have been imported again since.',
  );
}

/** Null while the track has not been embedded. */
export function trackPeaks(library: Library, trackId: string): Peaks | null {
  const row = library.db
    .prepare<{ per_second: number; duration_seconds: number; peaks: ArrayBuffer }>(
      'SELECT per_second, duration_seconds, peaks FROM cache.peaks WHERE track_id = ?',
    )
    .get([trackId]);
  if (!row) return null;
  return {
    values: Float32Array.from(new Int8Array(row.peaks), (value) => value / 127),
    perSecond: row.per_second,
    durationSeconds: row.duration_seconds,
  };
}

function coverUrl(library: Library, media: MediaTokens, name: string): string | null {
  const mime = coverMimes[name.slice(name.lastIndexOf('.') + 1)];
  return mime === undefined ? null : media.urlFor(join(library.dataFolder, 'covers', name), mime);
}

function duplicatesOf(library: Library, trackId: string, contentHash: string | null): string[] {
  if (contentHash === null) return [];
  return library.db
    .prepare<{ id: string }>(
      `SELECT id FROM tracks WHERE content_hash = ? AND id <> ? AND file_state <> 'missing' ORDER BY path`,
    )
    .all([contentHash, trackId])
    .map((row) => row.id);
}
