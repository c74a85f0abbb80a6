/** What main and the engine process ask of each other, over the one channel between them. */
import * as z from 'zod';
import { providerContract } from '../engine/packs/provider-contract.ts';
import { query } from '../engine/wire/contract.ts';

const engineConfigSchema = z.strictObject({
  dataFolder: z.string(),
  packFolders: z.array(z.string()),
  decodeWorker: z.string(),
  /** The engine died several times in a short while: nothing is taken up by itself. */
  safeStart: z.boolean(),
  datasetWorker: z.string(),
  labelWorker: z.string(),
  demoFolder: z.string().nullable(),
  labelledDemoFolder: z.string().nullable(),
  /** Files and folders that a person chose since the application started. */
  granted: z.array(z.string()),
  version: z.string(),
});
export type EngineConfig = z.infer<typeof engineConfigSchema>;

const helperKinds = ['embedder', 'readers'] as const;
export type HelperKind = (typeof helperKinds)[number];

const nothing = z.null();
const mediaSchema = z.strictObject({ path: z.string(), mime: z.string() });
export type Media = z.infer<typeof mediaSchema>;

/** main → engine. */
export const engineContract = {
  /** Answers when the engine is ready; its error is why it cannot be. */
  start: query(nothing)(engineConfigSchema),
  /** Answers when all is written. */
  stop: query(nothing)(z.strictObject({})),
  /** The file behind a media token; null when the engine never gave it out. */
  resolveMedia: query(mediaSchema.nullable())(z.strictObject({ token: z.string() })),
  /** A person chose a file or folder: windows may name it from now on. */
  grant: query(nothing)(z.strictObject({ path: z.string() })),
  /** Whether a window may have a file or folder shown. */
  mayShow: query(z.boolean())(z.strictObject({ path: z.string() })),
  /** With a port to a window. */
  client: query(nothing)(z.strictObject({})),
  /** With a port to the decoder page that `decode` asked for. */
  decoder: query(nothing)(z.strictObject({ id: z.int() })),
  /** With a port to the process that `helper` asked for. */
  helper: query(nothing)(z.strictObject({ id: z.int() })),
};
export type EngineContract = typeof engineContract;

/** engine → main: what only main can start. The engine gives the numbers; the ports come as calls of their own. */
export const mainContract = {
  /** Lends a decoder until the call is aborted; its error is how the decoder was lost. */
  decode: query(nothing)(z.strictObject({ id: z.int() })),
  /** Measures an execution provider in a process of its own. */
  checkProvider: providerContract.measure,
  /** Runs a process that has less than the engine's rights; answers with its exit code when it is gone. */
  helper: query(z.int())(z.strictObject({ id: z.int(), kind: z.enum(helperKinds), memoryLimit: z.number() })),
  endHelper: query(nothing)(z.strictObject({ id: z.int() })),
  /** Gives the system's keychain something to keep; not `lasting`: main remembers it until the application ends. */
  seal: query(z.strictObject({ sealed: z.string(), lasting: z.boolean() }))(
    z.strictObject({ secret: z.string() }),
  ),
  /** Null: it is no longer kept. */
  unseal: query(z.string().nullable())(z.strictObject({ sealed: z.string() })),
  /** Asks whether audio may be sent to a server. */
  mayConnect: query(z.boolean())(z.strictObject({ server: z.string() })),
};
export type MainContract = typeof mainContract;
