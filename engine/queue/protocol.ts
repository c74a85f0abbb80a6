/**
 * What a library's machine and its workers say to each other, whatever carries it: a task is one track, an answer is all that
 * an import stores of it. Everything is parsed and bounded on both sides.
 */
import * as z from 'zod';
import type { WorkerStatus } from '../api/queue.ts';
import { EngineError } from '../wire/errors.ts';

/** Machines that speak another version never meet: it is part of every name on the server. */
export const PROTOCOL = 1;

/** Bounds of what is believed, whoever sent it. */
export const queueLimits = {
  taskBytes: 32 * 1024,
  /** An answer about the longest track, with the widest vectors. */
  answerBytes: 256 * 2 ** 20,
  headerBytes: 64 * 1024,
  /** Longer texts are cut: the header must hold them in whatever letters. */
  textChars: 4000,
  /** Deliveries after which a task is believed to end its workers. */
  deliveries: 5,
  /** Tasks that a worker has under way at once. */
  underWay: 256,
} as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const spaceKey = z.string().regex(/^[0-9a-f]{32}$/);
/** Also a token of subjects and stream names. */
const token = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const taskSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  libraryId: token,
  spaceKey,
  /** Of `pack.json`, which names the hashes of all that belongs to the pack. */
  packSha256: sha256,
  windows: z.union([z.literal('all'), z.int().min(1).max(1_000_000)]),
  contentHash: sha256,
  /** Where the file lies, as the library's machine sees it. */
  path: z.string().min(1).max(16_384),
  /** Null: a track of a library, with its peaks. Else its vectors alone, of the audio taken through these steps. */
  steps: z
    .array(z.strictObject({ type: z.string().max(100), low: z.number(), high: z.number() }))
    .max(32)
    .nullable(),
  /** From the headers; null where they do not tell. */
  durationSeconds: z.number().min(0).nullable(),
  /** Without a sign of life for so long, the task goes to another worker. */
  leaseSeconds: z.number().min(1).max(3600),
});
/** One track to be decoded and embedded. */
export type QueueTask = z.output<typeof taskSchema>;

const failureSchema = z.strictObject({
  kind: z.literal('failed'),
  /** The decoder's own name for it. */
  detail: z.enum([
    'missing',
    'unreadable',
    'empty',
    'not-audio',
    'unsupported',
    'corrupt',
    'needs-external-decoder',
    'audio',
  ]),
  message: z.string().max(20_000),
  hint: z.string().max(4000),
});

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('embedded'),
    durationSeconds: z.number().min(0).max(1e7),
    /** What was damaged in the file; null when nothing was. */
    note: z.string().max(20_000).nullable(),
    /** Numbers behind the header: windows, numbers per vector, peaks. */
    windows: z.int().min(1).max(10_000_000),
    dim: z.int().min(1).max(8192),
    peaks: z.int().min(0).max(1_000_000_000),
    by: z.strictObject({
      provider: z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']),
      runtime: z.string().max(100),
      processor: z.string().max(500),
    }),
  }),
  /** The file cannot be used, on whichever machine. */
  failureSchema,
  /** The worker was told to stop: it is no attempt. */
  z.strictObject({ kind: z.literal('handed-back') }),
  /** This worker could not do it; another one, or the same at another time, may. */
  z.strictObject({ kind: z.literal('cannot'), message: z.string().max(20_000), hint: z.string().max(4000) }),
]);
export type AnswerFacts = z.output<typeof outcomeSchema>;

const headerSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  spaceKey,
  contentHash: sha256,
  outcome: outcomeSchema,
});

/** The numbers of an embedded track; window by window, in the order of their places. */
export interface AnswerNumbers {
  index: Int32Array;
  startSeconds: Float32Array;
  seconds: Float32Array;
  /** `windows × dim` */
  vectors: Float32Array;
  /** Smallest and largest of each stretch, −127 … 127. */
  peaks: Int8Array;
}

/** What a worker says of a task. */
export interface QueueAnswer {
  spaceKey: string;
  contentHash: string;
  outcome: AnswerFacts;
  /** With `embedded` only. */
  numbers: AnswerNumbers | null;
}

const statusSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  worker: token,
  version: z.string().max(100),
  host: z.string().max(300),
  provider: z.string().max(50),
  processor: z.string().max(500),
  since: z.string().max(40),
  /** Names of the files under way, without their folders. */
  current: z.array(z.string().max(1000)).max(256),
  answered: z.int().min(0),
  fileFailures: z.int().min(0),
  refused: z.int().min(0),
  windows: z.int().min(0),
  windowsPerSecond: z.number().min(0),
  /** Bytes of memory of the process. */
  memory: z.int().min(0),
}) satisfies z.ZodType<WorkerStatus>;

/** @returns null for what is no such thing */
export function readWorkerStatus(bytes: Uint8Array): WorkerStatus | null {
  if (bytes.length > queueLimits.headerBytes) return null;
  try {
    return statusSchema.parse(json(bytes, 'status'));
  } catch {
    return null;
  }
}

/** Names a task: the same content in the same space is the same work. */
export function taskKey({ spaceKey: space, contentHash }: { spaceKey: string; contentHash: string }): string {
  return `${space}-${contentHash}`;
}

/** Makes a name of whatever a machine is called that can stand in subjects. */
export function asToken(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64);
  return plain === '' ? 'worker' : plain;
}

export function writeTask(task: QueueTask): Uint8Array {
  return Buffer.from(JSON.stringify(task));
}

/** @throws EngineError `bad-input` for anything but a task of this version */
export function readTask(bytes: Uint8Array): QueueTask {
  if (bytes.length > queueLimits.taskBytes) throw nonsense('task', 'it is too large');
  const parsed = taskSchema.safeParse(json(bytes, 'task'));
  if (!parsed.success) throw nonsense('task', z.prettifyError(parsed.error));
  return parsed.data;
}

/** Little-endian: 4 bytes of length, a header of JSON, then the numbers. */
export function writeAnswer({ spaceKey: space, contentHash, outcome, numbers }: QueueAnswer): Uint8Array {
  const header = Buffer.from(JSON.stringify({ protocol: PROTOCOL, spaceKey: space, contentHash, outcome }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...(numbers === null ? [] : parts(numbers).map(bytesOf))]);
}

/** @throws EngineError `bad-input` for anything but an answer of this version, of the size that it says itself */
export function readAnswer(bytes: Uint8Array): QueueAnswer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = buffer.length >= 4 ? buffer.readUInt32LE(0) : 0;
  if (length > queueLimits.headerBytes || 4 + length > buffer.length) throw nonsense('answer', 'its header');
  const parsed = headerSchema.safeParse(json(buffer.subarray(4, 4 + length), 'answer'));
  if (!parsed.success) throw nonsense('answer', z.prettifyError(parsed.error));
  const { spaceKey: space, contentHash, outcome } = parsed.data;
  const body = buffer.subarray(4 + length);
  const numbers = outcome.kind === 'embedded' ? readNumbers(outcome, body) : null;
  if (numbers === null && body.length > 0) throw nonsense('answer', 'there is more than it says');
  return { spaceKey: space, contentHash, outcome, numbers };
}

function readNumbers(
  { windows, dim, peaks }: Extract<AnswerFacts, { kind: 'embedded' }>,
  body: Buffer,
): AnswerNumbers {
  if (body.length !== 4 * windows * (3 + dim) + peaks) throw nonsense('answer', 'it has another length');
  // Copied: numbers in a message begin anywhere, in memory they may not.
  const { buffer } = new Uint8Array(body);
  let at = 0;
  const take = (count: number): number => {
    const start = at;
    at += 4 * count;
    return start;
  };
  return {
    index: new Int32Array(buffer, take(windows), windows),
    startSeconds: new Float32Array(buffer, take(windows), windows),
    seconds: new Float32Array(buffer, take(windows), windows),
    vectors: new Float32Array(buffer, take(windows * dim), windows * dim),
    peaks: new Int8Array(buffer, at, peaks),
  };
}

const parts = ({ index, startSeconds, seconds, vectors, peaks }: AnswerNumbers): ArrayBufferView[] => [
  index,
  startSeconds,
  seconds,
  vectors,
  peaks,
];

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

function json(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw nonsense(what, 'it is not JSON');
  }
}

function nonsense(what: string, why: string): EngineError {
  return new EngineError('bad-input', `This is no ${what} of version ${PROTOCOL}: ${why}.`);
}
