/** What main and the engine process say to each other over the process channel; parsed on both sides. */
import { z } from 'zod';

export const engineConfigSchema = z.strictObject({
  dataFolder: z.string(),
  packFolders: z.array(z.string()),
  decodeWorker: z.string(),
  /** The engine died several times in a short while: nothing is taken up by itself. */
  safeStart: z.boolean(),
  parquetWorker: z.string(),
  labelWorker: z.string(),
  demoFolder: z.string().nullable(),
  version: z.string(),
});
export type EngineConfig = z.infer<typeof engineConfigSchema>;

/** main → engine. `client`, `decoder` and `decoder-lost` refer to a transferred port or to an earlier request. */
export const toEngineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('start'), config: engineConfigSchema }),
  z.strictObject({ type: z.literal('client') }),
  z.strictObject({ type: z.literal('resolve-media'), id: z.int(), token: z.string() }),
  z.strictObject({ type: z.literal('decoder'), id: z.int() }),
  z.strictObject({ type: z.literal('decoder-lost'), id: z.int(), message: z.string() }),
  z.strictObject({ type: z.literal('provider-checked'), id: z.int(), reply: z.unknown() }),
  /** With a port to it. */
  z.strictObject({ type: z.literal('embedder'), id: z.int() }),
  z.strictObject({ type: z.literal('embedder-ended'), id: z.int(), code: z.int() }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type ToEngine = z.infer<typeof toEngineSchema>;

/** engine → main. */
export const fromEngineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('failed'), code: z.string(), message: z.string(), hint: z.string() }),
  z.strictObject({
    type: z.literal('media'),
    id: z.int(),
    media: z.strictObject({ path: z.string(), mime: z.string() }).nullable(),
  }),
  z.strictObject({ type: z.literal('decode'), id: z.int(), token: z.string() }),
  z.strictObject({ type: z.literal('decode-done'), id: z.int() }),
  z.strictObject({ type: z.literal('check-provider'), id: z.int(), request: z.unknown() }),
  z.strictObject({ type: z.literal('cancel-provider'), id: z.int() }),
  z.strictObject({ type: z.literal('start-embedder'), id: z.int(), memoryLimit: z.number() }),
  z.strictObject({ type: z.literal('end-embedder'), id: z.int() }),
  z.strictObject({ type: z.literal('stopped') }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;

/** decoder page → engine, over the port that main gave both. Samples are planar, one array per channel. */
export const decoderMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('format'),
    sampleRate: z.number().min(1000).max(768_000),
    channels: z.int().min(1).max(64),
  }),
  z.object({ type: z.literal('samples'), planes: z.array(z.instanceof(Float32Array)).min(1).max(64) }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), message: z.string().max(2000) }),
]);
export type DecoderMessage = z.infer<typeof decoderMessageSchema>;
