import { meanByTrack } from '../../embeddings/pooling.ts';
import { labelReport } from './label-report.ts';
import { classificationReport } from './single-label.ts';

/** Scores of a network on whole tracks. */
export interface TrackScores {
  /** Single-label: share of right answers. Multilabel: share of right label decisions (1 − Hamming loss). */
  accuracy: number;
  /** Single-label: mean recall over the classes present. Multilabel: mean over labels of (sensitivity + specificity)/2. */
  balancedAccuracy: number;
  /** Multilabel: F1 of all label decisions together, each from probability ½ on; null for a single-label task. */
  f1Micro: number | null;
}

/**
 * Scores tracks by the mean of their windows' logits.
 * @param logits [n, C]; @param labels [n, C] 0/1, equal within a track; @param trackOf [n] any track number.
 */
export function scoreTracks(
  logits: Float32Array,
  labels: ArrayLike<number>,
  trackOf: Int32Array,
  classes: number,
  task: 'single' | 'multi',
): TrackScores {
  const places = new Map<number, number>();
  const firstRow: number[] = [];
  const placeOf = trackOf.map((track, row) => {
    const known = places.get(track);
    if (known !== undefined) return known;
    places.set(track, firstRow.length);
    return firstRow.push(row) - 1;
  });
  const tracks = firstRow.length;
  const means = meanByTrack(logits, classes, placeOf, tracks);
  const truth = Uint8Array.from({ length: tracks * classes }, (_, cell) => {
    const row = firstRow[Math.floor(cell / classes)] ?? 0;
    return labels[row * classes + (cell % classes)] ?? 0;
  });
  return task === 'single'
    ? scoreSingle(means, truth, tracks, classes)
    : scoreMulti(means, truth, tracks, classes);
}

function scoreSingle(means: Float32Array, truth: Uint8Array, tracks: number, classes: number): TrackScores {
  const rows = Array.from(
    { length: tracks },
    (_, track) => [track * classes, (track + 1) * classes] as const,
  );
  const actual = rows.map(([from, to]) => truth.subarray(from, to).indexOf(1));
  const answers = rows.map(([from, to]) => {
    const scores = means.subarray(from, to);
    return scores.indexOf(Math.max(...scores));
  });
  const names = Array.from({ length: classes }, (_, c) => String(c));
  const { accuracy, balancedAccuracy } = classificationReport(actual, answers, names);
  return { accuracy, balancedAccuracy, f1Micro: null };
}

function scoreMulti(means: Float32Array, truth: Uint8Array, tracks: number, classes: number): TrackScores {
  const answers = Uint8Array.from(means, (logit) => (logit > 0 ? 1 : 0));
  const reports = labelReport(truth, answers, tracks, classes);
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const marked = sum(({ support, predicted }) => support + predicted);
  const hitTwice = 2 * sum(({ hits }) => hits);
  // Labels that every track bears, or none, cannot be told apart from anything.
  const scored = reports.filter(({ support }) => support > 0 && support < tracks);
  const balanced = scored.map(({ support, predicted, hits, recall }) => {
    const passed = tracks - support - (predicted - hits);
    return (recall + passed / (tracks - support)) / 2;
  });
  return {
    accuracy: 1 - (marked - hitTwice) / (tracks * classes),
    balancedAccuracy: balanced.reduce((a, b) => a + b, 0) / Math.max(1, balanced.length),
    f1Micro: marked === 0 ? 0 : hitTwice / marked,
  };
}
