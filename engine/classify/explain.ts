import type { Explanation, WindowClasses } from '../api/classify.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';
import { argmax, classScores, namedContributions } from './network-scores.ts';

/**
 * Explains the decision for a track, or for one window of it: bias + Σ contributions = logit of the class.
 * @param request.class the class to explain; null for the predicted one.
 * @throws EngineError `not-found` for an unknown class or window, or a track without embeddings; `other-space` for one
 * without embeddings in the space of the experiment
 */
export function explainTrack(
  library: Library,
  request: { experimentId: string; trackId: string; class: string | null; windowIndex: number | null },
): Explanation {
  const { space } = library.experiments.get(request.experimentId);
  const network = library.experiments.network(request.experimentId);
  const windows = library.embeddings.ofTrack(request.trackId, space);
  const { vectors, count } = chosenWindows(windows, request.windowIndex);
  const classified = network.classify(vectors, count);
  const classIndex =
    request.class === null ? classified.prediction : network.data.classes.indexOf(request.class);
  const name = network.data.classes[classIndex];
  if (name === undefined)
    throw new EngineError('not-found', `The experiment has no class “${request.class ?? ''}”.`);
  const { bias, logit, contributions } = network.explain(vectors, count, classIndex);
  return {
    trackId: request.trackId,
    experimentId: request.experimentId,
    class: name,
    windowIndex: request.windowIndex,
    bias,
    logit,
    probability: classified.probabilities[classIndex] ?? 0,
    contributions: namedContributions(network, contributions),
    scores: classScores(network, classified.logits),
  };
}

/**
 * Classes of every window of a track.
 * @throws EngineError `not-found`, `other-space`
 */
export function classifyWindows(library: Library, experimentId: string, trackId: string): WindowClasses {
  const { space } = library.experiments.get(experimentId);
  const network = library.experiments.network(experimentId);
  const windows = library.embeddings.ofTrack(trackId, space);
  const { classes } = network.data;
  const { windowLogits } = network.classify(windows.vectors, windows.count);
  const probabilities = new Float32Array(windows.count * classes.length);
  const prediction: number[] = [];
  for (let row = 0; row < windows.count; row++) {
    const logits = windowLogits.subarray(row * classes.length, (row + 1) * classes.length);
    probabilities.set(network.probabilities(logits), row * classes.length);
    prediction.push(argmax(logits));
  }
  return {
    startSeconds: [...windows.startSeconds],
    durationSeconds: windows.durationSeconds.reduce((longest, seconds) => Math.max(longest, seconds), 0),
    classes,
    prediction,
    probabilities,
  };
}

function chosenWindows(
  windows: WindowEmbeddings,
  windowIndex: number | null,
): { vectors: Float32Array; count: number } {
  if (windowIndex === null) return { vectors: windows.vectors, count: windows.count };
  const row = windows.windowIndex.indexOf(windowIndex);
  if (row < 0) throw new EngineError('not-found', `The track has no window ${windowIndex}.`);
  return { vectors: windows.vectors.subarray(row * windows.dim, (row + 1) * windows.dim), count: 1 };
}
