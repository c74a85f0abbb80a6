import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { Experiment } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { predictTracks, scoreSplits } from '../experiments/metrics.ts';
import { windowOf } from '../neighbours/vector-ref.ts';

/**
 * Deletes a prototype: a new revision.
 * @throws EngineError `not-found`; `busy` when another edit came first; PrototypeError `last-prototype` for the only
 * prototype of a class
 */
export async function removePrototype(
  context: EngineContext,
  library: Library,
  { experimentId, index }: { experimentId: string; index: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId, experiment.revision);
  if (index >= network.prototypeCount)
    throw new EngineError(
      'not-found',
      `The experiment has no prototype ${index}; it has ${network.prototypeCount}.`,
    );
  const change = `removed prototype ${index} of ${network.data.classes[network.classOf(index)] ?? ''}`;
  return revise(context, library, experiment, change, network.withoutPrototype(index), signal);
}

/**
 * Makes a window of the library a prototype of a class: a new revision.
 * @throws EngineError `not-found`; `busy` when another edit came first; `other-space` for a track without embeddings in
 * the experiment's space
 */
export async function addPrototype(
  context: EngineContext,
  library: Library,
  request: { experimentId: string; class: string; trackId: string; windowIndex: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const { experimentId, trackId, windowIndex } = request;
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId, experiment.revision);
  const classIndex = network.data.classes.indexOf(request.class);
  if (classIndex < 0) throw new EngineError('not-found', `The experiment has no class “${request.class}”.`);
  const vector = windowOf(library.embeddings.ofTrack(trackId, experiment.space), windowIndex);
  const change = `added window ${windowIndex} of track ${trackId} to ${request.class}`;
  const edited = network.withPrototype(classIndex, vector);
  return revise(context, library, experiment, change, edited, signal);
}

/**
 * Goes back to an earlier revision, or forward again: its network becomes the newest revision.
 * @throws EngineError `not-found`; `busy` when another edit came first
 */
export async function restoreRevision(
  context: EngineContext,
  library: Library,
  { experimentId, revision }: { experimentId: string; revision: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId, revision);
  return revise(context, library, experiment, `restored revision ${revision}`, network, signal);
}

/**
 * Scores the edited network on the experiment's own split, stores it, and predicts every track anew.
 * @param before what was edited
 */
async function revise(
  context: EngineContext,
  library: Library,
  before: Experiment,
  change: string,
  network: PrototypeNetwork,
  signal: AbortSignal,
): Promise<Experiment> {
  const { id: experimentId, classes, parameters, space, revision } = before;
  const tracks = library.experiments.tracksOf(experimentId);
  const vectors = library.embeddings.madeIn(space, 'This experiment');
  const predictions = await predictTracks(network, vectors, signal);
  const metrics = scoreSplits(tracks, predictions, classes, parameters.task);
  // Its change would be lost without a word, and numbers of prototypes mean others after it.
  if (library.experiments.get(experimentId).revision !== revision)
    throw new EngineError(
      'busy',
      `“${before.name}” was edited while this edit was worked out; this one was not made.`,
      'Look at its prototypes as they are now, then edit again.',
    );
  library.experiments.addRevision(experimentId, change, metrics, network);
  const experiment = library.experiments.get(experimentId);
  const splits = new Map(tracks.map((track) => [track.id, track.split]));
  library.predictions.replace(experiment, predictions.values(), splits);
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'experiments' });
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'predictions' });
  return experiment;
}
