import { z } from 'zod';
import type { Prediction, SplitName, TrackRow, TrackState } from '../api/domain.ts';
import { engineErrorSchema } from '../api/errors.ts';
import type { Library } from './library.ts';
import { trackStateJoin, trackStateSql } from './track-state.ts';
import { readLabels } from './labels.ts';

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
  note: string | null;
  class: string | null;
  probability: number | null;
  split: SplitName | null;
}

/** What decides whether a prediction is right. */
export interface PredictionTruth {
  experimentId: string;
  taxonomyId: string;
  multilabel: boolean;
  /** What the experiment has learned; a track of another class can be neither right nor wrong. */
  classes: readonly string[];
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
              t.problem, t.note, p.class, p.probability, p.split
         FROM tracks t ${trackStateJoin} LEFT JOIN cache.predictions p ON p.track_id = t.id AND p.experiment_id = ?
        WHERE t.id IN (SELECT value FROM json_each(?))`,
    )
    .all([library.space().key, options.truth?.experimentId ?? '', ids]);
  const byId = new Map(stored.map((track) => [track.id, track]));
  const labels = options.taxonomyId === null ? null : readLabels(db, options.taxonomyId, trackIds);
  const judge = judgeOf(options.taxonomyId, options.truth);
  const truths = judge ? readLabels(db, judge.taxonomyId, trackIds) : null;
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
        note: track.note,
        labels: labels?.get(id) ?? [],
        prediction: prediction(track, truths?.get(id) ?? [], judge),
      },
    ];
  });
}

/**
 * What predictions are held against: nothing while another taxonomy than the experiment’s is looked at, whose labels mean
 * something else.
 */
export function judgeOf(taxonomyId: string | null, truth: PredictionTruth | null): PredictionTruth | null {
  return truth && (taxonomyId === null || taxonomyId === truth.taxonomyId) ? truth : null;
}

function prediction(
  track: StoredTrack,
  labels: readonly string[],
  judge: PredictionTruth | null,
): Prediction | null {
  const { class: name, probability, split } = track;
  if (name === null || probability === null) return null;
  return { class: name, probability, correct: judge ? verdict(name, labels, judge) : null, split };
}

/** Right, wrong, or null: not judged, because the track has no label or only labels that were not learned. */
function verdict(name: string, labels: readonly string[], judge: PredictionTruth): boolean | null {
  const truth = (judge.multilabel ? labels : labels.slice(0, 1)).filter((label) =>
    judge.classes.includes(label),
  );
  return truth.length === 0 ? null : truth.includes(name);
}
