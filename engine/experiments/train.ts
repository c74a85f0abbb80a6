import { splitTracks } from '../../models/evaluation/splits/holdout.ts';
import {
  trainPrototypeNetwork,
  type TrainParameters,
  type TrainProgress,
} from '../../models/pecmae/trainer.ts';
import {
  type CurvePoint,
  type Experiment,
  type TrainRequest,
  experimentsMethods,
} from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { newId } from '../identifier.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { chooseClasses, type ClassChoice } from './classes.ts';
import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import type { NewExperiment, SplitTrack } from '../library/experiments.ts';
import { predictTracks, scoreSplits } from './metrics.ts';
import { storeAtOnce } from './store-at-once.ts';
import { thresholdsOnValidation } from './thresholds.ts';
import { tracksOf } from './track-windows.ts';
import { countsOf, partition, trainingSet } from './training-set.ts';

/** What a train job is told. */
export const trainSpecSchema = experimentsMethods['experiments.train'].input;

/**
 * Trains a prototype network on the labelled, ready tracks of a library that nobody left out, scores it by track, stores it as a new
 * experiment and predicts every track of the library.
 * @throws EngineError `too-few-labels`, `not-found`, `training`; the signal's reason
 */
export async function train(
  context: EngineContext,
  library: Library,
  request: TrainRequest,
  job: JobHandle,
): Promise<Experiment> {
  const started = performance.now();
  const taxonomyName = library.taxonomies.nameOf(request.taxonomyId);
  const vectors = library.embeddings.vectors();
  const { windows } = vectors;
  const leftOut = library.tracks.leftOut();
  const taught = windows.trackIds.filter((id) => !leftOut.has(id));
  const choice = chooseClasses(taught, library.labels.of(request.taxonomyId), request);
  job.entitle(`Train ${taxonomyName}, ${choice.classes.length} classes`);
  const tracks = assignSplits(library, choice, request);
  const byTrack = await tracksOf(vectors, job.signal);
  const parts = partition(tracks, byTrack);
  if (parts.train.length === 0)
    throw new EngineError('training', 'No track fell into the training part.', 'Give it a larger share.');

  const training = trainingSet(parts.train, windows.dim, choice.classes);
  const validation =
    parts.validation.length === 0 ? null : trainingSet(parts.validation, windows.dim, choice.classes);
  const { network, curve, keptStep } = await trainPrototypeNetwork(
    training,
    validation,
    trainerParameters(request),
    {
      signal: job.signal,
      pace: () => job.checkpoint(),
      onProgress: (progress) => {
        job.report({
          done: progress.step,
          total: progress.steps,
          unit: 'steps',
          etaSeconds: remainingSeconds(started, progress),
        });
        context.events.emit({ type: 'train-progress', jobId: job.id, point: curvePoint(progress) });
      },
    },
  );

  await job.checkpoint();
  const predictions = await predictTracks(network, vectors, job.signal);
  const { classes } = choice;
  const thresholds =
    request.task === 'single' ? null : thresholdsOnValidation(tracks, predictions, classes.length);
  const metrics = scoreSplits(tracks, predictions, classes, thresholds);
  const experiment: NewExperiment = {
    id: newId(),
    name: `${taxonomyName} · ${request.prototypesPerClass} per class · seed ${request.seed}`,
    taxonomyId: request.taxonomyId,
    taxonomyName,
    space: windows.space,
    views: null,
    parameters: request,
    classes,
    droppedClasses: choice.droppedClasses,
    counts: {
      train: countsOf(parts.train),
      validation: countsOf(parts.validation),
      test: countsOf(parts.test),
    },
    curve: curve.map((progress) => ({ ...curvePoint(progress), kept: progress.step === keptStep })),
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
  };
  return storeAtOnce(library, experiment.id, { tracks, predictions }, () =>
    library.experiments.insert(experiment, tracks, { metrics, network, thresholds }),
  );
}

/** The paper's; the window does not offer it. */
const WEIGHT_DECAY = 1e-5;

/** The part of a request that the trainer takes. */
export function trainerParameters(request: TrainRequest): TrainParameters {
  const { prototypesPerClass, steps, batchSize, learningRate, lambda, temperature, seed, task } = request;
  const { adaptor, initialisation, projection } = request;
  const start = { adaptor, initialisation, projection };
  const { prototypeLoss, coverage, channelWeights } = request;
  return {
    ...{ prototypesPerClass, steps, batchSize, learningRate, lambda, temperature, seed, task, ...start },
    ...{ prototypeLoss, coverage, channelWeights },
    weightDecay: WEIGHT_DECAY,
  };
}

/** Puts the tracks that take part into the parts of a split. */
export function assignSplits(
  library: Library,
  { tracks }: ClassChoice,
  request: Pick<TrainRequest, 'groupBy' | 'split' | 'seed'>,
): SplitTrack[] {
  const groups = splitGroups(library.groupFacts(), request.groupBy);
  const items = tracks.map(({ id, labels }) => ({ id, group: groups.get(id) ?? id, label: labels[0] ?? 0 }));
  const splits = splitTracks(items, request.split, request.seed);
  return tracks.map((track) => ({ ...track, split: splits.get(track.id) ?? 'train' }));
}

export function curvePoint(progress: TrainProgress): CurvePoint {
  return {
    step: progress.step,
    loss: progress.loss,
    classLoss: progress.classLoss,
    prototypeLoss: progress.prototypeLoss,
    trainAccuracy: progress.trainAccuracy,
    trainMicroF1: progress.trainF1Micro,
    validationLoss: progress.validation?.loss ?? null,
    validationAccuracy: progress.validation?.accuracy ?? null,
    validationMicroF1: progress.validation?.f1Micro ?? null,
    kept: null,
  };
}

/** Seconds that the steps left will take; null before the first one. */
export function remainingSeconds(started: number, { step, steps }: TrainProgress): number | null {
  return step === 0 ? null : ((performance.now() - started) / 1000 / step) * (steps - step);
}
