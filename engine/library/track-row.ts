import { z } from 'zod';
import type { Prediction, SplitName, TrackRow, TrackState } from '../api/domain.ts';
import { engineErrorSchema } from '../api/errors.ts';
import type { Library } from './library.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import { readLabels } from '../taxonomies/labelsets.ts';

const genreSchema = z.array(z.string());

interface StoredTrack {
  id: string;
  path: string;
  title: string;
  artist: string | null;
  album: string | null;
  genre: string;
  format: string | null;
  duration_seconds: number | null;
  window_count: number;
  state: TrackState;
  problem: string | null;
  class: string | null;
  probability: number | null;
  split: SplitName | null;
}

/** What decides whether a prediction is right. */
export interface PredictionTruth {
  experimentId: string;
  taxonomyId: string;
  multilabel: boolean;
}

/** The rows of some tracks, in the order asked for; unknown tracks are left out. */
export function trackRows(
  library: Library,
  trackIds: readonly string[],
  options: { taxonomyId: string | null; truth: PredictionTruth | null },
): TrackRow[] {
  const { db } = library;
  const ids = JSON.stringify(trackIds);
  const stored = db
    .prepare<StoredTrack>(
      `SELECT t.id, t.path, t.title, t.artist, t.album, t.genre, t.format, t.duration_seconds,
              coalesce(e.count, 0) AS window_count, ${trackStateSql} AS state,
              t.problem, p.class, p.probability, p.split
         FROM tracks t ${trackStateJoin} LEFT JOIN cache.predictions p ON p.track_id = t.id AND p.experiment_id = ?
        WHERE t.id IN (SELECT value FROM json_each(?))`,
    )
    .all([library.space().key, options.truth?.experimentId ?? '', ids]);
  const byId = new Map(stored.map((track) => [track.id, track]));
  const labels = options.taxonomyId === null ? null : readLabels(db, options.taxonomyId, trackIds);
  const truths = options.truth ? readLabels(db, options.truth.taxonomyId, trackIds) : null;
  return trackIds.flatMap((id) => {
    const track = byId.get(id);
    if (!track) return [];
    return [
      {
        id,
        path: track.path,
        title: track.title,
        artist: track.artist,
        album: track.album,
        genre: genreSchema.parse(JSON.parse(track.genre)),
        format: track.format,
        durationSeconds: track.duration_seconds,
        windowCount: track.window_count,
        state: track.state,
        problem: track.problem === null ? null : engineErrorSchema.parse(JSON.parse(track.problem)),
        labels: labels?.get(id) ?? [],
        prediction: prediction(track, truths?.get(id) ?? [], options.truth?.multilabel ?? false),
      },
    ];
  });
}

function prediction(track: StoredTrack, truth: readonly string[], multilabel: boolean): Prediction | null {
  if (track.class === null || track.probability === null) return null;
  const right = multilabel ? truth.includes(track.class) : truth[0] === track.class;
  return {
    class: track.class,
    probability: track.probability,
    correct: truth.length === 0 ? null : right,
    split: track.split,
  };
}
