import { selectDimensions } from '../../models/embeddings/dimensions.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import type { Targets } from '../../models/probes/ridge.ts';
import { listenerOf, setKey, understood, type ActiveRun, type Cell } from './active-run.ts';
import { targetsOf } from './targets.ts';
import type { Task } from './tasks.ts';
import type { Vectors } from './vectors.ts';
import type { PlannedExperiment } from './yaml.ts';

/** What probes learn from and are tested on: the vectors and numbers of the tracks of tasks, the last few of them kept. */
export class TaskSets {
  /** Sets of one data set in one space, clean and deformed: those of the last few cells. */
  readonly #sets = new Map<string, Promise<LabelledWindows>>();
  /** What is measured of the tracks of a task. */
  readonly #targets = new Map<string, Promise<Targets>>();
  readonly #run: ActiveRun;

  constructor(run: ActiveRun) {
    this.#run = run;
  }

  /** All tracks of a data set in the space of a cell, in the order of the task, with the numbers that the cell looks at. */
  async of(cell: Cell): Promise<LabelledWindows> {
    const set = await this.#whole(cell);
    return cell.group === null ? set : selectDimensions(set, cell.group.dims);
  }

  #whole(cell: Cell): Promise<LabelledWindows> {
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

  /** What a task of numbers learns: its labels, or what is measured of its tracks. */
  numbers(task: Task, { windows }: PlannedExperiment): Promise<Targets> {
    if (task.numbers) return Promise.resolve(task.numbers);
    const key = JSON.stringify([task.fingerprint, windows]);
    let targets = this.#targets.get(key);
    if (!targets) {
      let done = 0;
      const { context, job, vectors } = this.#run;
      const { items } = task;
      const wanted = { windows, scenario: null, signal: job.signal };
      targets = targetsOf(context, vectors, items, wanted, async (item, work) => {
        await job.checkpoint();
        const current = `${task.title}, measured: ${item.path}`;
        job.report({ done: done++, total: items.length, unit: 'tracks', current });
        await understood(work, item.path);
      });
      this.#targets.set(key, targets);
      targets.catch(() => this.#targets.delete(key));
    }
    return targets;
  }

  async #gather(cell: Cell): Promise<LabelledWindows> {
    const { task, scenario, experiment } = cell;
    const { job, vectors } = this.#run;
    if (task.columns) {
      const own = task.items.map(({ vector }) => vector ?? new Float32Array());
      return labelledWindows(task, own, task.columns.length);
    }
    const runtime = await listenerOf(this.#run, cell);
    const wanted = { windows: experiment.windows, scenario, signal: job.signal };
    const rows: Vectors[] = [];
    for (const item of task.items) {
      await job.checkpoint();
      rows.push(await understood(() => vectors.of(item, runtime, wanted), item.path));
    }
    return labelledWindows(task, rows, runtime.pack.manifest.embeddingDim);
  }
}

/** Rows `[windows, dim]` of each track of a task, one after the other, with its labels. */
function labelledWindows(
  { labelNames, items }: Task,
  rows: readonly Vectors[],
  dim: number,
): LabelledWindows {
  const of = Int32Array.from(
    rows.flatMap((vectors, track) => Array<number>(vectors.length / dim).fill(track)),
  );
  const features = new Float32Array(of.length * dim);
  let at = 0;
  for (const vectors of rows) {
    features.set(vectors, at);
    at += vectors.length;
  }
  const labels = new Uint8Array(of.length * labelNames.length);
  of.forEach((track, row) => {
    for (const label of items[track]?.labels ?? [])
      labels[row * labelNames.length + labelNames.indexOf(label)] = 1;
  });
  const tracks = { of, ids: items.map(({ path }) => path), groups: items.map(({ group }) => group) };
  return { features, count: of.length, dim, labels, labelNames, tracks };
}

/** The numbers of the tracks of a set, in their order. */
export function ofTracks({ names, values }: Targets, { items }: Task, { tracks }: LabelledWindows): Targets {
  const rowOf = new Map(items.map(({ path }, row) => [path, row]));
  const width = names.length;
  const rows = tracks.ids.flatMap((id) => {
    const row = rowOf.get(id) ?? 0;
    return [...values.subarray(row * width, (row + 1) * width)];
  });
  return { names, values: Float64Array.from(rows) };
}
