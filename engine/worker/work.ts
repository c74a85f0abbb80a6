import { mkdir, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { hashFile } from '../../models/conversion/index.ts';
import { AudioError } from '../../models/audio/index.ts';
import type { DeformationTools } from '../../models/deformations/deformation.ts';
import { ScenarioError, scenarioOfPlain } from '../../models/deformations/scenario.ts';
import { measureBatchSize, PackError, type PackRuntime } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { deformedFile, embedAudio, resampled } from '../import/embed-deformed.ts';
import { embedOne } from '../import/embed-one.ts';
import type { TrackResult } from '../import/track-store.ts';
import { embeddedAnswer, failedAnswer, refusedAnswer } from '../import/track-answer.ts';
import { queueLimits, type QueueTask } from '../queue/protocol.ts';
import type { AudioWay } from './audio-ways.ts';
import { mappedPath, type FolderMap } from './file-map.ts';

export interface WorkOptions {
  runtimeOf: (packSha256: string) => Promise<PackRuntime>;
  decode: AudioDecoder;
  /** Windows per run of a pack; null: the size that proves best here. */
  batch: number | null;
  maps: readonly FolderMap[];
  audio: AudioWay;
  /** Has the library's machine send a file. @returns false when it does not */
  fetchAudio: (task: QueueTask, path: string) => Promise<boolean>;
  /** Where what was sent lies meanwhile. */
  audioFolder: string;
  signal: AbortSignal;
  onWindow: () => void;
}

/** What came out of a task, in words and as it is sent. */
export interface Worked {
  answer: Uint8Array;
  outcome: 'answered' | 'file-failed' | 'cannot';
  windows: number;
  message: string | null;
}

const batches = new WeakMap<PackRuntime, Promise<number>>();

/**
 * Does a task. A fault of the file or of this machine is an answer, too.
 * @param deliveries how often the task was handed out
 * @throws the signal's reason; whatever is neither the file's fault nor the pack's
 */
export async function work(task: QueueTask, deliveries: number, options: WorkOptions): Promise<Worked> {
  if (deliveries > queueLimits.deliveries) return failed(task, endsWorkers(task, deliveries - 1));
  const own = mappedPath(task.path, options.maps);
  const here = options.audio === 'sent' ? null : await contentOf(own, options.signal);
  if (here === task.contentHash) return embed(task, own, options);
  // Where it can be sent, another file of that name, such as a copy that has got old, says nothing about the library's.
  if (options.audio === 'folder')
    return here === null ? cannot(task, notHere(own)) : failed(task, changed(task.path));
  await mkdir(options.audioFolder, { recursive: true });
  const sent = join(options.audioFolder, `${process.pid}-${task.contentHash}${extname(task.path)}`);
  try {
    return (await options.fetchAudio(task, sent))
      ? await embed(task, sent, options)
      : cannot(task, notSent(task));
  } finally {
    await rm(sent, { force: true });
  }
}

/** The hash of a file; null where there is none that can be read. */
async function contentOf(path: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await stat(path)).isFile() ? await hashFile(path, signal) : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** @param path of a file with the content of the task */
async function embed(task: QueueTask, path: string, options: WorkOptions): Promise<Worked> {
  try {
    const before = await stat(path);
    const runtime = await options.runtimeOf(task.packSha256);
    const result = await ways[task.steps === null ? 'track' : 'vectors'](task, path, runtime, options);
    const after = await stat(path).catch(() => null);
    if (after?.mtimeMs !== before.mtimeMs || after.size !== before.size)
      return failed(task, changed(task.path));
    const by = runtime.computedBy;
    if (!by) throw new Error('nothing was computed');
    const answer = embeddedAnswer(task, result, by);
    return { answer, outcome: 'answered', windows: result.windows.length, message: null };
  } catch (thrown) {
    options.signal.throwIfAborted();
    // Another worker may have one.
    if (thrown instanceof AudioError && thrown.code === 'needs-external-decoder') return cannot(task, thrown);
    const told =
      thrown instanceof ScenarioError
        ? new EngineError('audio', thrown.message, 'Choose a milder deformation.')
        : named(thrown, path, task.path);
    const answer = failedAnswer(task, told);
    if (answer) return { answer, outcome: 'file-failed', windows: 0, message: text(thrown) };
    if (thrown instanceof PackError || (thrown instanceof EngineError && thrown.code === 'pack'))
      return cannot(task, thrown);
    throw thrown;
  }
}

type Way = (
  task: QueueTask,
  path: string,
  runtime: PackRuntime,
  options: WorkOptions,
) => Promise<TrackResult>;

/** What is made of a file. */
const ways: Readonly<Record<'track' | 'vectors', Way>> = {
  track: async (task, path, runtime, options) =>
    embedOne(path, {
      ...{ runtime, signal: options.signal, decode: options.decode, onWindow: options.onWindow },
      ...{ durationSeconds: task.durationSeconds, windows: task.windows },
      batch: await batchSize(runtime, options),
    }),
  vectors: async (task, path, runtime, { decode, signal, onWindow }) => {
    const { sampleRate, embeddingDim } = runtime.pack.manifest;
    const scenario = task.steps === null || task.steps.length === 0 ? null : scenarioOfPlain(task.steps);
    const audio =
      scenario === null
        ? decode.decode(path, { sampleRate, signal })
        : resampled(
            deformedFile({ path, sha256: task.contentHash, decode, signal }, scenario, noTools).then(
              ({ samples }) => samples,
            ),
            sampleRate,
          );
    const { kept, vectors, samples } = await embedAudio(runtime, audio, task.windows, signal);
    kept.forEach(() => onWindow());
    return {
      ...{ durationSeconds: samples / sampleRate, note: null, peaks: new Int8Array() },
      windows: kept.map(({ index, startSample, validSamples }, row) => ({
        index,
        startSeconds: startSample / sampleRate,
        seconds: validSamples / sampleRate,
        z: vectors.subarray(row * embeddingDim, (row + 1) * embeddingDim),
      })),
    };
  },
};

/** Scenarios that need more are not sent. */
const noTools: DeformationTools = {
  mp3: null,
  response: () => Promise.reject(new Error('an impulse response is not here')),
};

/** Measured once for each pack, in about a second. */
function batchSize(runtime: PackRuntime, { batch, signal }: WorkOptions): number | Promise<number> {
  if (batch !== null) return batch;
  const known = batches.get(runtime) ?? measureBatchSize(runtime, { signal }).then(({ size }) => size);
  batches.set(runtime, known);
  known.catch(() => batches.delete(runtime));
  return known;
}

function failed(task: QueueTask, error: EngineError): Worked {
  const answer = failedAnswer(task, error) ?? refusedAnswer(task, error);
  return { answer, outcome: 'file-failed', windows: 0, message: error.message };
}

function cannot(task: QueueTask, error: { message: string; hint: string }): Worked {
  return { answer: refusedAnswer(task, error), outcome: 'cannot', windows: 0, message: error.message };
}

/** People know a file by where it lies in their library. */
function named(thrown: unknown, here: string, there: string): unknown {
  if (!(thrown instanceof Error) || here === there) return thrown;
  thrown.message = thrown.message.replaceAll(here, there);
  return thrown;
}

const text = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

function notHere(path: string): EngineError {
  return new EngineError(
    'audio',
    `The worker does not find ${path}, or may not read it.`,
    'Start it with --map, which says where a folder of the library lies on its machine.',
  );
}

function notSent({ path }: QueueTask): EngineError {
  return new EngineError(
    'audio',
    `${path} did not reach the worker, or changed while it was imported.`,
    'Import again and keep the machine of the library running, or start the worker with --map.',
  );
}

function changed(path: string): EngineError {
  return new EngineError(
    'audio',
    `${path} changed while it was imported, or is another file on the worker's machine.`,
    'Import again once nothing writes to it.',
  );
}

function endsWorkers({ path }: QueueTask, times: number): EngineError {
  return new EngineError(
    'audio',
    `${path} ended the workers that read it, ${times} times.`,
    'Play the file in another program; if it fails there too, get a fresh copy.',
  );
}
