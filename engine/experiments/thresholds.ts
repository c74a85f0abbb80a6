import { chooseThresholds, DEFAULT_THRESHOLD } from '../../models/evaluation/metrics/thresholds.ts';
import type { Experiment, LabelThreshold } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { SplitTrack } from '../library/experiments.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { revise } from './revise.ts';

/**
 * Thresholds of the labels of a multilabel experiment, chosen on the tracks of its validation part alone: neither those it
 * was trained on, which it knows too well, nor those it is tested on. Labels that too few of them bear keep ½.
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
  return chooseThresholds(truth, probabilities, held.length, labels).map((value) =>
    value === null ? { value: DEFAULT_THRESHOLD, source: 'default' } : { value, source: 'validation' },
  );
}

/**
 * Sets the threshold of one label by hand: a new revision.
 * @throws EngineError `bad-input` for a single-label experiment; `not-found`; `busy` when another edit came first
 */
export async function setThreshold(
  context: EngineContext,
  library: Library,
  { experimentId, class: name, value }: { experimentId: string; class: string; value: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment, thresholds } = multilabel(library, experimentId);
  const index = experiment.classes.indexOf(name);
  if (index < 0) throw new EngineError('not-found', `The experiment has no class “${name}”.`);
  return revise(
    context,
    library,
    experiment,
    {
      change: `set the threshold of ${name} to ${value}`,
      network: library.experiments.network(experimentId, experiment.revision),
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
  context: EngineContext,
  library: Library,
  experimentId: string,
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment } = multilabel(library, experimentId);
  return revise(
    context,
    library,
    experiment,
    {
      change: 'chose thresholds on the validation tracks',
      network: library.experiments.network(experimentId, experiment.revision),
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
