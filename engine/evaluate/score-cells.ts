import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { selectTracks } from '../../models/embeddings/tracks.ts';
import { headAnswers, labelsOfClasses } from '../../models/probes/head.ts';
import { fitProbe, probeTitle } from '../../models/probes/probe.ts';
import { fitRidge } from '../../models/probes/ridge.ts';
import { EngineError } from '../api/errors.ts';
import { writeWhole } from '../files/write-whole.ts';
import { groupBy, spaceTitle, type ActiveRun, type Cell } from './active-run.ts';
import { CLEAN, type EvaluationCell } from './cell-files.ts';
import { extract } from './extract.ts';
import { scoredLabels, scoredNumbers, type Scored } from './score.ts';
import { targetGroups } from './targets.ts';
import { ofTracks, type TaskSets } from './task-sets.ts';
import { splitsOf } from './tasks.ts';

/** Trains and scores the cells that are not there yet. @throws EngineError; the signal's reason */
export async function scoreCells(run: ActiveRun, sets: TaskSets, cells: readonly Cell[]): Promise<void> {
  const { job, folder } = run;
  const isMissing = ({ file }: Cell): boolean => !existsSync(join(folder, file));
  await extract(run, cells.filter(isMissing));
  let done = 0;
  const groups = groupBy(cells, ({ task, experiment, probe, seed, split, ...cell }) =>
    JSON.stringify([
      ...[task.fingerprint, spaceTitle(cell), probe, seed, split],
      // Another experiment may hold out other tracks of the same data set, or look at other windows.
      ...[experiment.split, experiment.windows],
    ]),
  );
  for (const group of groups.values()) {
    const missing = group.filter(isMissing);
    const [first] = missing;
    if (first) {
      const say = (current: string): void =>
        job.report({ done, total: cells.length, unit: 'cells', current });
      await scoreGroup(run, sets, first, missing, say);
      job.kept();
    }
    done += group.length;
    job.report({ done, total: cells.length, unit: 'cells', current: '' });
  }
}

/** Trains one probe and scores it under every deformation that is asked for. */
async function scoreGroup(
  { job, folder }: ActiveRun,
  sets: TaskSets,
  first: Cell,
  cells: readonly Cell[],
  say: (current: string) => void,
): Promise<void> {
  const { task, experiment, seed, split, probe } = first;
  const space = spaceTitle(first);
  await job.checkpoint();
  const parts = splitsOf(task, experiment.split, seed)[split];
  if (!parts) throw new EngineError('internal', 'The split is gone.');
  const part = (set: LabelledWindows, name: string): LabelledWindows =>
    selectTracks(set, (track) => parts[track] === name);
  const clean = await sets.of({ ...first, scenario: null });
  say(`${task.title}, ${space}: ${probeTitle(probe)}`);
  const score =
    published(first) ?? (await fitted(job, sets, first, part(clean, 'train'), part(clean, 'validation')));
  for (const cell of cells) {
    const set = await sets.of(cell);
    const result: EvaluationCell = {
      ...{ dataset: task.title, space, probe: probeTitle(probe) },
      ...{ deformation: cell.scenario?.title ?? CLEAN, seed, split },
      ...(await score(part(set, 'test'))),
    };
    await writeWhole(join(folder, cell.file), `${JSON.stringify(result)}\n`);
  }
}

type Score = (test: LabelledWindows) => Promise<Scored>;

/** What a head says needs no training; null for probes that learn. */
function published({ task, probe, tagger }: Cell): Score | null {
  if (probe.kind !== 'head' || tagger === null) return null;
  const labelOf = labelsOfClasses(tagger.classes, task.labelNames, probe.mapping);
  const kind = task.kind === 'multi' ? 'multi' : 'single';
  return (test) => Promise.resolve(scoredLabels(test, headAnswers(test, labelOf, kind), task.kind));
}

/** The probe of a cell, trained: it scores tracks of any deformation. */
async function fitted(
  job: ActiveRun['job'],
  sets: TaskSets,
  { task, experiment, probe, seed }: Cell,
  train: LabelledWindows,
  held: LabelledWindows,
): Promise<Score> {
  const { signal } = job;
  const pace = (): Promise<void> => job.checkpoint();
  if (probe.kind === 'ridge') {
    const known = await sets.numbers(task, experiment);
    const targets = ofTracks(known, task, train);
    const predict = await fitRidge(probe, { train, targets, signal, pace });
    const groups = task.kind === 'mir' ? targetGroups : null;
    return (test) =>
      Promise.resolve(
        scoredNumbers(test.tracks.ids, ofTracks(known, task, test), predict(test), targets, groups),
      );
  }
  if (probe.kind === 'head') throw new EngineError('internal', 'The head is gone.');
  const validation = held.count > 0 ? held : null;
  const kind = task.kind === 'multi' ? 'multi' : 'single';
  const answer = await fitProbe(probe, { train, validation, task: kind, seed, signal, pace });
  return async (test) => scoredLabels(test, await answer(test), task.kind);
}
