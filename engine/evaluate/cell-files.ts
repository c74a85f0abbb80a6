import { join } from 'node:path';
import * as z from 'zod';
import { evaluationsMethods } from '../api/evaluations.ts';

/** What an evaluation is told to do. */
export const evaluationSpecSchema = evaluationsMethods['evaluations.run'].input.extend({
  /** Where everything is that the file may name; null: anything. A window’s file may name only what a person chose. */
  allowed: z.array(z.string()).nullable().default(null),
});
export type EvaluationSpec = z.output<typeof evaluationSpecSchema>;

/** One cell of the grid: what a file beside the evaluation holds. */
export const cellSchema = z.object({
  dataset: z.string(),
  space: z.string(),
  probe: z.string(),
  deformation: z.string(),
  seed: z.number(),
  split: z.number(),
  tested: z.number(),
  /** Null: not defined on these tracks. */
  metrics: z.record(z.string(), z.number().nullable()),
  perLabel: z.record(z.string(), z.number().nullable()),
  /** Of every test track: its path and the labels given. */
  answers: z.array(z.tuple([z.string(), z.array(z.string())])),
});
export type EvaluationCell = z.output<typeof cellSchema>;

/** What a run planned: read when a table is made. */
export const planSchema = z.object({
  /** Of versions before: not known. */
  name: z.string().default(''),
  marks: z.array(z.object({ at: z.string(), message: z.string() })),
  /** File names of all cells, in the order of the table. */
  cells: z.array(z.string()),
  madeBy: z.object({
    version: z.string(),
    packs: z.array(z.object({ id: z.string(), version: z.string(), sha256: z.string() })),
  }),
});
export type EvaluationPlan = z.output<typeof planSchema>;

/** What a run was told, so that it can be gone on with. */
export const runSpecFile = 'run.json';

/** Every task of a run, by the name of its data set: path, file and labels of its tracks. */
export const tasksSchema = z.record(
  z.string(),
  z.array(z.tuple([z.string(), z.string(), z.array(z.string())])),
);
export const tasksFile = 'tasks.json';

/** What spaces share. */
export const similarityFile = 'similarity.json';
export const similaritySchema = z.array(
  z.object({
    ...{ dataset: z.string(), first: z.string(), second: z.string() },
    ...{ cka: z.number().nullable(), rsa: z.number().nullable(), tracks: z.number() },
  }),
);

/** What tracks are called that no deformation was put on. */
export const CLEAN = 'clean';

/** Where an evaluation lies: the same file with the same places is the same evaluation. */
export function evaluationFolder(dataFolder: string, evaluationId: string): string {
  return join(dataFolder, 'evaluations', evaluationId);
}
