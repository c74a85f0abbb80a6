import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AudioError } from '../../models/audio/errors.ts';
import { neededBy, ScenarioError, withFiles, type Scenario } from '../../models/deformations/scenario.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import {
  debiasedCka,
  representationalSimilarity,
  representationOf,
  type Representation,
} from '../../models/evaluation/statistics/similarity.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { selectTracks } from '../../models/embeddings/tracks.ts';
import { fitProbe, probeTitle, type ProbeSettings } from '../../models/probes/probe.ts';
import { fitRidge, type RidgeSettings, type Targets } from '../../models/probes/ridge.ts';
import {
  evaluationsMethods,
  type EvaluationMark,
  type EvaluationSimilarity,
  type EvaluationStep,
} from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { evaluationSource, nameOfFile, notChosen, placeOf } from './source.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { canCompress } from '../scoring/compress.ts';
import { acrossTask } from './across.ts';
import { hashOf } from './file-hash.ts';
import { scoredLabels, scoredNumbers, type Scored } from './score.ts';
import { targetGroups, targetsOf } from './targets.ts';
import { readTask, splitsOf, type Task } from './tasks.ts';
import { VectorStore, type Vectors } from './vectors.ts';
import type { QueueSettings } from '../queue/settings.ts';
import { extractOverQueue, type Extraction } from './extract-over-queue.ts';
import { readEvaluationFile, type PlannedDataset, type PlannedExperiment } from './yaml.ts';

export const evaluationSpecSchema = evaluationsMethods['evaluations.run'].input.extend({
  /** Where everything is that the file may name; null: anything. A window’s file may name only what a person chose. */
  allowed: z.array(z.string()).nullable().default(null),
});
type Spec = z.output<typeof evaluationSpecSchema>;

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

/** What a run was told, so that it can be gone on with. */
export const runSpecFile = 'run.json';

/** Every task of a run, by the name of its data set: path, file and labels of its tracks. */
export const tasksSchema = z.record(
  z.string(),
  z.array(z.tuple([z.string(), z.string(), z.array(z.string())])),
);
export const tasksFile = 'tasks.json';

/** What a deformation did to a track. */
const measuredSchema = z.looseObject({ dataset: z.string(), deformation: z.string(), path: z.string() });
type Measured = z.output<typeof measuredSchema>;

/** What spaces share. */
export const similarityFile = 'similarity.json';
export const similaritySchema = z.array(
  z.object({
    ...{ dataset: z.string(), first: z.string(), second: z.string() },
    ...{ cka: z.number().nullable(), rsa: z.number().nullable(), tracks: z.number() },
  }),
);
/** Fewer tracks have no unbiased estimate; of more, every pair of as many is compared. */
const LEAST_COMPARED = 4;
const MOST_COMPARED = 1000;

const CLEAN = 'clean';

/** Where an evaluation lies: the same file with the same places is the same evaluation. */
export function evaluationFolder(dataFolder: string, evaluationId: string): string {
  return join(dataFolder, 'evaluations', evaluationId);
}

/**
 * Runs the cells of an evaluation that are not there yet. Each is written whole as soon as it is known, and depends on its
 * own inputs alone, so that a run that was killed goes on to the same bytes.
 * @returns the evaluation's id and the number of its cells
 * @throws EngineError; the signal's reason
 */
export async function runEvaluation(
  context: EngineContext,
  spec: Spec,
  job: JobHandle,
): Promise<{ evaluationId: string; cells: number }> {
  const { content, folder: base } = await evaluationSource(spec.file);
  const evaluationId = createHash('sha256')
    .update(JSON.stringify([content, spec.places, base ?? '']))
    .digest('hex')
    .slice(0, 16);
  const folder = evaluationFolder(context.options.dataFolder, evaluationId);
  const run = new EvaluationRun(context, spec, job, folder, evaluationId);
  const cells = await run.run(content);
  return { evaluationId, cells };
}

interface Cell {
  file: string;
  experiment: PlannedExperiment;
  task: Task;
  space: string;
  probe: ProbeSettings | RidgeSettings;
  seed: number;
  split: number;
  scenario: Scenario | null;
}

class EvaluationRun {
  readonly #vectors: VectorStore;
  readonly #marks: EvaluationMark[] = [];
  /** Sets of one data set in one space, clean and deformed: those of the last few cells. */
  readonly #sets = new Map<string, Promise<LabelledWindows>>();
  /** What is measured of the tracks of a task. */
  readonly #targets = new Map<string, Promise<Targets>>();

  constructor(
    readonly context: EngineContext,
    readonly spec: Spec,
    readonly job: JobHandle,
    readonly folder: string,
    readonly evaluationId: string,
  ) {
    this.#vectors = new VectorStore(context, join(context.options.dataFolder, 'evaluations', '.vectors'));
  }

  async run(source: string): Promise<number> {
    const { experiments, marks } = readEvaluationFile(source);
    this.#marks.push(...marks);
    const cells: Cell[] = [];
    for (const [e, experiment] of experiments.entries()) cells.push(...(await this.#plan(experiment, e)));
    this.#tellApart(cells);
    if (cells.length === 0)
      throw new EngineError(
        'bad-input',
        'Nothing of this evaluation can be run.',
        this.#marks.map(({ at, message }) => `${at}: ${message}`).join(' ') || 'Look at the file.',
      );
    await mkdir(this.folder, { recursive: true });
    await writeWhole(join(this.folder, 'evaluation.yml'), source);
    await writeWhole(join(this.folder, runSpecFile), `${JSON.stringify(this.spec)}\n`);
    const tasks = Object.fromEntries(
      cells.map(({ task }) => [task.title, task.items.map(({ path, file, labels }) => [path, file, labels])]),
    );
    await writeWhole(join(this.folder, tasksFile), `${JSON.stringify(tasks)}\n`);
    const plan: z.output<typeof planSchema> = {
      name: nameOfFile(this.spec.file),
      marks: this.#marks,
      cells: [...new Set(cells.map(({ file }) => file))],
      madeBy: {
        version: this.context.options.version,
        packs: [...new Set(cells.map(({ space }) => space))].map((id) => {
          const { manifest, sha256 } = this.context.packs.get(id);
          return { id, version: manifest.version, sha256 };
        }),
      },
    };
    await writeWhole(join(this.folder, 'plan.json'), `${JSON.stringify(plan, null, 1)}\n`);
    await this.#steps[this.spec.step](cells);
    return plan.cells.length;
  }

  readonly #steps: Record<EvaluationStep, (cells: Cell[]) => Promise<void>> = {
    deform: (cells) => this.#deform(cells),
    extract: (cells) => this.#extract(cells),
    train: (cells) => this.#score(cells.filter(({ scenario }) => scenario === null)),
    evaluate: (cells) => this.#score(cells),
    conduct: async (cells) => {
      await this.#deform(cells);
      await this.#score(cells);
      await this.#compare(cells);
    },
  };

  /** @throws EngineError where a data set cannot be read */
  async #plan(asked: PlannedExperiment, e: number): Promise<Cell[]> {
    const { signal } = this.job;
    const packs = asked.features.filter((id, f) => {
      if (this.context.packs.find(id)) return true;
      this.#marks.push({
        at: `experiments[${e}].features[${f}]`,
        message: `There is no pack “${id}”; it is not run.`,
      });
      return false;
    });
    const compresses = await canCompress();
    const cells: Cell[] = [];
    for (const planned of asked.datasets) {
      // All of one collection is learned from, all of the other tested.
      const experiment: PlannedExperiment = planned.testOn ? { ...asked, split: { kind: 'given' } } : asked;
      const dataset = this.#placed(planned);
      const first = await readTask(this.context, dataset, experiment, signal);
      const across =
        planned.testOn &&
        acrossTask(
          first,
          await readTask(this.context, this.#placed(planned.testOn.dataset), experiment, signal),
          planned.testOn.mapping,
        );
      const task = across?.task ?? first;
      for (const message of across?.remarks ?? []) this.#marks.push({ at: task.title, message });
      if (task.several > 0)
        this.#marks.push({
          at: dataset.name,
          message: `${task.several} tracks bear several labels; the first of each counts in a task of one.`,
        });
      if (task.together) {
        const { groups, without } = task.together;
        this.#marks.push({
          at: dataset.name,
          message: `Tracks of one ${experiment.groupBy} stay together: there are ${groups}.${without > 0 ? ` ${without} tracks name none, and each of them counts as one.` : ''}`,
        });
      }
      const scenarios: Scenario[] = [];
      for (const scenario of dataset.scenarios)
        if (neededBy(scenario) !== 'ffmpeg' || compresses)
          scenarios.push(
            await withFiles(scenario, async (name) => {
              const path = this.#place(name, 'response');
              return { path, sha256: await hashOf(path) };
            }),
          );
        else
          this.#marks.push({
            at: dataset.name,
            message: `${scenario.title}: there is no ffmpeg that writes MP3; it is not run.`,
          });
      const splits =
        experiment.split.kind === 'given'
          ? 1
          : experiment.split.repeats * (experiment.split.kind === 'folds' ? experiment.split.folds : 1);
      for (const space of packs)
        for (const probe of experiment.probes)
          for (const seed of experiment.seeds)
            for (let split = 0; split < splits; split++)
              for (const scenario of [null, ...scenarios]) {
                const key = [
                  // Another version may learn or score in another way.
                  this.context.options.version,
                  task.fingerprint,
                  this.#spaceKey(space, experiment, scenario),
                  probe,
                  seed,
                  split,
                  experiment.split,
                ];
                const file = `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24)}.json`;
                cells.push({ file, experiment, task, space, probe, seed, split, scenario });
              }
    }
    return cells;
  }

  /** Data sets of one name that are not the same, or not tested alike, are numbered: their cells must not be taken together. */
  #tellApart(cells: readonly Cell[]): void {
    const known = new Map<string, string[]>();
    for (const { task, experiment } of cells) {
      const { name } = task.dataset;
      const key = JSON.stringify([task.fingerprint, experiment.split, experiment.windows]);
      const alike = known.get(name) ?? [];
      if (!alike.includes(key)) alike.push(key);
      known.set(name, alike);
      task.title = numbered(name, alike.indexOf(key));
    }
  }

  #spaceKey(packId: string, { windows }: PlannedExperiment, scenario: Scenario | null): string {
    return spaceKey({
      encoderSha256: this.context.packs.get(packId).encoderSha256,
      windows,
      deformation: scenario?.key ?? null,
    });
  }

  #placed(planned: PlannedDataset): PlannedDataset {
    return {
      ...planned,
      dir: this.#place(planned.dir, planned.type),
      labels: planned.labels && this.#place(planned.labels, 'csv'),
      index: planned.index && this.#place(planned.index, 'csv'),
    };
  }

  #place(named: string, type: string): string {
    const { allowed } = this.spec;
    const path = placeOf(this.context, this.spec, named, type);
    // The file may say something else than when it was asked for.
    if (allowed !== null && type !== 'library' && !allowed.includes(path)) throw notChosen(named);
    return path;
  }

  /** Measures every deformation on the audio it will be tested on. @throws EngineError where one is not what it should be */
  async #deform(cells: readonly Cell[]): Promise<void> {
    const wanted = new Map(
      cells.flatMap(({ task, scenario }) =>
        scenario ? [[`${task.fingerprint} ${scenario.key}`, { task, scenario }]] : [],
      ),
    );
    const report: Measured[] = [];
    let done = 0;
    for (const { task, scenario } of wanted.values()) {
      const say = (path: string): void =>
        this.job.report({
          ...{ done, total: wanted.size, unit: 'deformations' },
          current: `${scenario.title}: ${path}`,
        });
      report.push(...(await this.#measured(task, scenario, say)));
      done += 1;
    }
    await writeWhole(join(this.folder, 'deformations.json'), `${JSON.stringify(report, null, 1)}\n`);
  }

  /** What one deformation does to a few tracks of a task; measured once, also where the run was ended in between. */
  async #measured(task: Task, scenario: Scenario, say: (path: string) => void): Promise<Measured[]> {
    const { signal } = this.job;
    const key = [this.context.options.version, task.title, task.fingerprint, scenario.key];
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24);
    const file = join(this.folder, `measured-${hash}.json`);
    if (existsSync(file)) return z.array(measuredSchema).parse(JSON.parse(await readFile(file, 'utf8')));
    const report: Measured[] = [];
    // A few tracks tell whether it does what it says; each of them whole.
    const looked = task.items.filter((_, i) => i % Math.max(1, Math.floor(task.items.length / 8)) === 0);
    for (const item of looked) {
      await this.job.checkpoint();
      say(item.path);
      const { measures } = await this.#understood(
        () => this.#vectors.deformed(item, scenario, signal),
        item.path,
      );
      for (const measure of measures) {
        report.push({
          dataset: task.title,
          deformation: scenario.title,
          path: item.path,
          ...measure,
        });
        // A shift is written down and ends nothing: of plucked notes whose partials fade apart it is not found to 5 cents.
        if (Math.abs(measure.found - measure.wanted) > measure.tolerance && measure.name !== 'shift')
          throw new EngineError(
            'internal',
            `${scenario.title} of ${item.path}: ${measure.name} is ${measure.found.toFixed(2)} ${measure.unit}, not ${measure.wanted}.`,
            'Report this, with the file.',
          );
      }
    }
    await writeWhole(file, `${JSON.stringify(report)}\n`);
    this.job.kept();
    return report;
  }

  /** Makes the vectors that the cells need and that are not there. */
  async #extract(cells: readonly Cell[]): Promise<void> {
    const { signal } = this.job;
    const settings = await this.context.queue.settingsFor(this.spec.overQueue);
    if (settings !== null) await this.#extractElsewhere(cells, settings);
    const clean = cells.map((cell) => ({ ...cell, scenario: null }));
    const groups = groupBy([...clean, ...cells], ({ task, scenario, experiment: { windows } }) =>
      JSON.stringify([task.fingerprint, scenario?.key ?? null, windows]),
    );
    const total = [...groups.values()].reduce((sum, [first]) => sum + (first?.task.items.length ?? 0), 0);
    let done = 0;
    for (const group of groups.values()) {
      const [first] = group;
      if (!first) continue;
      const { task, scenario, experiment } = first;
      const spaces = [...new Set(group.map(({ space }) => space))];
      const runtimes = await Promise.all(spaces.map((space) => this.context.packs.runtime(space)));
      for (const item of task.items) {
        await this.job.checkpoint();
        const current = `${task.title}, ${scenario?.title ?? CLEAN}: ${item.path}`;
        this.job.report({ done, total, unit: 'tracks', current });
        const wanted = { windows: experiment.windows, scenario, signal };
        const made = await this.#understood(() => this.#vectors.make(item, runtimes, wanted), item.path);
        // What was there before is nothing that this run brought nearer to its end.
        if (made) this.job.kept();
        done += 1;
      }
    }
    this.job.report({ done, total, unit: 'tracks', current: '' });
  }

  /** By workers, as far as they have what it takes. */
  async #extractElsewhere(cells: readonly Cell[], settings: QueueSettings): Promise<void> {
    const { context, job, evaluationId } = this;
    const clean = cells.map((cell) => ({ ...cell, scenario: null }));
    const groups = groupBy([...clean, ...cells], setKey);
    const extractions: Extraction[] = [];
    for (const [first] of groups.values()) {
      if (!first) continue;
      const { task, scenario, space, experiment } = first;
      extractions.push({
        ...{ items: task.items, runtime: await context.packs.runtime(space) },
        wanted: { windows: experiment.windows, scenario },
        title: `${task.dataset.name}, ${scenario?.title ?? CLEAN}, ${space}`,
      });
    }
    await extractOverQueue(extractions, { context, settings, evaluationId, vectors: this.#vectors, job });
  }

  /** How much the spaces share on the clean tracks of each data set. */
  async #compare(cells: readonly Cell[]): Promise<void> {
    const groups = groupBy(cells, ({ task, experiment: { windows } }) =>
      JSON.stringify([task.fingerprint, windows]),
    );
    const found: EvaluationSimilarity[] = [];
    for (const group of groups.values()) {
      const known: { space: string; representation: Representation }[] = [];
      for (const [space, own] of groupBy(group, (cell) => cell.space)) {
        const [first] = own;
        if (!first) continue;
        await this.job.checkpoint();
        const { features, dim, count } = poolTracks(await this.#set({ ...first, scenario: null }));
        if (count < LEAST_COMPARED) continue;
        const compared = spread(features, dim, count);
        known.push({ space, representation: await representationOf(compared, dim, this.job.signal) });
      }
      const dataset = group[0]?.task.title ?? '';
      for (const [i, first] of known.entries())
        for (const second of known.slice(i + 1)) {
          await this.job.checkpoint();
          found.push({
            ...{ dataset, first: first.space, second: second.space },
            cka: debiasedCka(first.representation, second.representation),
            rsa: representationalSimilarity(first.representation, second.representation),
            tracks: first.representation.n,
          });
        }
    }
    await writeWhole(join(this.folder, similarityFile), `${JSON.stringify(found, null, 1)}\n`);
  }

  async #score(cells: readonly Cell[]): Promise<void> {
    await this.#extract(cells.filter(({ file }) => !existsSync(join(this.folder, file))));
    let done = 0;
    const groups = groupBy(cells, ({ task, space, probe, seed, split }) =>
      JSON.stringify([task.fingerprint, space, probe, seed, split]),
    );
    for (const group of groups.values()) {
      const missing = group.filter(({ file }) => !existsSync(join(this.folder, file)));
      const [first] = missing;
      if (first) {
        const say = (current: string): void =>
          this.job.report({ done, total: cells.length, unit: 'cells', current });
        await this.#group(first, missing, say);
        this.job.kept();
      }
      done += group.length;
      this.job.report({ done, total: cells.length, unit: 'cells', current: '' });
    }
  }

  /** Trains one probe and scores it under every deformation that is asked for. */
  async #group(first: Cell, cells: readonly Cell[], say: (current: string) => void): Promise<void> {
    const { task, experiment, seed, split, probe, space } = first;
    const { signal } = this.job;
    await this.job.checkpoint();
    const parts = splitsOf(task, experiment.split, seed)[split];
    if (!parts) throw new EngineError('internal', 'The split is gone.');
    const clean = await this.#set({ ...first, scenario: null });
    const part = (set: LabelledWindows, name: string): LabelledWindows =>
      selectTracks(set, (track) => parts[track] === name);
    say(`${task.title}, ${space}: ${probeTitle(probe)}`);
    const held = part(clean, 'validation');
    const train = part(clean, 'train');
    const pace = (): Promise<void> => this.job.checkpoint();
    let score: (test: LabelledWindows) => Promise<Scored>;
    if (probe.kind === 'ridge') {
      const known = await this.#numbers(task, experiment);
      const targets = ofTracks(known, task, train);
      const fitted = await fitRidge(probe, { train, targets, signal, pace });
      const groups = task.kind === 'mir' ? targetGroups : null;
      score = (test) =>
        Promise.resolve(
          scoredNumbers(test.tracks.ids, ofTracks(known, task, test), fitted(test), targets, groups),
        );
    } else {
      const validation = held.count > 0 ? held : null;
      const kind = task.kind === 'multi' ? 'multi' : 'single';
      const fitted = await fitProbe(probe, { train, validation, task: kind, seed, signal, pace });
      score = async (test) => scoredLabels(test, await fitted(test), task.kind);
    }
    for (const cell of cells) {
      const set = await this.#set(cell);
      const result: EvaluationCell = {
        ...{
          dataset: task.title,
          space,
          probe: probeTitle(probe),
          deformation: cell.scenario?.title ?? CLEAN,
          seed,
          split,
        },
        ...(await score(part(set, 'test'))),
      };
      await writeWhole(join(this.folder, cell.file), `${JSON.stringify(result)}\n`);
    }
  }

  /** What a task of numbers learns: its labels, or what is measured of its tracks. */
  #numbers(task: Task, { windows }: PlannedExperiment): Promise<Targets> {
    if (task.numbers) return Promise.resolve(task.numbers);
    const key = JSON.stringify([task.fingerprint, windows]);
    let targets = this.#targets.get(key);
    if (!targets) {
      let done = 0;
      const { signal } = this.job;
      const { items } = task;
      const wanted = { windows, scenario: null, signal };
      targets = targetsOf(this.context, this.#vectors, items, wanted, async (item, work) => {
        await this.job.checkpoint();
        const current = `${task.title}, measured: ${item.path}`;
        this.job.report({ done: done++, total: items.length, unit: 'tracks', current });
        await this.#understood(work, item.path);
      });
      this.#targets.set(key, targets);
      targets.catch(() => this.#targets.delete(key));
    }
    return targets;
  }

  /** All tracks of a data set in the space of a cell, in the order of the task. */
  #set(cell: Cell): Promise<LabelledWindows> {
    const key = setKey(cell);
    let set = this.#sets.get(key);
    if (!set) {
      // As many as the deformations of one space; the memory of a large data set counts.
      if (this.#sets.size > 12) this.#sets.clear();
      set = this.#gather(cell);
      this.#sets.set(key, set);
      set.catch(() => this.#sets.delete(key));
    }
    return set;
  }

  async #gather({ task, space, scenario, experiment }: Cell): Promise<LabelledWindows> {
    const { signal } = this.job;
    const runtime = await this.context.packs.runtime(space);
    const dim = runtime.pack.manifest.embeddingDim;
    const rows: Vectors[] = [];
    const wanted = { windows: experiment.windows, scenario, signal };
    for (const item of task.items) {
      await this.job.checkpoint();
      rows.push(await this.#understood(() => this.#vectors.of(item, runtime, wanted), item.path));
    }
    const of = Int32Array.from(
      rows.flatMap((vectors, track) => Array<number>(vectors.length / dim).fill(track)),
    );
    const features = new Float32Array(of.length * dim);
    let at = 0;
    for (const vectors of rows) {
      features.set(vectors, at);
      at += vectors.length;
    }
    const { labelNames, items } = task;
    const labels = new Uint8Array(of.length * labelNames.length);
    of.forEach((track, row) => {
      for (const label of items[track]?.labels ?? [])
        labels[row * labelNames.length + labelNames.indexOf(label)] = 1;
    });
    const tracks = { of, ids: items.map(({ path }) => path), groups: items.map(({ group }) => group) };
    return { features, count: of.length, dim, labels, labelNames, tracks };
  }

  /** What a deformation refuses, or no decoder reads, is said with the file it was met in. */
  async #understood<T>(work: () => Promise<T>, path: string): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof AudioError)
        throw new EngineError('audio', `${path}: ${thrown.message}`, thrown.hint, { cause: thrown });
      if (!(thrown instanceof ScenarioError)) throw thrown;
      throw new EngineError('bad-input', `${path}: ${thrown.message}`, 'Choose a milder deformation.', {
        cause: thrown,
      });
    }
  }
}

const numbered = (name: string, before: number): string => (before === 0 ? name : `${name} (${before + 1})`);

const setKey = ({ task, space, scenario, experiment }: Cell): string =>
  JSON.stringify([task.fingerprint, space, experiment.windows, scenario?.key ?? null]);

/** The numbers of the tracks of a set, in their order. */
function ofTracks({ names, values }: Targets, { items }: Task, { tracks }: LabelledWindows): Targets {
  const rowOf = new Map(items.map(({ path }, row) => [path, row]));
  const width = names.length;
  const rows = tracks.ids.flatMap((id) => {
    const row = rowOf.get(id) ?? 0;
    return [...values.subarray(row * width, (row + 1) * width)];
  });
  return { names, values: Float64Array.from(rows) };
}

/** Of many rows some, evenly spread. */
function spread(features: ArrayLike<number>, dim: number, count: number): Float32Array {
  const kept = Math.min(count, MOST_COMPARED);
  const rows = new Float32Array(kept * dim);
  for (let i = 0; i < kept; i++) {
    const from = Math.floor((i * count) / kept) * dim;
    for (let d = 0; d < dim; d++) rows[i * dim + d] = features[from + d] ?? 0;
  }
  return rows;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
