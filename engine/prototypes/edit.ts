import type { Experiment } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { revise } from '../experiments/revise.ts';
import { windowOf } from '../neighbours/vector-ref.ts';

/**
 * Deletes a prototype: a new revision.
 * @throws EngineError `not-found`; `busy` when another edit came first; PrototypeError `last-prototype` for the only
 * prototype of a class
 */
export async function removePrototype(
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
  const { thresholds } = experiment;
  const edit = { change, network: network.withoutPrototype(index), thresholds };
  return revise(library, experiment, edit, signal);
}

/**
 * Makes a window of the library a prototype of a class: a new revision.
 * @throws EngineError `not-found`; `busy` when another edit came first; `other-space` for a track without embeddings in
 * the experiment's space
 */
export async function addPrototype(
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
  const { thresholds } = experiment;
  const edit = { change, network: network.withPrototype(classIndex, vector), thresholds };
  return revise(library, experiment, edit, signal);
}

/**
 * Goes back to an earlier revision, or forward again: its network and thresholds become the newest revision.
 * @throws EngineError `not-found`; `busy` when another edit came first
 */
export async function restoreRevision(
  library: Library,
  { experimentId, revision }: { experimentId: string; revision: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId, revision);
  const thresholds = library.experiments.thresholds(experiment, revision);
  const edit = { change: `restored revision ${revision}`, network, thresholds };
  return revise(library, experiment, edit, signal);
}
