import * as z from 'zod';
import type { SplitName } from '../api/experiments.ts';
import type { Prediction, TrackRow, TrackState } from '../api/tracks.ts';
import { engineErrorSchema } from '../api/errors.ts';
import { trackProblemSql, trackStateJoin, trackStateSql } from './track-state.ts';

const genreSchema = z.array(z.string());

export interface StoredTrack {
  id: string;
  path: string;
  title: string;
  artist: string | null;
  album: string | null;
  genre: string;
  year: number | null;
  format: string | null;
  duration_seconds: number | null;
  window_count: number;
  state: TrackState;
  problem: string | null;
  note: string | null;
  notes: string | null;
  left_out: number;
  class: string | null;
  probability: number | null;
  split: SplitName | null;
  second_class: string | null;
  second_probability: number | null;
  label_count: number | null;
}

/** What decides whether a prediction is right. */
export interface PredictionTruth {
  experimentId: string;
  taxonomyId: string;
  multilabel: boolean;
  /** What the experiment has learned; a track of another class can be neither right nor wrong. */
  classes: readonly string[];
}

/** Some tracks as they are stored. Parameters: the key of a space, an experiment, a JSON list of track ids. */
export const trackRowsSql = `SELECT t.id, t.path, t.title, t.artist, t.album, t.genre, t.year, t.format, t.duration_seconds,
    coalesce(e.count, 0) AS window_count, ${trackStateSql} AS state,
    ${trackProblemSql} AS problem, t.note, t.notes, t.left_out, p.class, p.probability, p.split,
    p.second_class, p.second_probability, p.label_count
  FROM tracks t ${trackStateJoin} LEFT JOIN cache.predictions p ON p.track_id = t.id AND p.experiment_id = ?
 WHERE t.id IN (SELECT value FROM json_each(?))`;

/**
 * A track as shells are told of it.
 * @param about its labels in the taxonomy that is looked at, those predicted for it, and those that it is judged by
 */
export function trackRow(
  track: StoredTrack,
  about: {
    labels: string[] | undefined;
    predicted: PredictedLabel[] | undefined;
    truth: readonly string[] | undefined;
  },
  judge: PredictionTruth | null,
): TrackRow {
  return {
    id: track.id,
    path: track.path,
    title: track.title,
    artist: track.artist,
    album: track.album,
    genre: genreSchema.parse(JSON.parse(track.genre)),
    year: track.year,
    format: track.format,
    durationSeconds: track.duration_seconds,
    windowCount: track.window_count,
    state: track.state,
    problem: track.problem === null ? null : engineErrorSchema.parse(JSON.parse(track.problem)),
    note: track.note,
    notes: track.notes ?? '',
    leftOut: track.left_out === 1,
    labels: about.labels ?? [],
    prediction: prediction(track, about.predicted ?? [], about.truth ?? [], judge),
    tags: {},
  };
}

/**
 * What predictions are held against: nothing while another taxonomy than the experiment’s is looked at, whose labels mean
 * something else.
 */
export function judgeOf(taxonomyId: string | null, truth: PredictionTruth | null): PredictionTruth | null {
  return truth && (taxonomyId === null || taxonomyId === truth.taxonomyId) ? truth : null;
}

export type PredictedLabel = NonNullable<Prediction['labels']>[number];

function prediction(
  track: StoredTrack,
  predicted: PredictedLabel[],
  labels: readonly string[],
  judge: PredictionTruth | null,
): Prediction | null {
  const { class: name, probability, split, second_class, second_probability } = track;
  if (name === null || probability === null) return null;
  const second =
    second_class === null || second_probability === null
      ? null
      : { class: second_class, probability: second_probability };
  const known = track.label_count === null ? null : predicted;
  const answers = known === null ? [name] : known.map(({ label }) => label);
  // Of several labels an earlier version kept the most probable one alone.
  const judged = judge !== null && (!judge.multilabel || known !== null);
  const verdict = judged ? verdictOf(answers, labels, judge) : notJudged;
  return { class: name, probability, second, labels: known, ...verdict, split };
}

type Verdict = Pick<Prediction, 'correct' | 'missing' | 'extra'>;

const notJudged: Verdict = { correct: null, missing: [], extra: [] };

/** Not judged where the track has no label, or only labels that were not learned. */
export function verdictOf(
  answers: readonly string[],
  labels: readonly string[],
  judge: PredictionTruth,
): Verdict {
  const truth = (judge.multilabel ? labels : labels.slice(0, 1)).filter((label) =>
    judge.classes.includes(label),
  );
  if (truth.length === 0) return notJudged;
  const missing = truth.filter((label) => !answers.includes(label));
  const extra = answers.filter((label) => !truth.includes(label));
  const correct = missing.length === 0 && extra.length === 0;
  return judge.multilabel ? { correct, missing, extra } : { ...notJudged, correct };
}
