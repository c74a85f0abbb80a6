import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationStep } from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { ActiveRun, Cell } from './active-run.ts';
import {
  evaluationFolder,
  runSpecFile,
  tasksFile,
  type EvaluationPlan,
  type EvaluationSpec,
} from './cell-files.ts';
import { extract } from './extract.ts';
import { measureDeformations } from './measure.ts';
import { plannedCells } from './plan-cells.ts';
import { scoreCells } from './score-cells.ts';
import { compareSpaces } from './shared.ts';
import { evaluationSource, nameOfFile } from './source.ts';
import { TaskSets } from './task-sets.ts';
import { VectorStore } from './vectors.ts';
import { OWN_VECTORS } from './yaml-data-sets.ts';
import { readEvaluationFile } from './yaml.ts';

type Step = (run: ActiveRun, sets: TaskSets, cells: readonly Cell[]) => Promise<void>;

const steps: Readonly<Record<EvaluationStep, Step>> = {
  deform: (run, _, cells) => measureDeformations(run, cells),
  extract: (run, _, cells) => extract(run, cells),
  train: (run, sets, cells) =>
    scoreCells(
      run,
      sets,
      cells.filter(({ scenario }) => scenario === null),
    ),
  evaluate: scoreCells,
  conduct: async (run, sets, cells) => {
    await measureDeformations(run, cells);
    await scoreCells(run, sets, cells);
    await compareSpaces(run, sets, cells);
  },
};

/**
 * Runs the cells of an evaluation that are not there yet. Each is written whole as soon as it is known, and depends on its
 * own inputs alone, so that a run that was killed goes on to the same bytes.
 * @returns the evaluation's id and the number of its cells
 * @throws EngineError; the signal's reason
 */
export async function runEvaluation(
  context: EngineContext,
  spec: EvaluationSpec,
  job: JobHandle,
): Promise<{ evaluationId: string; cells: number }> {
  const { content, folder: base } = await evaluationSource(spec.file);
  const evaluationId = createHash('sha256')
    .update(JSON.stringify([content, spec.places, base ?? '']))
    .digest('hex')
    .slice(0, 16);
  const { dataFolder } = context.options;
  const folder = evaluationFolder(dataFolder, evaluationId);
  const vectors = new VectorStore(context, join(dataFolder, 'evaluations', '.vectors'));
  const run: ActiveRun = { context, spec, job, folder, evaluationId, vectors };
  const { experiments, marks } = readEvaluationFile(content);
  const cells = await plannedCells(run, experiments, marks);
  if (cells.length === 0)
    throw new EngineError(
      'bad-input',
      'Nothing of this evaluation can be run.',
      marks.map(({ at, message }) => `${at}: ${message}`).join(' ') || 'Look at the file.',
    );
  const plan = planOf(run, cells, marks);
  await writePlan(run, content, cells, plan);
  await steps[spec.step](run, new TaskSets(run), cells);
  return { evaluationId, cells: plan.cells.length };
}

function planOf(
  { context, spec }: ActiveRun,
  cells: readonly Cell[],
  marks: EvaluationPlan['marks'],
): EvaluationPlan {
  return {
    name: nameOfFile(spec.file),
    marks,
    cells: [...new Set(cells.map(({ file }) => file))],
    madeBy: {
      version: context.options.version,
      packs: [...new Set(cells.map(({ space }) => space))]
        .filter((id) => id !== OWN_VECTORS)
        .map((id) => {
          const { manifest, sha256 } = context.packs.get(id);
          return { id, version: manifest.version, sha256 };
        }),
    },
  };
}

async function writePlan(
  { folder, spec }: ActiveRun,
  content: string,
  cells: readonly Cell[],
  plan: EvaluationPlan,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tasks = Object.fromEntries(
    cells.map(({ task }) => [task.title, task.items.map(({ path, file, labels }) => [path, file, labels])]),
  );
  const files = {
    'evaluation.yml': content,
    [runSpecFile]: `${JSON.stringify(spec)}\n`,
    [tasksFile]: `${JSON.stringify(tasks)}\n`,
    'plan.json': `${JSON.stringify(plan, null, 1)}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeWhole(join(folder, name), text);
}
