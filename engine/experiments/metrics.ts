import { multilabelMetrics, perLabelReport } from '../../models/evaluation/metrics/multilabel.ts';
import { classificationReport } from '../../models/evaluation/metrics/single-label.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { LabelThreshold, Metrics, SplitName } from '../api/experiments.ts';
import type { LabelledTrack, SplitTrack } from '../library/experiments.ts';
import { predictedLabels, type TrackPrediction } from '../library/predictions.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { trackLogitsOf } from './track-logits.ts';

/** Work of an exponential and a division, for the pacer. */
const UNITS_OF_PROBABILITY = 16;
/** Order in which metrics are listed: what matters most first. */
const SCORED_SPLITS: readonly SplitName[] = ['test', 'validation', 'train'];

/**
 * Classifies all tracks by the mean of the logits of their windows, letting other work in between. What was worked out
 * for a prototype before is not worked out again.
 * @param onTrack told how many tracks of how many are done.
 * @throws the signal's reason
 */
export async function predictTracks(
  network: PrototypeNetwork,
  vectors: LibraryVectors,
  signal: AbortSignal,
  onTrack: (done: number, total: number) => void = () => undefined,
): Promise<Map<string, TrackPrediction>> {
  const predictions = new Map<string, TrackPrediction>();
  const { trackIds } = vectors.windows;
  const { logits, tops } = await trackLogitsOf(network, vectors, { signal, onTrack });
  const C = network.data.classes.length;
  const pacer = new Pacer(signal);
  for (const [row, trackId] of trackIds.entries()) {
    if (pacer.due(UNITS_OF_PROBABILITY * C)) await pacer.pause();
    const probabilities = network.probabilities(logits.subarray(row * C, (row + 1) * C));
    predictions.set(trackId, { trackId, top: tops[row] ?? 0, probabilities });
  }
  onTrack(trackIds.length, trackIds.length);
  return predictions;
}

/**
 * Scores an experiment by track on every part of its split. Tracks without a prediction (their embeddings are gone)
 * are not counted.
 * @param thresholds of a multilabel task; null for a single-label one.
 */
export function scoreSplits(
  tracks: readonly SplitTrack[],
  predictions: ReadonlyMap<string, TrackPrediction>,
  classes: readonly string[],
  thresholds: readonly LabelThreshold[] | null,
): Metrics[] {
  const training = tracks.filter((track) => track.split === 'train');
  const bySplit: Record<SplitName, Scored[]> = { test: [], validation: [], train: [] };
  for (const track of tracks) {
    const prediction = predictions.get(track.id);
    if (prediction) bySplit[track.split].push({ track, prediction });
  }
  return SCORED_SPLITS.flatMap((split) => {
    const scored = bySplit[split];
    if (scored.length === 0) return [];
    const scores =
      thresholds === null
        ? scoreSingle(scored, training, classes)
        : scoreMulti(scored, training, classes, thresholds);
    return [{ split, tracks: scored.length, ...scores }];
  });
}

interface Scored {
  track: LabelledTrack;
  prediction: TrackPrediction;
}
type Scores = Omit<Metrics, 'split' | 'tracks'>;

function scoreSingle(
  scored: readonly Scored[],
  training: readonly LabelledTrack[],
  classes: readonly string[],
): Scores {
  const truth = scored.map(({ track }) => track.labels[0] ?? 0);
  const predicted = scored.map(({ prediction }) => prediction.top);
  const report = classificationReport(truth, predicted, classes);
  const majority = mostFrequent(training.map((track) => String(track.labels[0])));
  return {
    accuracy: report.accuracy,
    balancedAccuracy: report.balancedAccuracy,
    macroF1: report.macroF1,
    microF1: null,
    samplesF1: null,
    majorityBaseline: truth.filter((label) => String(label) === majority).length / truth.length,
    perClass: report.perClass,
    confusion: report.confusion,
    hammingLoss: null,
  };
}

/** Multilabel: accuracy is exact match, balanced accuracy the mean recall over the labels that occur. */
function scoreMulti(
  scored: readonly Scored[],
  training: readonly LabelledTrack[],
  classes: readonly string[],
  thresholds: readonly LabelThreshold[],
): Scores {
  const C = classes.length;
  const truth = new Uint8Array(scored.length * C);
  const predicted = new Uint8Array(scored.length * C);
  scored.forEach(({ track, prediction }, row) => {
    for (const label of track.labels) truth[row * C + label] = 1;
    for (const c of predictedLabels(prediction.probabilities, thresholds)) predicted[row * C + c] = 1;
  });
  const scores = multilabelMetrics(truth, predicted, scored.length, C);
  const perClass = perLabelReport(truth, predicted, scored.length, classes).map(
    ({ label, precision, recall, f1, support }) => ({ class: label, precision, recall, f1, support }),
  );
  const present = perClass.filter((scoresOfClass) => scoresOfClass.support > 0);
  const majority = mostFrequent(training.map((track) => track.labels.join(' ')));
  const hits = scored.filter(({ track }) => track.labels.join(' ') === majority).length;
  return {
    accuracy: scores.exactMatch,
    balancedAccuracy: present.reduce((sum, { recall }) => sum + recall, 0) / Math.max(1, present.length),
    macroF1: scores.f1Macro,
    microF1: scores.f1Micro,
    // A sum of fractions ends differently in its last bit where tracks come in another order; their ids decide that.
    samplesF1: Math.round(scores.f1Samples * 1e12) / 1e12,
    majorityBaseline: hits / scored.length,
    perClass,
    confusion: [],
    hammingLoss: scores.hammingLoss,
  };
}

/** The most frequent value, the first one in code-unit order on ties. */
function mostFrequent(values: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted[0]?.[0] ?? null;
}
