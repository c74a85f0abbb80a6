import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { Experiment, LabelThreshold } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { SplitTrack } from '../library/experiments.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { predictTracks, scoreSplits } from './metrics.ts';

/** What a revision of an experiment consists of. */
export interface Revision {
  /** What was done, in words. */
  change: string;
  network: PrototypeNetwork;
  /** From which probability on labels are predicted; null for a single-label task. */
  thresholds:
    | LabelThreshold[]
    | null
    | ((tracks: SplitTrack[], predictions: ReadonlyMap<string, TrackPrediction>) => LabelThreshold[]);
}

/**
 * Scores an edited network on the experiment's own split, stores it as the newest revision, and predicts every track anew.
 * @param before what was edited
 * @throws EngineError `busy` when another edit came first; `other-space`; the signal's reason
 */
export async function revise(
  library: Library,
  before: Experiment,
  { change, network, thresholds: wanted }: Revision,
  signal: AbortSignal,
): Promise<Experiment> {
  const { id: experimentId, classes, space, revision } = before;
  const tracks = library.experiments.tracksOf(experimentId);
  const vectors = library.embeddings.madeIn(space, 'This experiment');
  const predictions = await predictTracks(network, vectors, signal);
  const thresholds = typeof wanted === 'function' ? wanted(tracks, predictions) : wanted;
  const metrics = scoreSplits(tracks, predictions, classes, thresholds);
  // Its change would be lost without a word, and numbers of prototypes mean others after it.
  if (library.experiments.get(experimentId).revision !== revision)
    throw new EngineError(
      'busy',
      `“${before.name}” was edited while this edit was worked out; this one was not made.`,
      'Look at it as it is now, then edit again.',
    );
  library.experiments.addRevision(experimentId, { change, metrics, network, thresholds });
  const experiment = library.experiments.get(experimentId);
  const splits = new Map(tracks.map((track) => [track.id, track.split]));
  library.predictions.replace(experiment, predictions.values(), splits);
  return experiment;
}
