/** What the engine and an embedder process say to each other. One request at a time, each with one reply. */
import { z } from 'zod';
import { PackError, type PackErrorCode } from '../../models/packs/index.ts';

/** The methods of a pack's runtime that can be asked for: name → graphs that run. */
export const runMethods = ['embed', 'features', 'embedFeatures', 'denoise', 'decode'] as const;
export type RunMethod = (typeof runMethods)[number];

const numbers = z.custom<Float32Array>((value) => value instanceof Float32Array, 'not float32 numbers');
const providerSchema = z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']);
const packSchema = z.strictObject({
  folder: z.string(),
  /** Of `pack.json`, as the engine knows the pack: another one in the same place is refused. */
  sha256: z.string(),
  provider: providerSchema,
  /** Threads inside one operator; null: as many as the machine has. */
  threads: z.int().min(1).max(1024).nullable(),
});
export type PackKey = z.infer<typeof packSchema>;

export const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run'),
    id: z.int(),
    pack: packSchema,
    method: z.enum(runMethods),
    /** As the method of `PackRuntime` takes them. */
    inputs: z.array(numbers).min(1).max(3),
    batch: z.int().min(1),
  }),
  /** Checks every graph of a pack. */
  z.strictObject({ type: z.literal('verify'), id: z.int(), pack: packSchema }),
  /** Frees the sessions of a pack. */
  z.strictObject({ type: z.literal('close'), id: z.int(), sha256: z.string() }),
]);
export type EmbedderRequest = z.infer<typeof requestSchema>;
/** A request without the number that the queue gives it. */
export type Ask = EmbedderRequest extends infer R
  ? R extends { id: number }
    ? Omit<R, 'id'>
    : never
  : never;

const failureSchema = z.strictObject({
  kind: z.enum(['pack', 'range', 'other']),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  file: z.string().nullable(),
});

export const replySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('done'), id: z.int(), output: numbers.nullable() }),
  z.strictObject({ type: z.literal('failed'), id: z.int(), error: failureSchema }),
]);
export type EmbedderReply = z.infer<typeof replySchema>;
type Failure = z.infer<typeof failureSchema>;

/** A way to the other side; messages arrive whole and in order. */
export interface EmbedderPort {
  post(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
}

export function failureOf(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof PackError)
    return { kind: 'pack', code: thrown.code, message, hint: thrown.hint, file: thrown.file ?? null };
  return { kind: thrown instanceof RangeError ? 'range' : 'other', code: '', message, hint: '', file: null };
}

export function errorOf({ kind, code, message, hint, file }: Failure): Error {
  if (kind === 'range') return new RangeError(message);
  if (kind === 'other') return new Error(message);
  // A code that this version does not know is shown all the same: only its text matters to people.
  return new PackError(code as PackErrorCode, message, { hint, ...(file === null ? {} : { file }) });
}
