import type { EngineErrorCode } from '../engine/api/errors.ts';

/** Exit codes of the command line; they are part of its interface (docs/user-guide.md). */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  notFound: 3,
  pack: 4,
  audio: 5,
  diskFull: 6,
  training: 7,
  queue: 8,
  cancelled: 130,
} as const;

const byError: Record<EngineErrorCode, number> = {
  'bad-input': exitCodes.usage,
  'not-found': exitCodes.notFound,
  'not-permitted': exitCodes.usage,
  'missing-folder': exitCodes.notFound,
  unreadable: exitCodes.notFound,
  'empty-folder': exitCodes.notFound,
  'disk-full': exitCodes.diskFull,
  database: exitCodes.internal,
  'database-newer': exitCodes.internal,
  'library-busy': exitCodes.internal,
  busy: exitCodes.internal,
  pack: exitCodes.pack,
  'other-space': exitCodes.pack,
  'several-views': exitCodes.usage,
  audio: exitCodes.audio,
  queue: exitCodes.queue,
  store: exitCodes.queue,
  'too-few-labels': exitCodes.training,
  training: exitCodes.training,
  reduction: exitCodes.training,
  cancelled: exitCodes.cancelled,
  'engine-restarted': exitCodes.internal,
  'other-version': exitCodes.internal,
  internal: exitCodes.internal,
};

export function exitCodeOf(code: EngineErrorCode): number {
  return byError[code];
}

/** Shown below the help of the program and of every verb. */
export const exitCodeHelp = `
Exit codes:
  0 done · 1 internal error or database · 2 wrong usage or input · 3 file, folder, library or experiment not found
  4 pack · 5 audio cannot be used · 6 disk full · 7 too few labels, training or reduction failed
  8 a queue or a vector store cannot be reached · 130 cancelled`;
