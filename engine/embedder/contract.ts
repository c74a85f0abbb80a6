/** What an embedder process does: it runs the graphs of packs. */
import * as z from 'zod';
import type { Confinement } from '../api/app.ts';
import { query } from '../wire/contract.ts';

/** The methods of a pack's runtime that can be asked for: name → graphs that run. */
const runMethods = [
  'embed',
  'features',
  'embedFeatures',
  'patchEmbeddings',
  'tags',
  'project',
  'denoise',
  'decode',
] as const;
export type RunMethod = (typeof runMethods)[number];

const numbers = z.custom<Float32Array>((value) => value instanceof Float32Array, 'not float32 numbers');
const providerSchema = z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu']);
const computedBySchema = z.strictObject({
  provider: providerSchema,
  runtime: z.string().max(100),
  processor: z.string().max(500),
});
const packSchema = z.strictObject({
  folder: z.string(),
  /** Of `pack.json`, as the engine knows the pack: another one in the same place is refused. */
  sha256: z.string(),
  provider: providerSchema,
  /** Threads inside one operator; null: as many as the machine has. */
  threads: z.int().min(1).max(1024).nullable(),
});
export type PackKey = z.infer<typeof packSchema>;

const runSchema = z.strictObject({
  pack: packSchema,
  method: z.enum(runMethods),
  /** As the method of `PackRuntime` takes them. */
  inputs: z.array(numbers).min(1).max(3),
  batch: z.int().min(1),
});
export type RunRequest = z.infer<typeof runSchema>;

const headRunSchema = z.strictObject({
  /** Of `head.json`, as the engine knows the head: another one in the same place is refused. */
  head: z.strictObject({ folder: z.string(), sha256: z.string() }),
  /** `[count, D]`: embeddings. */
  rows: numbers,
  count: z.int().min(1),
});
export type HeadRunRequest = z.infer<typeof headRunSchema>;

const nothing = z.null();

/** Graphs are the files of others: the process may end in the middle of every one of these. */
export const embedderContract = {
  /** What keeps the process in; runs nothing. */
  confinement: query<Confinement>()(z.null()),
  run: query(z.strictObject({ output: numbers, by: computedBySchema }))(runSchema),
  /** What a head says of embeddings: `[count, classes]`. */
  head: query(z.strictObject({ output: numbers }))(headRunSchema),
  /** Checks every graph of a pack. */
  verify: query(nothing)(z.strictObject({ pack: packSchema })),
  /** Frees the sessions of a pack, or of a head. */
  close: query(nothing)(z.strictObject({ sha256: z.string() })),
};
export type EmbedderContract = typeof embedderContract;
