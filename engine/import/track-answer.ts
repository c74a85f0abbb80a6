/** Between what an import stores of a track and what travels of it. */
import { AudioError } from '../../models/audio/index.ts';
import type { Pack } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { ComputedBy, SpaceInfo } from '../api/spaces.ts';
import {
  readAnswer,
  taskKey,
  writeAnswer,
  type AnswerFacts,
  type AnswerNumbers,
  queueLimits,
  type QueueTask,
} from '../queue/protocol.ts';
import { PEAKS_PER_SECOND, type TrackResult } from './track-store.ts';

/** What a worker said of a track, believed only as far as it is possible at all. */
export type TrackAnswer =
  | { kind: 'embedded'; result: TrackResult; by: ComputedBy }
  /** A fault of the file. */
  | { kind: 'failed'; reason: AudioError | EngineError }
  /** Nobody tried. */
  | { kind: 'handed-back' }
  /** This worker could not. */
  | { kind: 'refused'; reason: EngineError };

type Named = Pick<QueueTask, 'spaceKey' | 'contentHash'>;

const cut = (text: string): string => text.slice(0, queueLimits.textChars);

/** The answer about a track that was embedded. */
export function embeddedAnswer(
  { spaceKey, contentHash }: Named,
  { durationSeconds, note, windows, peaks }: TrackResult,
  by: Extract<AnswerFacts, { kind: 'embedded' }>['by'],
): Uint8Array {
  const dim = windows[0]?.z.length ?? 0;
  const numbers: AnswerNumbers = {
    index: Int32Array.from(windows, ({ index }) => index),
    startSeconds: Float32Array.from(windows, (window) => window.startSeconds),
    seconds: Float32Array.from(windows, ({ seconds }) => seconds),
    vectors: new Float32Array(windows.length * dim),
    peaks,
  };
  windows.forEach(({ z }, row) => numbers.vectors.set(z, row * dim));
  return writeAnswer({
    ...{ spaceKey, contentHash, numbers },
    outcome: {
      kind: 'embedded',
      durationSeconds,
      note: note === null ? null : cut(note),
      by,
      dim,
      windows: windows.length,
      peaks: peaks.length,
    },
  });
}

/** The answer about a file that cannot be used, or null when `thrown` is no fault of the file. */
export function failedAnswer({ spaceKey, contentHash }: Named, thrown: unknown): Uint8Array | null {
  const told = thrown instanceof AudioError || (thrown instanceof EngineError && thrown.code === 'audio');
  if (!told) return null;
  const detail = thrown instanceof AudioError ? thrown.code : 'audio';
  const { message, hint } = thrown;
  return writeAnswer({
    ...{ spaceKey, contentHash, numbers: null },
    outcome: { kind: 'failed', detail, message: cut(message), hint: cut(hint) },
  });
}

/** The answer of a worker that cannot do a task. */
export function refusedAnswer(
  { spaceKey, contentHash }: Named,
  { message, hint }: { message: string; hint: string },
): Uint8Array {
  const outcome = { kind: 'cannot', message: cut(message), hint: cut(hint) } as const;
  return writeAnswer({ spaceKey, contentHash, outcome, numbers: null });
}

/** The answer of a worker that was told to stop. */
export function handedBackAnswer({ spaceKey, contentHash }: Named): Uint8Array {
  return writeAnswer({ spaceKey, contentHash, outcome: { kind: 'handed-back' }, numbers: null });
}

/** @throws EngineError `bad-input` for anything that no honest worker says of the task with this key */
export function readTrackAnswer(
  bytes: Uint8Array,
  { space, pack, key }: { space: Pick<SpaceInfo, 'windows'>; pack: Pack; key: string },
): TrackAnswer {
  const { spaceKey, contentHash, outcome, numbers } = readAnswer(bytes);
  if (taskKey({ spaceKey, contentHash }) !== key) throw impossible('it is about another track');
  if (outcome.kind === 'cannot')
    return { kind: 'refused', reason: new EngineError('audio', outcome.message, outcome.hint) };
  if (outcome.kind === 'handed-back') return outcome;
  if (outcome.kind === 'failed') return { kind: 'failed', reason: reasonOf(outcome) };
  if (numbers === null) throw impossible('it holds no numbers');
  const { durationSeconds, note, dim, by } = outcome;
  requirePossible(numbers, { durationSeconds, dim, space, pack });
  const windows = Array.from(numbers.index, (index, row) => ({
    index,
    startSeconds: numbers.startSeconds[row] ?? 0,
    seconds: numbers.seconds[row] ?? 0,
    z: numbers.vectors.subarray(row * dim, (row + 1) * dim),
  }));
  return { kind: 'embedded', result: { durationSeconds, note, windows, peaks: numbers.peaks }, by };
}

function reasonOf({
  detail,
  message,
  hint,
}: Extract<AnswerFacts, { kind: 'failed' }>): AudioError | EngineError {
  return detail === 'audio'
    ? new EngineError('audio', message, hint)
    : new AudioError(detail, message, { hint });
}

function requirePossible(
  { index, startSeconds, seconds, vectors, peaks }: AnswerNumbers,
  facts: { durationSeconds: number; dim: number; space: Pick<SpaceInfo, 'windows'>; pack: Pack },
): void {
  const { embeddingDim, windowSeconds } = facts.pack.manifest;
  if (facts.dim !== embeddingDim)
    throw impossible(`vectors of ${facts.dim} instead of ${embeddingDim} numbers`);
  if (!vectors.every(Number.isFinite)) throw impossible('a vector holds what is no finite number');
  const { windows } = facts.space;
  if (windows !== 'all' && index.length > windows) throw impossible('more windows than were asked for');
  const most = facts.durationSeconds / windowSeconds + 1;
  const ordered = index.every((value, row) => value >= 0 && value > (index[row - 1] ?? -1) && value < most);
  if (!ordered) throw impossible('windows out of order, or beyond the end');
  const inside = (value: number): boolean => value >= 0 && value <= facts.durationSeconds + windowSeconds;
  if (!startSeconds.every(inside) || !seconds.every(inside)) throw impossible('windows beyond the end');
  if (peaks.length > 2 * (facts.durationSeconds * PEAKS_PER_SECOND + 2)) throw impossible('too many peaks');
}

function impossible(why: string): EngineError {
  return new EngineError('bad-input', `An answer is not possible: ${why}.`);
}
