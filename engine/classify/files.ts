import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PeakAccumulator } from '../../models/audio/peaks.ts';
import { cutWindows } from '../../models/audio/windows.ts';
import type { PackRuntime } from '../../models/packs/runtime.ts';
import { embedWindows } from '../../models/pecmae/embed.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { ViewVectors } from '../../models/views/view-network.ts';
import type { FileClassification } from '../api/classify.ts';
import type { LabelThreshold } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { JobLane } from '../api/jobs.ts';
import type { EngineContext } from '../context.ts';
import { viewed, type Windows } from '../experiments/viewed-tracks.ts';
import type { AnyNetwork } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { predictedLabels } from '../library/predictions.ts';
import { scanFolder } from '../files/scan.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { asEngineError } from '../packs/failures.ts';
import { outlineOf } from './outline.ts';
import { argmax, classScores, namedContributions } from './network-scores.ts';

/** Windows per run of the encoder. */
const BATCH = 8;
/** Slices of the waveform per second, until it is known how long the file is. */
const PEAKS_PER_SECOND = 20;

/** Embeddings of one file. */
export interface FileEmbeddings {
  count: number;
  /** `[count, D]` */
  vectors: Float32Array;
  startSeconds: number[];
  /** Seconds of audio. */
  seconds: number;
  /** What was damaged in the file; null when nothing was. */
  note: string | null;
  /** The waveform: lowest and highest sample of each slice in turn, −1…1. */
  peaks: Float32Array;
}

/**
 * Decodes one file and embeds all of its windows.
 * @throws AudioError for a file that gives no audio; PackError; the signal's reason
 */
export async function embedFile(
  decode: AudioDecoder,
  runtime: PackRuntime,
  path: string,
  signal: AbortSignal,
): Promise<FileEmbeddings> {
  const { sampleRate, windowSamples, embeddingDim } = runtime.pack.manifest;
  const notes = new Set<string>();
  const mono = decode.decode(path, { sampleRate, signal, onWarning: (note) => notes.add(note) });
  const peaks = new PeakAccumulator(sampleRate, PEAKS_PER_SECOND);
  const rows: Float32Array[] = [];
  const startSeconds: number[] = [];
  let samples = 0;
  const windows = embedWindows(runtime, cutWindows(watched(mono, peaks), { windowSamples }), {
    batchSize: BATCH,
    signal,
  });
  for await (const { window, z } of windows) {
    rows.push(z);
    startSeconds.push(window.startSample / sampleRate);
    samples += window.validSamples;
  }
  const vectors = new Float32Array(rows.length * embeddingDim);
  rows.forEach((row, i) => vectors.set(row, i * embeddingDim));
  const note = notes.size === 0 ? null : [...notes].join(' ');
  const seconds = samples / sampleRate;
  return { count: rows.length, vectors, startSeconds, seconds, note, peaks: peaks.finish() };
}

/** Passes a stream on, and draws its waveform on the way. */
async function* watched(
  mono: AsyncIterable<Float32Array>,
  peaks: PeakAccumulator,
): AsyncGenerator<Float32Array, void> {
  for await (const piece of mono) {
    peaks.push(piece);
    yield piece;
  }
}

/** Something below a named folder that cannot be read. */
interface ExpandProblem {
  path: string;
  error: EngineError;
}

/**
 * Files as they are, folders as the audio files below them; what cannot be read there is listed.
 * @throws EngineError `unreadable` for a folder that cannot be listed; the signal's reason
 */
export async function expandPaths(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ files: string[]; problems: ExpandProblem[] }> {
  const files: string[] = [];
  const problems: ExpandProblem[] = [];
  for (const path of paths) {
    const absolute = resolve(path);
    const facts = await stat(absolute).catch(() => null);
    if (!facts?.isDirectory()) files.push(absolute);
    else {
      const scan = await scanFolder(absolute, { signal });
      const whole = (path: string): string => join(absolute, ...path.split('/'));
      for (const { path } of scan.files) files.push(whole(path));
      for (const { path, error } of scan.problems) problems.push({ path: whole(path), error });
    }
  }
  return { files, problems };
}

/** A file classified, and how much was embedded for it. */
interface ClassifiedFile {
  file: FileClassification;
  windows: number;
  seconds: number;
}

/**
 * What classifies files by an experiment, through all of its views.
 * @returns throws AudioError for a file that gives no audio; PackError; the signal's reason
 * @throws EngineError `not-found`, `pack`, `other-space`
 */
export async function openClassifier(
  context: EngineContext,
  library: Library,
  experimentId: string,
  lane: JobLane,
): Promise<(path: string, signal: AbortSignal) => Promise<ClassifiedFile>> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.anyNetwork(experimentId);
  const spaces = experiment.views?.views.map(({ space }) => space) ?? [experiment.space];
  const runtimes: PackRuntime[] = [];
  for (const space of spaces) {
    const pack = packOfSpace(context, space, 'this experiment was trained with');
    runtimes.push(await context.packs.runtime(pack.manifest.id, lane));
  }
  return async (path, signal) => {
    const own: FileEmbeddings[] = [];
    for (const runtime of runtimes) own.push(await embedFile(context.readers, runtime, path, signal));
    const [embeddings] = own;
    if (!embeddings) throw new EngineError('internal', 'An experiment without a space.');
    const vectors = viewed(
      path,
      own.map((view, v) => windowsOf(view, runtimes[v]?.pack.manifest.windowSeconds ?? 0)),
    ).vectors;
    const file = classification(network, experiment.thresholds, path, embeddings, vectors);
    return { file, windows: embeddings.count, seconds: embeddings.seconds };
  };
}

/**
 * Classifies files that need not be in the library, folders included. A file that cannot be used is listed with its
 * reason; the others go on.
 * @throws EngineError `not-found`, `pack`, `other-space`; the signal's reason
 */
export async function classifyFiles(
  context: EngineContext,
  library: Library,
  request: { experimentId: string; paths: readonly string[] },
  job: JobHandle,
): Promise<FileClassification[]> {
  const classify = await openClassifier(context, library, request.experimentId, job.lane);
  const { files, problems } = await expandPaths(request.paths, job.signal);
  const started = performance.now();
  const results: FileClassification[] = [];
  const add = (file: FileClassification): void => {
    results.push(file);
    context.events.emit({ type: 'file-classified', libraryId: library.id, jobId: job.id, file });
  };
  const sum = { windows: 0, seconds: 0, failures: problems.length };
  for (const path of files) {
    await job.checkpoint();
    job.report({ done: results.length, total: files.length, unit: 'files', current: path });
    try {
      const { file, windows, seconds } = await classify(path, job.signal);
      sum.windows += windows;
      sum.seconds += seconds;
      add(file);
    } catch (thrown) {
      job.signal.throwIfAborted();
      const error = asEngineError(thrown);
      // A file at fault is its own affair; a pack or a disk at fault would fail every file.
      if (error.code === 'pack' || error.code === 'disk-full') throw error;
      sum.failures++;
      add(failed(path, error));
    }
    const elapsed = (performance.now() - started) / 1000;
    job.report({
      done: results.length,
      windows: sum.windows,
      failures: sum.failures,
      audioSecondsPerSecond: sum.seconds / elapsed,
      etaSeconds: (elapsed / results.length) * (files.length - results.length),
    });
  }
  return [...results, ...problems.map(({ path, error }) => failed(path, error))];
}

/** As the windows of a track of a library lie: the last one ends where the sound does. */
function windowsOf(
  { count, vectors, startSeconds, seconds }: FileEmbeddings,
  windowSeconds: number,
): Windows {
  return {
    ...{ count, vectors },
    windowIndex: Int32Array.from({ length: count }, (_, row) => row),
    startSeconds: Float32Array.from(startSeconds),
    durationSeconds: Float32Array.from(startSeconds, (start) => Math.min(windowSeconds, seconds - start)),
  };
}

/** @param vectors of each view; of an experiment of one space of that alone */
function classification(
  network: AnyNetwork,
  thresholds: readonly LabelThreshold[] | null,
  path: string,
  { count, startSeconds, seconds, note, peaks }: FileEmbeddings,
  vectors: ViewVectors,
): FileClassification {
  const { classes, classified, explain } = decide(network, vectors, count);
  const { logits, prediction, windowLogits, probabilities } = classified;
  const windows = startSeconds.map((start, row) => {
    const own = windowLogits.subarray(row * classes.length, (row + 1) * classes.length);
    const best = argmax(own);
    return {
      startSeconds: start,
      class: classes[best] ?? '',
      probability: network.probabilities(own)[best] ?? 0,
    };
  });
  const { bias, contributions } = explain(prediction);
  return {
    path,
    problem: null,
    note,
    prediction: classes[prediction] ?? null,
    labels: thresholds && namedLabels(classes, probabilities, thresholds),
    scores: classScores(classes, { logits, probabilities }),
    bias,
    contributions: namedContributions(classes, contributions),
    windows,
    durationSeconds: seconds,
    outline: outlineOf(peaks),
  };
}

/** What a network says of windows, whichever kind it is of. */
function decide(network: AnyNetwork, vectors: ViewVectors, count: number) {
  if (!(network instanceof PrototypeNetwork))
    return {
      classes: network.classes,
      classified: network.classify(vectors, count),
      explain: (classIndex: number) => network.explain(vectors, count, classIndex),
    };
  const own = vectors[0] ?? new Float32Array();
  return {
    classes: network.data.classes,
    classified: network.classify(own, count),
    explain: (classIndex: number) => network.explain(own, count, classIndex),
  };
}

function namedLabels(
  classes: readonly string[],
  probabilities: Float32Array,
  thresholds: readonly LabelThreshold[],
): { label: string; probability: number }[] {
  return predictedLabels(probabilities, thresholds).map((label) => ({
    label: classes[label] ?? '',
    probability: probabilities[label] ?? 0,
  }));
}

function failed(path: string, error: EngineError): FileClassification {
  return {
    path,
    problem: error.toData(),
    note: null,
    prediction: null,
    labels: null,
    scores: [],
    bias: 0,
    contributions: [],
    windows: [],
    durationSeconds: 0,
    outline: [],
  };
}
