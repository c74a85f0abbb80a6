import { chooseThresholds, DEFAULT_THRESHOLD } from '../../models/evaluation/metrics/thresholds.ts';
import type { Experiment, LabelThreshold } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { SplitTrack } from '../library/experiments.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { revise } from './revise.ts';

/**
 * Thresholds of the labels of a multilabel experiment, chosen on the tracks of its validation part alone: neither those it
 * was trained on, which it knows too well, nor those it is tested on. Labels that too few of them bear share a threshold,
 * chosen on the decisions about all of these labels together; without enough of those it is ½. (On the 207 sounds of the
 * demo library, labels of file names, five seeds: micro F1 on test 37.7 % at ½, 44.9 % so; macro F1 23.3 % and 34.6 %.)
 */
export function thresholdsOnValidation(
  tracks: readonly SplitTrack[],
  predictions: ReadonlyMap<string, TrackPrediction>,
  labels: number,
): LabelThreshold[] {
  const held = tracks.flatMap((track) => {
    const prediction = track.split === 'validation' ? predictions.get(track.id) : undefined;
    return prediction ? [{ track, prediction }] : [];
  });
  const truth = new Uint8Array(held.length * labels);
  const probabilities = new Float32Array(held.length * labels);
  for (const [row, { track, prediction }] of held.entries()) {
    for (const label of track.labels) truth[row * labels + label] = 1;
    probabilities.set(prediction.probabilities, row * labels);
  }
  const own = chooseThresholds(truth, probabilities, held.length, labels);
  const rare = own.flatMap((value, label) => (value === null ? [label] : []));
  const shared = sharedThreshold(truth, probabilities, labels, rare);
  return own.map((value) =>
    value === null
      ? { value: shared ?? DEFAULT_THRESHOLD, source: shared === null ? 'default' : 'shared' }
      : { value, source: 'validation' },
  );
}

/** The threshold of best F1 of all decisions about some labels together; null where too few bear one. */
function sharedThreshold(
  truth: Uint8Array,
  probabilities: Float32Array,
  labels: number,
  some: readonly number[],
): number | null {
  const cells = Array.from({ length: truth.length / labels }, (_, row) => row * labels).flatMap((row) =>
    some.map((label) => row + label),
  );
  const [threshold = null] = chooseThresholds(
    Uint8Array.from(cells, (cell) => truth[cell] ?? 0),
    Float32Array.from(cells, (cell) => probabilities[cell] ?? 0),
    cells.length,
    1,
  );
  return threshold;
}

/**
 * Sets the threshold of one label by hand: a new revision.
 * @throws EngineError `bad-input` for a single-label experiment; `not-found`; `busy` when another edit came first
 */
export async function setThreshold(
  library: Library,
  { experimentId, class: name, value }: { experimentId: string; class: string; value: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment, thresholds } = multilabel(library, experimentId);
  const index = experiment.classes.indexOf(name);
  if (index < 0) throw new EngineError('not-found', `The experiment has no class “${name}”.`);
  return revise(
    library,
    experiment,
    {
      change: `set the threshold of ${name} to ${value}`,
      network: library.experiments.anyNetwork(experimentId, experiment.revision),
      thresholds: thresholds.with(index, { value, source: 'hand' }),
    },
    signal,
  );
}

/**
 * Chooses the thresholds of all labels on the validation tracks again, by what the network says now: a new revision.
 * @throws EngineError `bad-input` for a single-label experiment; `not-found`; `busy` when another edit came first
 */
export async function chooseThresholdsAgain(
  library: Library,
  experimentId: string,
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment } = multilabel(library, experimentId);
  return revise(
    library,
    experiment,
    {
      change: 'chose thresholds on the validation tracks',
      network: library.experiments.anyNetwork(experimentId, experiment.revision),
      thresholds: (tracks, predictions) =>
        thresholdsOnValidation(tracks, predictions, experiment.classes.length),
    },
    signal,
  );
}

function multilabel(
  library: Library,
  experimentId: string,
): { experiment: Experiment; thresholds: LabelThreshold[] } {
  const experiment = library.experiments.get(experimentId);
  if (experiment.thresholds === null)
    throw new EngineError(
      'bad-input',
      `“${experiment.name}” gives every track one class, the most probable one; it has no thresholds.`,
      'Thresholds belong to experiments that were trained on several labels per track.',
    );
  return { experiment, thresholds: experiment.thresholds };
}
