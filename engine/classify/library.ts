import type { Library } from '../library/library.ts';
import { predictLibrary } from '../experiments/predict.ts';
import type { TrackPrediction } from '../library/predictions.ts';

/**
 * Classifies every track of the library that is embedded in the experiment's space with the newest revision of an
 * experiment and stores the predictions.
 * @returns the prediction of each track.
 * @throws EngineError `not-found`; `other-space` when nothing is embedded in its space any more; the signal's reason
 */
export async function classifyLibrary(
  library: Library,
  experimentId: string,
  options: { signal: AbortSignal; onTrack?: (done: number, total: number) => void },
): Promise<Map<string, TrackPrediction>> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.anyNetwork(experimentId, experiment.revision);
  const predictions = await predictLibrary(library, experiment, network, {
    what: 'This experiment',
    ...options,
  });
  // An edit meanwhile stored what its own revision says.
  if (library.experiments.get(experimentId).revision !== experiment.revision)
    return classifyLibrary(library, experimentId, options);
  const splits = new Map(library.experiments.tracksOf(experimentId).map((track) => [track.id, track.split]));
  library.predictions.replace(experiment, predictions.values(), splits);
  return predictions;
}
