import { resampled } from '../../models/evaluation/statistics/index.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { counted } from '../../models/text/counted.ts';
import { compareMethods, type RepeatedComparison } from '../api/compare.ts';
import type { Experiment, Metrics, TrainRequest } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { chooseClasses, type ClassChoice } from './classes.ts';
import { scoreSplits } from './metrics.ts';
import { thresholdsOnValidation } from './thresholds.ts';
import { tracksOf, type TrackWindows } from './track-windows.ts';
import { assignSplits, trainerParameters } from './train.ts';
import { partition, trainingSet, type Member } from './training-set.ts';

/** What a job is told. */
export const repeatedSpecSchema = compareMethods['experiments.compareRepeated'].input;

interface Request {
  first: string;
  second: string;
  splits: number;
  seed: number;
}

/**
 * Trains the settings of two experiments again on several splits, and keeps how they compare. Both get the same tracks,
 * classes and splits (those of the first, with the larger minimum of tracks a class), so that what differs between them
 * is what else was chosen.
 * @throws EngineError `bad-input`, `not-found`, `too-few-labels`, `training`, `other-space`; the signal's reason
 */
export async function compareRepeated(
  library: Library,
  request: Request,
  job: JobHandle,
): Promise<RepeatedComparison> {
  const started = performance.now();
  const both = requireComparable(library, request);
  const [a] = both;
  const vectors = library.embeddings.madeIn(a.space, `The experiment “${a.name}”`);
  const { windows } = vectors;
  const leftOut = library.tracks.leftOut();
  const choice = chooseClasses(
    windows.trackIds.filter((id) => !leftOut.has(id)),
    library.labels.of(a.parameters.taxonomyId),
    {
      ...a.parameters,
      minimumTracks: Math.max(...both.map(({ parameters }) => parameters.minimumTracks)),
    },
  );
  const byTrack = await tracksOf(vectors, job.signal);
  const perSplit = both.reduce((sum, { parameters }) => sum + parameters.steps, 0);
  const splits: RepeatedComparison['splits'] = [];
  const shares: number[] = [];
  for (let i = 0; i < request.splits; i++) {
    // Seeds end where numbers of the sampler do.
    const seed = (request.seed + i) % 2 ** 32;
    const data: Split = splitOf(library, choice, byTrack, { ...a.parameters, seed }, windows.dim);
    const scores: Metrics[] = [];
    let before = i * perSplit;
    for (const { parameters } of both) {
      const report = (step: number): void =>
        job.report({
          ...{ done: before + step, total: request.splits * perSplit, unit: 'steps' },
          current: `split ${String(i + 1)} of ${String(request.splits)}`,
          etaSeconds: remaining(started, before + step, request.splits * perSplit),
        });
      scores.push(await scoreOf(data, { ...parameters, seed }, job, report));
      before += parameters.steps;
    }
    const [x, y] = scores;
    if (!x || !y) continue;
    splits.push({
      ...{ seed, tracks: x.tracks },
      ...{ accuracy: [x.accuracy, y.accuracy], macroF1: [x.macroF1, y.macroF1] },
    });
    shares.push(data.parts.test.length / data.parts.train.length);
  }
  const testPerTrain = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const result: RepeatedComparison = {
    ...{ firstId: request.first, secondId: request.second, seed: request.seed },
    ...{ classes: choice.classes, splits, metrics: metricsOf(splits, testPerTrain) },
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
  };
  // One of them may have been removed meanwhile.
  requireComparable(library, request);
  library.experiments.keepRepeated(result);
  return result;
}

/** The two experiments. @throws EngineError `bad-input` where their settings cannot be tried on the same tracks; `not-found` */
export function requireComparable(
  library: Library,
  { first, second }: Pick<Request, 'first' | 'second'>,
): [Experiment, Experiment] {
  const [a, b] = [library.experiments.get(first), library.experiments.get(second)];
  for (const { name, views } of [a, b])
    if (views !== null)
      throw new EngineError(
        'several-views',
        `“${name}” looks at several views; only experiments of one space are trained again over splits.`,
        'Compare the two on the tracks that both were tested on.',
      );
  const differ = [
    a.parameters.taxonomyId === b.parameters.taxonomyId ? '' : 'taxonomies',
    a.parameters.task === b.parameters.task ? '' : 'tasks',
    a.space.key === b.space.key ? '' : 'embedding spaces',
  ].filter((name) => name !== '');
  if (differ.length > 0)
    throw new EngineError(
      'bad-input',
      `The two experiments have different ${differ.join(' and ')}.`,
      'Only settings that can be trained on the same tracks are compared over splits: choose two that share these.',
    );
  // Renamed or removed since, the labels to train on would be others.
  library.taxonomies.nameOf(a.parameters.taxonomyId);
  if (a.parameters.split.test === 0)
    throw new EngineError(
      'bad-input',
      `“${a.name}” was trained without a test part.`,
      'Splits are made as the first experiment made its own: choose one that has a test part.',
    );
  return [a, b];
}

interface Split {
  classes: string[];
  dim: number;
  parts: ReturnType<typeof partition>;
}

function splitOf(
  library: Library,
  choice: ClassChoice,
  byTrack: readonly TrackWindows[],
  request: TrainRequest,
  dim: number,
): Split {
  const parts = partition(assignSplits(library, choice, request), byTrack);
  if (parts.train.length > 0 && parts.test.length > 0) return { classes: choice.classes, dim, parts };
  throw new EngineError(
    'training',
    `A split of ${counted(choice.tracks.length, 'track')} leaves none for the ${parts.train.length === 0 ? 'training' : 'test'} part.`,
    'Label more tracks, or give the split of the first experiment other shares.',
  );
}

/** Trains with some parameters, and scores the test part. */
async function scoreOf(
  { classes, dim, parts }: Split,
  request: TrainRequest,
  job: JobHandle,
  report: (step: number) => void,
): Promise<Metrics> {
  const { network } = await trainPrototypeNetwork(
    trainingSet(parts.train, dim, classes),
    parts.validation.length === 0 ? null : trainingSet(parts.validation, dim, classes),
    trainerParameters(request),
    {
      signal: job.signal,
      pace: () => job.checkpoint(),
      onProgress: ({ step }) => report(step),
    },
  );
  const asked = [...parts.validation, ...parts.test];
  const predictions = await predict(network, asked, job.signal);
  const tracks = [...parts.train, ...asked].map(({ track }) => track);
  const thresholds =
    request.task === 'single' ? null : thresholdsOnValidation(tracks, predictions, classes.length);
  const test = scoreSplits(tracks, predictions, classes, thresholds).find(({ split }) => split === 'test');
  if (!test) throw new EngineError('internal', 'No test track was classified.');
  return test;
}

async function predict(
  network: PrototypeNetwork,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<Map<string, TrackPrediction>> {
  const pacer = new Pacer(signal);
  const predictions = new Map<string, TrackPrediction>();
  for (const { track, vectors } of members) {
    const { vectors: own, count } = vectors;
    if (pacer.due(own.length * network.prototypeCount)) await pacer.pause();
    const { prediction: top, probabilities } = network.classify(own, count);
    predictions.set(track.id, { trackId: track.id, top, probabilities });
  }
  return predictions;
}

function metricsOf(
  splits: RepeatedComparison['splits'],
  testPerTrain: number,
): RepeatedComparison['metrics'] {
  return (['accuracy', 'macroF1'] as const).map((id) => {
    const over = (value: (pair: readonly [number, number]) => number) =>
      resampled(
        splits.map((split) => value(split[id])),
        testPerTrain,
      );
    const plain = ({ mean, low, high }: ReturnType<typeof resampled>) => ({ mean, low, high });
    return {
      id,
      first: plain(over(([a]) => a)),
      second: plain(over(([, b]) => b)),
      difference: over(([a, b]) => b - a),
    };
  });
}

function remaining(started: number, done: number, total: number): number | null {
  return done === 0 ? null : ((performance.now() - started) / 1000 / done) * (total - done);
}
