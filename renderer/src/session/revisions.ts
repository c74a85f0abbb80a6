import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { JobResult } from '../../../engine/api/jobs.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';
import type { Experiments } from './experiments.svelte.ts';
import type { History, Step } from './history.svelte.ts';

/** What a person says of an experiment. */
export type Described = Pick<Experiment, 'name' | 'notes' | 'pinned'>;

/** Edits of experiments: each makes a revision, which undo goes back from. */
export class Revisions {
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #experiments: Experiments;
  readonly #history: History;
  readonly #jobs: JobWaiter;

  constructor(
    libraryId: string,
    engine: EngineClient,
    experiments: Experiments,
    history: History,
    jobs: JobWaiter,
  ) {
    this.#jobs = jobs;
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#experiments = experiments;
    this.#history = history;
  }

  /** @param title says what is done, as a person would. */
  async edit(title: string, before: Experiment, change: () => Promise<Experiment>): Promise<void> {
    const after = await change();
    this.#experiments.replace(after);
    this.#history.push(this.#step(title, before.id, before.revision, after.revision));
  }

  /** Goes to a revision of the history; can be undone like an edit. */
  async restore(experiment: Experiment, revision: number): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    await this.edit(`Go to revision ${String(revision)}`, experiment, () =>
      this.#engine.call('prototypes.restore', { ...scope, revision }),
    );
  }

  /** Takes back, or makes again, what the engine keeps of earlier sessions; from then on a step of this one. */
  async moveKept({ id, revision }: Experiment, to: 'undo' | 'redo'): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: id };
    const moved = await this.#engine.call(`prototypes.${to}`, scope);
    this.#experiments.replace(moved);
    if (to === 'redo')
      this.#history.push(
        this.#step(`Go to revision ${String(moved.revision)}`, id, revision, moved.revision),
      );
    else this.#history.undone(this.#step(`Go to revision ${String(revision)}`, id, moved.revision, revision));
  }

  /**
   * Trains on around what is frozen, as a job; can be undone like an edit.
   * @returns null where it was cancelled
   * @throws EngineError as the job failed
   */
  async retrain(
    { id: experimentId }: Experiment,
    revision: number,
    steps: number,
  ): Promise<Extract<JobResult, { kind: 'retrain' }> | null> {
    const { jobId } = await this.#engine.call('prototypes.retrain', {
      ...{ libraryId: this.#libraryId, experimentId },
      ...{ revision, steps },
    });
    const { result } = await this.#jobs.wait(jobId);
    if (result?.kind !== 'retrain') return null;
    await this.#experiments.reload();
    if (!result.asNew) this.#history.push(this.#step('Retrain', experimentId, revision, result.revision));
    return result;
  }

  /** Sets from which probability on a label is predicted. */
  async setThreshold(experiment: Experiment, name: string, value: number): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    await this.edit(`Set the threshold of ${name}`, experiment, () =>
      this.#engine.call('experiments.setThreshold', { ...scope, class: name, value }),
    );
  }

  /** Chooses all thresholds on the validation tracks again. */
  async chooseThresholds(experiment: Experiment): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    await this.edit('Choose thresholds', experiment, () =>
      this.#engine.call('experiments.chooseThresholds', scope),
    );
  }

  /** Names, annotates or pins an experiment; can be undone like an edit, though it makes no revision. */
  async describe(title: string, before: Experiment, change: Partial<Described>): Promise<void> {
    const describe = async (to: Partial<Described>): Promise<void> => {
      const scope = { libraryId: this.#libraryId, experimentId: before.id };
      await this.#engine.call('experiments.describe', { ...scope, ...to });
      await this.#experiments.reload();
    };
    const { name, notes, pinned } = before;
    await describe(change);
    this.#history.push({
      title,
      undo: () => describe({ name, notes, pinned }),
      redo: () => describe(change),
    });
  }

  #step(title: string, experimentId: string, before: number, after: number): Step {
    return {
      title,
      undo: () => this.#move('undo', experimentId, after, before),
      redo: () => this.#move('redo', experimentId, before, after),
    };
  }

  /** One step along the history, or to the revision itself: another window may have gone elsewhere meanwhile. */
  async #move(to: 'undo' | 'redo', experimentId: string, leaves: number, reaches: number): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId };
    const present = await this.#engine.call('experiments.get', scope);
    if (present.revision === leaves)
      this.#experiments.replace(await this.#engine.call(`prototypes.${to}`, scope));
    else if (present.revision === reaches) this.#experiments.replace(present);
    else
      this.#experiments.replace(
        await this.#engine.call('prototypes.restore', { ...scope, revision: reaches }),
      );
  }
}
