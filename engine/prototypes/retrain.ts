import { applyEdit } from '../../models/pecmae/edits.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { retrainPrototypeNetwork } from '../../models/pecmae/retrain.ts';
import { EngineError } from '../api/errors.ts';
import type { Experiment, LabelThreshold } from '../api/experiments.ts';
import { prototypesMethods } from '../api/prototypes.ts';
import { keepAsNew, revise, type Revision } from '../experiments/revise.ts';
import { thresholdsOnValidation } from '../experiments/thresholds.ts';
import { tracksOf } from '../experiments/track-windows.ts';
import { trainerParameters } from '../experiments/train.ts';
import { partition, trainingSet } from '../experiments/training-set.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { sameRevision } from './edit.ts';

/** What a retrain job is told. */
export const retrainSpecSchema = prototypesMethods['prototypes.retrain'].input;

interface RetrainRequest {
  experimentId: string;
  revision?: number | undefined;
  freeze: number[];
  steps?: number | undefined;
  seed?: number | undefined;
}

/**
 * Trains the present revision of an experiment further on its own training part, around the prototypes that are frozen: a
 * new revision. Where it was edited meanwhile, nothing is lost: it becomes an experiment of its own.
 * @throws EngineError `not-found`; `busy` when it is at another revision than was looked at; `bad-input` where nothing can
 * move; `other-space`; `training`; the signal's reason
 */
export async function retrain(
  library: Library,
  request: RetrainRequest,
  job: JobHandle,
): Promise<{ experiment: Experiment; asNew: boolean }> {
  const started = performance.now();
  const before = library.experiments.get(request.experimentId);
  sameRevision(before, request.revision);
  const start = frozenAlso(library.experiments.network(before.id, before.revision), request.freeze);
  const { prototypeFrozen } = start.data;
  const moving = prototypeFrozen.filter((frozen) => !frozen).length;
  if (moving === 0)
    throw new EngineError(
      'bad-input',
      'Every prototype is frozen: there is nothing to train.',
      'Unfreeze those that may move.',
    );
  const vectors = library.embeddings.madeIn(before.space, 'This experiment');
  const parts = partition(library.experiments.tracksOf(before.id), await tracksOf(vectors, job.signal));
  if (parts.train.length === 0)
    throw new EngineError(
      'training',
      'None of the tracks that this experiment was trained on is in the library any more.',
      'Put the files back and rescan, or train anew.',
    );
  const { dim } = vectors.windows;
  const { classes } = before;
  const parameters = trainerParameters(before.parameters);
  const { network } = await retrainPrototypeNetwork(
    start,
    trainingSet(parts.train, dim, classes),
    parts.validation.length === 0 ? null : trainingSet(parts.validation, dim, classes),
    {
      ...parameters,
      steps: request.steps ?? parameters.steps,
      seed: request.seed ?? parameters.seed,
    },
    {
      signal: job.signal,
      pace: () => job.checkpoint(),
      onProgress: ({ step, steps }) => {
        const secondsEach = (performance.now() - started) / 1000 / step;
        job.report({ done: step, total: steps, unit: 'steps', etaSeconds: (steps - step) * secondsEach });
      },
    },
  );
  await job.checkpoint();
  const frozen = prototypeFrozen.length - moving;
  const around = frozen === 0 ? '' : ` around ${frozen} frozen ${frozen === 1 ? 'one' : 'ones'}`;
  const revision: Revision = {
    change: `retrained ${moving} ${moving === 1 ? 'prototype' : 'prototypes'}${around}`,
    network,
    thresholds: thresholdsAfter(before),
  };
  try {
    return { experiment: await revise(library, before, revision, job.signal), asNew: false };
  } catch (thrown) {
    if (!(thrown instanceof EngineError) || thrown.code !== 'busy') throw thrown;
    return { experiment: await keepAsNew(library, before, revision, job.signal), asNew: true };
  }
}

/** @throws EngineError `not-found` for a prototype that is not there */
function frozenAlso(network: PrototypeNetwork, indices: readonly number[]): PrototypeNetwork {
  const absent = indices.find((index) => index >= network.prototypeCount);
  if (absent !== undefined)
    throw new EngineError(
      'not-found',
      `The experiment has no prototype ${absent}; it has ${network.prototypeCount}.`,
      'It may have been removed: list the prototypes again.',
    );
  return indices.length === 0 ? network : applyEdit(network, { kind: 'freeze', indices, frozen: true });
}

/** Thresholds set by a person stay; the others are chosen for the new network. */
function thresholdsAfter({ thresholds, classes }: Experiment): Revision['thresholds'] {
  if (thresholds === null) return null;
  return (tracks, predictions): LabelThreshold[] =>
    thresholdsOnValidation(tracks, predictions, classes.length).map((chosen, label) => {
      const before = thresholds[label];
      return before?.source === 'hand' ? before : chosen;
    });
}
