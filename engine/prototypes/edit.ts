import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { Experiment } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import { storePredictions } from '../experiments/predictions.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { predictTracks, scoreSplits } from '../experiments/metrics.ts';
import { addRevision, experimentTracks, getExperiment, loadNetwork } from '../experiments/store.ts';
import { windowOf } from '../neighbours/vector-ref.ts';

/**
 * Deletes a prototype: a new revision.
 * @throws EngineError `not-found`; PrototypeError `last-prototype` for the only prototype of a class
 */
export async function removePrototype(
  context: EngineContext,
  library: Library,
  { experimentId, index }: { experimentId: string; index: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const network = loadNetwork(library, experimentId);
  if (index >= network.prototypeCount)
    throw new EngineError(
      'not-found',
      `The experiment has no prototype ${index}; it has ${network.prototypeCount}.`,
    );
  const change = `removed prototype ${index} of ${network.data.classes[network.classOf(index)] ?? ''}`;
  return revise(context, library, experimentId, change, network.withoutPrototype(index), signal);
}

/**
 * Makes a window of the library a prototype of a class: a new revision.
 * @throws EngineError `not-found`; `other-space` for a track without embeddings in the experiment's space
 */
export async function addPrototype(
  context: EngineContext,
  library: Library,
  request: { experimentId: string; class: string; trackId: string; windowIndex: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const { experimentId, trackId, windowIndex } = request;
  const network = loadNetwork(library, experimentId);
  const classIndex = network.data.classes.indexOf(request.class);
  if (classIndex < 0) throw new EngineError('not-found', `The experiment has no class “${request.class}”.`);
  const { space } = getExperiment(library, experimentId);
  const vector = windowOf(library.embeddings.ofTrack(trackId, space), windowIndex);
  const change = `added window ${windowIndex} of track ${trackId} to ${request.class}`;
  const edited = network.withPrototype(classIndex, vector);
  return revise(context, library, experimentId, change, edited, signal);
}

/**
 * Goes back to an earlier revision, or forward again: its network becomes the newest revision.
 * @throws EngineError `not-found`
 */
export async function restoreRevision(
  context: EngineContext,
  library: Library,
  { experimentId, revision }: { experimentId: string; revision: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const network = loadNetwork(library, experimentId, revision);
  return revise(context, library, experimentId, `restored revision ${revision}`, network, signal);
}

/** Scores the edited network on the experiment's own split, stores it, and predicts every track anew. */
async function revise(
  context: EngineContext,
  library: Library,
  experimentId: string,
  change: string,
  network: PrototypeNetwork,
  signal: AbortSignal,
): Promise<Experiment> {
  const { classes, parameters, space } = getExperiment(library, experimentId);
  const tracks = experimentTracks(library, experimentId);
  const vectors = library.embeddings.madeIn(space, 'This experiment');
  const predictions = await predictTracks(network, vectors, signal);
  const metrics = scoreSplits(tracks, predictions, classes, parameters.task);
  addRevision(library, experimentId, change, metrics, network);
  const experiment = getExperiment(library, experimentId);
  const splits = new Map(tracks.map((track) => [track.id, track.split]));
  storePredictions(library, experiment, predictions.values(), splits);
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'experiments' });
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'predictions' });
  return experiment;
}
