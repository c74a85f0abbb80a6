import type { Experiment } from '../api/experiments.ts';
import type { SplitTrack } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import type { TrackPrediction } from '../library/predictions.ts';

/** What a network says about the tracks of a library. */
interface Predicted {
  tracks: readonly SplitTrack[];
  predictions: ReadonlyMap<string, TrackPrediction>;
}

/**
 * Stores a network and what it says, both or neither: no list may show what another one said, or nothing.
 * @param store makes the network the present one of the experiment
 */
export function storeAtOnce(
  library: Library,
  experimentId: string,
  { tracks, predictions }: Predicted,
  store: () => void,
): Experiment {
  const splits = new Map(tracks.map((track) => [track.id, track.split]));
  return library.db.transaction(() => {
    store();
    const experiment = library.experiments.get(experimentId);
    library.predictions.replace(experiment, predictions.values(), splits);
    return experiment;
  })();
}
