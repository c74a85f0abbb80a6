/** What a process that reads files of others does. */
import * as z from 'zod';
import type { AudioContainer } from '../../models/audio/index.ts';
import type { Confinement } from '../api/app.ts';
import { isContainer } from '../decode/index.ts';
import type { Decoded, ProbeResult } from '../decode/protocol.ts';
import { threadKinds } from '../threads/ask.ts';
import { query, stream } from '../wire/contract.ts';

const limit = z.number().positive();
const startSchema = z.strictObject({
  /** Bundled files of the threads. */
  decodeWorker: z.string(),
  threads: z.partialRecord(z.enum(threadKinds), z.string()),
  /** Files that are decoded at once. */
  decoders: z.int().min(1),
  decodeLimits: z.strictObject({ timeoutMs: limit, idleTimeoutMs: limit, memoryMb: limit }),
});
export type ReadersConfig = z.infer<typeof startSchema>;

/** Checked on arrival: a reader may have been taken over by what it read. */
const decodedSchema: z.ZodType<Decoded> = z.union([
  z.strictObject({ samples: z.custom<Float32Array>((value) => value instanceof Float32Array) }),
  z.strictObject({ warning: z.string() }),
]);
const decoded = stream({ output: decodedSchema, credit: 4 });
const text = z.string().nullable();
const number = z.number().nullable();
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const probeSchema = z.object({
  info: z
    .object({ format: z.string(), sampleRate: z.number(), channels: z.number(), durationSeconds: z.number() })
    .nullable(),
  tags: z.object({
    ...{ title: text, artist: text, album: text, year: number, genre: z.array(z.string()), track: number },
    ...{ bpm: number, key: text, comment: text },
  }),
  cover: z.object({ mime: z.string(), data: bytes }).nullable(),
  coverProblem: z.string().max(1000).nullable(),
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().min(0),
}) as unknown as z.ZodType<ProbeResult>;

export const readersContract = {
  /** The first call. Tells what keeps the process in. */
  start: query<Confinement>()(startSchema),
  probe: query(probeSchema)(z.strictObject({ path: z.string() })),
  decode: decoded(z.strictObject({ path: z.string(), sampleRate: z.number() })),
  /** Decodes what is not decoded here by an installed ffmpeg. */
  convert: decoded(
    z.strictObject({
      path: z.string(),
      sampleRate: z.number(),
      container: z.custom<AudioContainer>(isContainer),
    }),
  ),
  /** Asks a thread of its own one thing; what goes in and out is the matter of that thread’s own contract. */
  ask: query<unknown>()(
    z.strictObject({
      thread: z.enum(threadKinds),
      method: z.string(),
      input: z.unknown(),
      limits: z.strictObject({ stallMs: limit, memoryMb: limit }),
    }),
  ),
};
export type ReadersContract = typeof readersContract;
