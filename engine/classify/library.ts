import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { predictTracks, type TrackPrediction } from '../experiments/metrics.ts';
import { experimentTracks, getExperiment, loadNetwork } from '../experiments/store.ts';
import { storePredictions } from '../experiments/predictions.ts';

/**
 * Classifies every track of the library that is embedded in the experiment's space with the newest revision of an
 * experiment and stores the predictions.
 * @returns the prediction of each track.
 * @throws EngineError `not-found`; `other-space` when nothing is embedded in its space any more; the signal's reason
 */
export async function classifyLibrary(
  context: EngineContext,
  library: Library,
  experimentId: string,
  options: { signal: AbortSignal; onTrack?: (done: number, total: number) => void },
): Promise<Map<string, TrackPrediction>> {
  const experiment = getExperiment(library, experimentId);
  const network = loadNetwork(library, experimentId, experiment.revision);
  const vectors = library.embeddings.madeIn(experiment.space, 'This experiment');
  const predictions = await predictTracks(network, vectors, options.signal, options.onTrack);
  // An edit meanwhile stored what its own revision says.
  if (getExperiment(library, experimentId).revision !== experiment.revision)
    return classifyLibrary(context, library, experimentId, options);
  const splits = new Map(experimentTracks(library, experimentId).map((track) => [track.id, track.split]));
  storePredictions(library, experiment, predictions.values(), splits);
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'predictions' });
  return predictions;
}
