import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { ViewNetwork } from '../../models/views/view-network.ts';
import type { Explanation, ViewPart, WindowClasses } from '../api/classify.ts';
import type { Experiment } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import { viewedTracks, type ViewedTrack } from '../experiments/viewed-tracks.ts';
import type { Library } from '../library/library.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';
import { argmax, classScores, namedContributions } from './network-scores.ts';

interface Request {
  experimentId: string;
  trackId: string;
  class: string | null;
  windowIndex: number | null;
}

/**
 * Explains the decision for a track, or for one window of it: bias + Σ contributions = logit of the class.
 * @param request.class the class to explain; null for the predicted one.
 * @throws EngineError `not-found` for an unknown class or window, or a track without embeddings; `other-space` for one
 * without embeddings in the space of the experiment
 */
export function explainTrack(library: Library, request: Request): Explanation {
  const experiment = library.experiments.get(request.experimentId);
  const network = library.experiments.anyNetwork(request.experimentId);
  return network instanceof PrototypeNetwork
    ? explainInOne(library, experiment, network, request)
    : explainInViews(library, experiment, network, request);
}

function explainInOne(
  library: Library,
  { space }: Experiment,
  network: PrototypeNetwork,
  request: Request,
): Explanation {
  const windows = library.embeddings.ofTrack(request.trackId, space);
  const { vectors, count } = chosenWindows(windows, request.windowIndex);
  const classified = network.classify(vectors, count);
  const classIndex = classOf(network.data.classes, request, classified.prediction);
  const { bias, logit, contributions } = network.explain(vectors, count, classIndex);
  return {
    ...subjectOf(request, network.data.classes[classIndex] ?? ''),
    ...{ bias, logit },
    probability: classified.probabilities[classIndex] ?? 0,
    contributions: namedContributions(network.data.classes, contributions),
    scores: classScores(network.data.classes, classified),
    views: null,
  };
}

function explainInViews(
  library: Library,
  experiment: Experiment,
  network: ViewNetwork,
  request: Request,
): Explanation {
  const { windowIndex } = request;
  const track = viewedTrack(library, experiment, request.trackId);
  const row = windowIndex === null ? null : rowOf(track.windowIndex, windowIndex);
  const [vectors, count] =
    row === null ? [track.vectors, track.count] : [track.vectors.map(rowIn(track, row)), 1];
  const classified = network.classify(vectors, count);
  const classIndex = classOf(network.classes, request, classified.prediction);
  const { bias, logit, contributions, views } = network.explain(vectors, count, classIndex);
  return {
    ...subjectOf(request, network.classes[classIndex] ?? ''),
    ...{ bias, logit },
    probability: classified.probabilities[classIndex] ?? 0,
    contributions: namedContributions(network.classes, contributions),
    scores: classScores(network.classes, classified),
    views: (experiment.views?.views ?? []).map(({ space }, v): ViewPart => {
      const alone = classified.alone[v] ?? null;
      return {
        packId: space.packId,
        contribution: views[v] ?? null,
        alone: alone === null ? null : (network.classes[alone] ?? ''),
        decides: v === classified.deciding,
      };
    }),
  };
}

/**
 * Classes of every window of a track.
 * @throws EngineError `not-found`, `other-space`
 */
export function classifyWindows(library: Library, experimentId: string, trackId: string): WindowClasses {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.anyNetwork(experimentId);
  if (network instanceof PrototypeNetwork) {
    const windows = library.embeddings.ofTrack(trackId, experiment.space);
    const { windowLogits } = network.classify(windows.vectors, windows.count);
    return windowClasses(network, network.data.classes, windows, windowLogits);
  }
  const track = viewedTrack(library, experiment, trackId);
  const { windowLogits } = network.classify(track.vectors, track.count);
  return windowClasses(network, network.classes, track, windowLogits);
}

function windowClasses(
  network: { probabilities: (logits: Float32Array) => Float32Array },
  classes: readonly string[],
  { count, startSeconds, durationSeconds }: Pick<ViewedTrack, 'count' | 'startSeconds' | 'durationSeconds'>,
  windowLogits: Float32Array,
): WindowClasses {
  const probabilities = new Float32Array(count * classes.length);
  const prediction: number[] = [];
  for (let row = 0; row < count; row++) {
    const logits = windowLogits.subarray(row * classes.length, (row + 1) * classes.length);
    probabilities.set(network.probabilities(logits), row * classes.length);
    prediction.push(argmax(logits));
  }
  return {
    startSeconds: [...startSeconds],
    durationSeconds: durationSeconds.reduce((longest, seconds) => Math.max(longest, seconds), 0),
    classes: [...classes],
    prediction,
    probabilities,
  };
}

/** @throws EngineError `not-found` where no view has the track */
function viewedTrack(library: Library, { views }: Experiment, trackId: string): ViewedTrack {
  const spaces = (views?.views ?? []).map(({ space }) => space);
  const [track] = viewedTracks(library, spaces, [trackId]);
  if (track) return track;
  throw new EngineError(
    'not-found',
    'This track is embedded in none of the views of the experiment.',
    `Import the library with ${spaces.map(({ packId }) => `“${packId}”`).join(' and ')}; if the track failed, its row says why.`,
  );
}

function subjectOf(
  { trackId, experimentId, windowIndex }: Request,
  name: string,
): Pick<Explanation, 'trackId' | 'experimentId' | 'windowIndex' | 'class'> {
  return { trackId, experimentId, windowIndex, class: name };
}

function classOf(classes: readonly string[], request: Request, predicted: number): number {
  const index = request.class === null ? predicted : classes.indexOf(request.class);
  if (classes[index] === undefined)
    throw new EngineError('not-found', `The experiment has no class “${request.class ?? ''}”.`);
  return index;
}

function chosenWindows(
  windows: WindowEmbeddings,
  windowIndex: number | null,
): { vectors: Float32Array; count: number } {
  if (windowIndex === null) return { vectors: windows.vectors, count: windows.count };
  const row = rowOf(windows.windowIndex, windowIndex);
  return { vectors: windows.vectors.subarray(row * windows.dim, (row + 1) * windows.dim), count: 1 };
}

function rowOf(windowIndices: Int32Array, windowIndex: number): number {
  const row = windowIndices.indexOf(windowIndex);
  if (row < 0) throw new EngineError('not-found', `The track has no window ${windowIndex}.`);
  return row;
}

/** One window of each view. */
function rowIn({ count }: ViewedTrack, row: number): (vectors: Float32Array | null) => Float32Array | null {
  return (vectors) => {
    if (!vectors) return null;
    const dim = vectors.length / count;
    return vectors.subarray(row * dim, (row + 1) * dim);
  };
}
