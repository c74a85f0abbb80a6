import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { trainViews } from '../../models/views/train-views.ts';
import type { ViewNetwork } from '../../models/views/view-network.ts';
import type { Experiment, SplitName, TrainRequest } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { ExperimentView, LackingTrack, ViewsReport, ViewsRequest } from '../api/views.ts';
import type { EngineContext } from '../context.ts';
import { newId } from '../identifier.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { NewExperiment, SplitTrack } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import { chooseClasses } from './classes.ts';
import { chooseViews } from './choose-views.ts';
import { scoreSplits } from './metrics.ts';
import { predictViewed } from './predict.ts';
import { storeAtOnce } from './store-at-once.ts';
import { thresholdsOnValidation } from './thresholds.ts';
import { assignSplits, curvePoint, remainingSeconds, trainerParameters } from './train.ts';
import { countsOf, trainingSet, type Member } from './training-set.ts';
import { viewedTracks, type ViewedTrack } from './viewed-tracks.ts';

/** Tracks that lack a view, of which the first ones are listed. */
const MOST_LISTED = 200;

/**
 * Trains one classifier that looks at several spaces together, as `train` does in one. Tracks that lack a view take no
 * part in training and scores; they are listed, and classified by the views they have.
 * @throws EngineError `bad-input`, `not-found`, `too-few-labels`, `training`; the signal's reason
 */
export async function trainInViews(
  context: EngineContext,
  library: Library,
  request: TrainRequest & { views: ViewsRequest },
  job: JobHandle,
): Promise<Experiment> {
  const started = performance.now();
  const taxonomyName = library.taxonomies.nameOf(request.taxonomyId);
  const spaces = chooseViews(library, request);
  const viewed = viewedTracks(library, spaces);
  const leftOut = library.tracks.leftOut();
  const whole = viewed.filter(({ vectors }) => vectors.every((own) => own !== null));
  if (whole.length === 0) throw noneInAll(spaces);
  const taught = whole.map(({ trackId }) => trackId).filter((id) => !leftOut.has(id));
  const choice = chooseClasses(taught, library.labels.of(request.taxonomyId), request);
  const { classes } = choice;
  job.entitle(`Train ${taxonomyName} in ${spaces.length} views, ${classes.length} classes`);
  const tracks = assignSplits(library, choice, request);
  const parts = partsOf(tracks, whole);
  for (const part of ['train', 'validation', 'test'] as const)
    if (parts[part].length === 0)
      throw new EngineError(
        'training',
        `No track fell into the ${part === 'train' ? 'training' : part} part, which a training of several views needs.`,
        'Label more tracks, or give that part a larger share.',
      );
  const sets = (part: SplitName): LabelledWindows[] =>
    spaces.map((_, v) => trainingSet(inView(parts[part], v), dimOf(whole, v), classes));
  const { weighting, head } = request.views;
  const { network, curve, blend, keptStep, overfitting } = await trainViews(
    sets('train'),
    sets('validation'),
    { ...trainerParameters(request), weighting, head },
    {
      signal: job.signal,
      pace: () => job.checkpoint(),
      onProgress: (progress) => {
        const { step: done, steps: total } = progress;
        job.report({ done, total, unit: 'steps', etaSeconds: remainingSeconds(started, progress) });
        context.events.emit({ type: 'train-progress', jobId: job.id, point: curvePoint(progress) });
      },
    },
  );

  await job.checkpoint();
  const predictions = await predictViewed(network, viewed, job.signal);
  const thresholds =
    request.task === 'single' ? null : thresholdsOnValidation(tracks, predictions, classes.length);
  const metrics = scoreSplits(tracks, predictions, classes, thresholds);
  const alone = await accuracies(network, parts, job.signal);
  const [space] = spaces;
  if (!space) throw noneInAll(spaces);
  const views: ViewsReport = {
    views: spaces.map((own, v): ExperimentView => ({
      space: own,
      accuracy: alone[v] ?? { train: null, validation: null, test: null },
      overfitting: overfitting[v] ?? false,
      prototypes: network.data.views[v]?.network.prototypeCount ?? 0,
    })),
    blend,
    lacking: lackingOf(library, viewed),
    notes: notesOf(classes, parts.validation),
  };
  const experiment: NewExperiment = {
    id: newId(),
    name: `${taxonomyName} · ${titlesOf(context, spaces)} · seed ${request.seed}`.slice(0, 200),
    ...{ taxonomyId: request.taxonomyId, taxonomyName, space, views },
    parameters: request,
    classes,
    droppedClasses: choice.droppedClasses,
    counts: {
      train: countsOf(inView(parts.train, 0)),
      validation: countsOf(inView(parts.validation, 0)),
      test: countsOf(inView(parts.test, 0)),
    },
    curve: curve.map((progress) => ({ ...curvePoint(progress), kept: progress.step === keptStep })),
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
  };
  return storeAtOnce(library, experiment.id, { tracks, predictions }, () =>
    library.experiments.insert(experiment, tracks, { metrics, network, thresholds }),
  );
}

/** As the window calls views: what a person learned has an id that says nothing. */
function titlesOf({ packs }: EngineContext, spaces: readonly SpaceInfo[]): string {
  return spaces.map(({ packId }) => packs.find(packId)?.manifest.title ?? packId).join(' + ');
}

interface ViewedMember {
  track: SplitTrack;
  viewed: ViewedTrack;
}

function partsOf(
  tracks: readonly SplitTrack[],
  viewed: readonly ViewedTrack[],
): Record<SplitName, ViewedMember[]> {
  const byId = new Map(viewed.map((own) => [own.trackId, own]));
  const parts: Record<SplitName, ViewedMember[]> = { train: [], validation: [], test: [] };
  for (const track of tracks) {
    const own = byId.get(track.id);
    if (own) parts[track.split].push({ track, viewed: own });
  }
  return parts;
}

/** What a training set of one view is made of. */
function inView(members: readonly ViewedMember[], view: number): Member[] {
  return members.map(({ track, viewed: { trackId, count, vectors } }) => ({
    track,
    vectors: { trackId, start: 0, count, vectors: vectors[view] ?? new Float32Array() },
  }));
}

function dimOf([first]: readonly ViewedTrack[], view: number): number {
  return first ? (first.vectors[view]?.length ?? 0) / first.count : 0;
}

/** Share of right first answers of each view alone; of several labels, tracks whose first answer they bear. */
async function accuracies(
  network: ViewNetwork,
  parts: Readonly<Record<SplitName, readonly ViewedMember[]>>,
  signal: AbortSignal,
): Promise<ExperimentView['accuracy'][]> {
  const pacer = new Pacer(signal);
  const views = network.data.views.map((): ExperimentView['accuracy'] => ({
    train: null,
    validation: null,
    test: null,
  }));
  for (const part of ['train', 'validation', 'test'] as const) {
    const members = parts[part];
    const right = views.map(() => 0);
    for (const { track, viewed } of members) {
      if (pacer.due(viewed.count * network.prototypeCount * 256)) await pacer.pause();
      network.classify(viewed.vectors, viewed.count).alone.forEach((answer, v) => {
        if (answer !== null && track.labels.includes(answer)) right[v] = (right[v] ?? 0) + 1;
      });
    }
    views.forEach((accuracy, v) => (accuracy[part] = (right[v] ?? 0) / members.length));
  }
  return views;
}

function lackingOf(library: Library, viewed: readonly ViewedTrack[]): ViewsReport['lacking'] {
  const all = viewed.flatMap(({ trackId, vectors }): Omit<LackingTrack, 'path'>[] => {
    const views = vectors.flatMap((own, v) => (own === null ? [v] : []));
    return views.length === 0 ? [] : [{ trackId, views }];
  });
  const listed = all
    .slice(0, MOST_LISTED)
    .map((track) => ({ ...track, path: library.tracks.nameOf(track.trackId).path }));
  return { tracks: all.length, listed };
}

function notesOf(classes: readonly string[], validation: readonly ViewedMember[]): string[] {
  const seen = new Set(validation.flatMap(({ track }) => track.labels));
  const absent = classes.filter((_, c) => !seen.has(c));
  if (absent.length === 0) return [];
  const names = absent.slice(0, 10).map((name) => `“${name}”`);
  return [
    `No validation track is of ${names.join(', ')}${absent.length > 10 ? ` and ${absent.length - 10} more` : ''}: the weights of the views do not take account of ${absent.length === 1 ? 'it' : 'them'}.`,
  ];
}

function noneInAll(spaces: readonly SpaceInfo[]): EngineError {
  return new EngineError(
    'bad-input',
    `No track is embedded in all of ${spaces.map(({ packId }) => `“${packId}”`).join(', ')}.`,
    'Import the library with each of these packs: tracks that lack a view cannot be learned from.',
  );
}
