import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import type { EvaluationSimilarity, EvaluationSummary } from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import {
  cellSchema,
  evaluationFolder,
  evaluationSpecSchema,
  planSchema,
  runSpecFile,
  similarityFile,
  similaritySchema,
  tasksFile,
  tasksSchema,
  type EvaluationCell,
} from './cell-files.ts';

const ID = /^[0-9a-f]{16}$/;

/** What an evaluation's folder holds. */
export interface StoredEvaluation {
  plan: z.output<typeof planSchema>;
  /** Those that there are, in the order of the plan. */
  cells: EvaluationCell[];
  text: string;
  similarities: EvaluationSimilarity[];
}

const none = (cause: unknown): never => {
  throw new EngineError('not-found', 'There is no such evaluation.', 'Run its file first.', { cause });
};

async function json(dataFolder: string, evaluationId: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(evaluationFolder(dataFolder, evaluationId), name), 'utf8'));
}

/** @throws EngineError `not-found` when there is none of that id */
export async function storedEvaluation(dataFolder: string, evaluationId: string): Promise<StoredEvaluation> {
  const plan = planSchema.parse(await json(dataFolder, evaluationId, 'plan.json').catch(none));
  const text = await readFile(join(evaluationFolder(dataFolder, evaluationId), 'evaluation.yml'), 'utf8');
  const cells: EvaluationCell[] = [];
  for (const name of plan.cells) {
    const cell = await json(dataFolder, evaluationId, name).catch(() => null);
    if (cell !== null) cells.push(cellSchema.parse(cell));
  }
  // A run that was stopped, or of a version before, has none.
  const similar = await json(dataFolder, evaluationId, similarityFile).catch(() => []);
  return { plan, cells, text, similarities: similaritySchema.parse(similar) };
}

/** What a run was told. @throws EngineError `not-found` when there is none of that id */
export async function storedSpec(
  dataFolder: string,
  evaluationId: string,
): Promise<z.output<typeof evaluationSpecSchema>> {
  return evaluationSpecSchema.parse(await json(dataFolder, evaluationId, runSpecFile).catch(none));
}

/** The tracks of a data set of an evaluation. @throws EngineError `not-found` */
export async function storedTask(
  dataFolder: string,
  evaluationId: string,
  dataset: string,
): Promise<{ path: string; file: string; labels: string[] }[]> {
  const tasks = tasksSchema.parse(await json(dataFolder, evaluationId, tasksFile).catch(none));
  const items = Object.hasOwn(tasks, dataset) ? tasks[dataset] : undefined;
  if (!items) throw new EngineError('not-found', `The evaluation has no data set “${dataset}”.`);
  return items.map(([path, file, labels]) => ({ path, file, labels }));
}

/** All that were begun, the newest first. What cannot be read is left out. */
export async function listEvaluations(dataFolder: string): Promise<EvaluationSummary[]> {
  const found: EvaluationSummary[] = [];
  for (const evaluationId of await readdir(join(dataFolder, 'evaluations')).catch(() => [])) {
    if (!ID.test(evaluationId)) continue;
    const folder = evaluationFolder(dataFolder, evaluationId);
    const plan = planSchema.safeParse(await json(dataFolder, evaluationId, 'plan.json').catch(() => null));
    if (!plan.success) continue;
    const files = new Set(await readdir(folder));
    found.push({
      evaluationId,
      name: plan.data.name === '' ? evaluationId : plan.data.name,
      at: (await stat(join(folder, 'plan.json'))).mtime.toISOString(),
      cells: plan.data.cells.filter((name) => files.has(name)).length,
      planned: plan.data.cells.length,
    });
  }
  return found.sort((a, b) => b.at.localeCompare(a.at) || a.name.localeCompare(b.name));
}

/** Hashes of the packs that the evaluations name. */
export async function packsOfEvaluations(dataFolder: string): Promise<Set<string>> {
  const named = new Set<string>();
  for (const evaluationId of await readdir(join(dataFolder, 'evaluations')).catch(() => [])) {
    const plan = planSchema.safeParse(await json(dataFolder, evaluationId, 'plan.json').catch(() => null));
    for (const { sha256 } of plan.data?.madeBy.packs ?? []) named.add(sha256);
  }
  return named;
}

/** @throws EngineError `not-found` when there is none of that id */
export async function removeEvaluation(dataFolder: string, evaluationId: string): Promise<void> {
  const folder = evaluationFolder(dataFolder, evaluationId);
  await stat(folder).catch(none);
  await rm(folder, { recursive: true, force: true });
}
