import { createHash } from 'node:crypto';
import { neededBy, withFiles, type Scenario } from '../../models/deformations/scenario.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import { labelsOfClasses } from '../../models/probes/head.ts';
import { probeTitle, type AnyProbe } from '../../models/probes/probe.ts';
import { EngineError } from '../api/errors.ts';
import type { EvaluationMark } from '../api/evaluations.ts';
import type { EngineContext } from '../context.ts';
import { taggerOf, type Tagger } from '../packs/tagger.ts';
import { canCompress } from '../scoring/compress.ts';
import { acrossTask } from './across.ts';
import type { ActiveRun, Cell } from './active-run.ts';
import { hashOf } from './file-hash.ts';
import { packOfSpace } from './layers.ts';
import { notChosen, placeOf } from './source.ts';
import { readTask, splitsOf, type Task } from './tasks.ts';
import { OWN_VECTORS, type PlannedDataset } from './yaml-data-sets.ts';
import type { PlannedExperiment } from './yaml.ts';

type Run = Pick<ActiveRun, 'context' | 'spec' | 'job'>;
type Mark = (at: string, message: string) => void;

/**
 * The cells of all experiments of a file, in the order of its table.
 * @param marks gains what cannot be run
 * @throws EngineError where a data set cannot be read; the signal's reason
 */
export async function plannedCells(
  run: Run,
  experiments: readonly PlannedExperiment[],
  marks: EvaluationMark[],
): Promise<Cell[]> {
  const mark: Mark = (at, message) => void marks.push({ at, message });
  const cells: Cell[] = [];
  for (const [e, experiment] of experiments.entries())
    cells.push(...(await cellsOf(run, experiment, e, mark)));
  tellApart(cells);
  return cells;
}

async function cellsOf(run: Run, asked: PlannedExperiment, e: number, mark: Mark): Promise<Cell[]> {
  const { context } = run;
  const packs: string[] = [];
  for (const [f, space] of asked.features.entries()) {
    run.job.signal.throwIfAborted();
    const tell = (message: string): void => mark(`experiments[${e}].features[${f}]`, message);
    const id = space === OWN_VECTORS ? null : await packOfSpace(context, space, tell);
    if (id !== null) packs.push(id);
  }
  const compresses = await canCompress();
  const tasks: { experiment: PlannedExperiment; task: Task; scenarios: Scenario[] }[] = [];
  for (const planned of asked.datasets) {
    // All of one collection is learned from, all of the other tested.
    const experiment: PlannedExperiment = planned.testOn ? { ...asked, split: { kind: 'given' } } : asked;
    const task = await taskOf(run, planned, experiment, mark);
    // Before hours of embedding, not behind them.
    splitsOf(task, experiment.split, experiment.seeds[0] ?? 1);
    tasks.push({ experiment, task, scenarios: await runnable(run, planned, compresses, mark) });
  }
  requireLabels(
    asked.probes,
    tasks.map(({ task }) => task),
  );
  const cells: Cell[] = [];
  for (const { experiment, task, scenarios } of tasks) {
    if (task.columns && packs.length > 0)
      mark(task.title, 'A data set file has vectors of its own and no sound; packs are not run on it.');
    if (!task.columns && asked.features.every((space) => space === OWN_VECTORS))
      mark(task.title, `No pack is named to hear it: “${OWN_VECTORS}” is of data set files.`);
    for (const space of task.columns ? [OWN_VECTORS] : packs)
      for (const group of [
        null,
        ...(asked.groups && !task.columns ? context.packs.featureGroups(space) : []),
      ])
        for (const probe of experiment.probes) {
          // A head takes whole vectors.
          if (group !== null && probe.kind === 'head') continue;
          if (task.columns && probe.kind === 'head') {
            mark(task.title, `${probeTitle(probe)}: no head belongs to a data set file; it is not run.`);
            continue;
          }
          const tagger = await taggerFor(context, probe, { space, task }, mark);
          if (tagger === 'none') continue;
          for (const seed of experiment.seeds)
            for (let split = 0; split < splitCount(experiment.split); split++)
              for (const scenario of [null, ...scenarios]) {
                const cell = { experiment, task, space, group, probe, tagger, seed, split, scenario };
                cells.push({ file: fileOf(context, cell), ...cell });
              }
        }
  }
  return cells;
}

/** @throws EngineError `bad-input` where the mapping of a probe names a label that no data set has */
function requireLabels(probes: readonly AnyProbe[], tasks: readonly Task[]): void {
  const known = new Set(tasks.flatMap(({ labelNames }) => labelNames));
  for (const probe of probes) {
    if (probe.kind !== 'head') continue;
    const odd = Object.values(probe.mapping).find((label) => !known.has(label));
    if (odd !== undefined && tasks.length > 0)
      throw new EngineError(
        'bad-input',
        `The \`mapping\` of ${probeTitle(probe)} names “${odd}”, which is no label of ${tasks.map(({ title }) => title).join(' or ')}.`,
        `Labels there are ${[...known].slice(0, 20).join(', ')}${known.size > 20 ? ', …' : ''}: name one of them.`,
      );
  }
}

/** How often tracks are held out for each seed. */
export function splitCount(split: PlannedExperiment['split']): number {
  return split.kind === 'given' ? 1 : split.repeats * (split.kind === 'folds' ? split.folds : 1);
}

/** Everything that a cell depends on names its file: what is there need not be made again. */
function fileOf({ packs, options }: EngineContext, cell: Omit<Cell, 'file'>): string {
  const { task, space, group, experiment, probe, tagger, seed, split, scenario } = cell;
  const encoderSha256 = task.columns ? OWN_VECTORS : packs.get(space).encoderSha256;
  const key = [
    // Another version may learn or score in another way.
    options.version,
    task.fingerprint,
    spaceKey({ encoderSha256, windows: experiment.windows, deformation: scenario?.key ?? null }),
    probe,
    seed,
    split,
    experiment.split,
    // Another file under the same name says something else.
    ...(tagger === null ? [] : [tagger.key]),
    ...(group === null ? [] : [{ group }]),
  ];
  return `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24)}.json`;
}

/**
 * What answers in a probe that learns nothing.
 * @returns null for probes that learn; `none` where the space has no such head, or it says none of the labels
 */
async function taggerFor(
  context: EngineContext,
  probe: AnyProbe,
  { space, task }: Pick<Cell, 'space' | 'task'>,
  mark: Mark,
): Promise<Tagger | null | 'none'> {
  if (probe.kind !== 'head') return null;
  const at = `${task.title}, ${space}, ${probeTitle(probe)}`;
  let tagger: Tagger;
  try {
    tagger = await taggerOf(context, { packId: space, headId: probe.head });
  } catch (thrown) {
    if (!(thrown instanceof EngineError) || thrown.code !== 'pack') throw thrown;
    mark(at, `${thrown.message} It is not run.`);
    return 'none';
  }
  const missing = Object.keys(probe.mapping).filter((name) => !tagger.classes.includes(name));
  if (missing.length > 0) mark(at, `It has no class ${missing.join(', ')}, which \`mapping\` names.`);
  const said = new Set(labelsOfClasses(tagger.classes, task.labelNames, probe.mapping));
  const silent = task.labelNames.filter((_, label) => !said.has(label));
  if (silent.length === task.labelNames.length) {
    mark(
      at,
      `None of its classes is a label of the task (${tagger.classes.slice(0, 5).join(', ')}…): say by \`mapping\` which class is which label. It is not run.`,
    );
    return 'none';
  }
  if (silent.length > 0)
    mark(at, `No class of it says the labels ${silent.join(', ')}; they are never given.`);
  return tagger;
}

async function taskOf(
  run: Run,
  planned: PlannedDataset,
  experiment: PlannedExperiment,
  mark: Mark,
): Promise<Task> {
  const { context, job } = run;
  const read = (dataset: PlannedDataset): Promise<Task> =>
    readTask(context, placed(run, dataset), experiment, job.signal);
  const learned = await read(planned);
  const tested = planned.testOn && (await read(planned.testOn.dataset));
  const across = planned.testOn && tested && acrossTask(learned, tested, planned.testOn.mapping);
  const task = across?.task ?? learned;
  for (const { title, remarks } of [learned, ...(tested ? [tested] : [])])
    for (const message of remarks) mark(title, message);
  for (const message of across?.remarks ?? []) mark(task.title, message);
  if (task.several > 0)
    mark(
      planned.name,
      `${task.several} tracks bear several labels; the first of each counts in a task of one.`,
    );
  if (task.together) {
    const { groups, without } = task.together;
    const alone = without > 0 ? ` ${without} tracks name none, and each of them counts as one.` : '';
    mark(planned.name, `Tracks of one ${experiment.groupBy} stay together: there are ${groups}.${alone}`);
  }
  return task;
}

/** The deformations of a data set that this machine has all for. */
async function runnable(
  run: Run,
  { name, scenarios }: PlannedDataset,
  compresses: boolean,
  mark: Mark,
): Promise<Scenario[]> {
  const able: Scenario[] = [];
  for (const scenario of scenarios)
    if (neededBy(scenario) !== 'ffmpeg' || compresses)
      able.push(
        await withFiles(scenario, async (file) => {
          const path = place(run, file, 'response');
          return { path, sha256: await hashOf(path) };
        }),
      );
    else mark(name, `${scenario.title}: there is no ffmpeg that writes MP3; it is not run.`);
  return able;
}

function placed(run: Run, planned: PlannedDataset): PlannedDataset {
  return {
    ...planned,
    dir: place(run, planned.dir, planned.type),
    reading: planned.reading && {
      ...planned.reading,
      labels:
        planned.reading.labels?.kind === 'xml'
          ? { kind: 'xml', path: place(run, planned.reading.labels.path, 'csv') }
          : planned.reading.labels,
    },
    labels: planned.labels && place(run, planned.labels, 'csv'),
    index: planned.index && place(run, planned.index, 'csv'),
  };
}

function place({ context, spec }: Run, named: string, type: string): string {
  const path = placeOf(context, spec, named, type);
  // The file may say something else than when it was asked for.
  if (spec.allowed !== null && type !== 'library' && !spec.allowed.includes(path)) throw notChosen(named);
  return path;
}

/** Data sets of one name that are not the same, or not tested alike, are numbered: their cells must not be taken together. */
function tellApart(cells: readonly Cell[]): void {
  const known = new Map<string, string[]>();
  for (const { task, experiment } of cells) {
    const { name } = task.dataset;
    const key = JSON.stringify([task.fingerprint, experiment.split, experiment.windows]);
    const alike = known.get(name) ?? [];
    if (!alike.includes(key)) alike.push(key);
    known.set(name, alike);
    const before = alike.indexOf(key);
    task.title = before === 0 ? name : `${name} (${before + 1})`;
  }
}
