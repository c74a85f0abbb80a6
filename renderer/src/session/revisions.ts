import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type { Experiments } from './experiments.svelte.ts';
import type { History } from './history.svelte.ts';

/** Edits of experiments: each makes a revision, which undo goes back from. */
export class Revisions {
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #experiments: Experiments;
  readonly #history: History;

  constructor(libraryId: string, engine: EngineClient, experiments: Experiments, history: History) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#experiments = experiments;
    this.#history = history;
  }

  /** @param title says what is done, as a person would. */
  async edit(title: string, before: Experiment, change: () => Promise<Experiment>): Promise<void> {
    const after = await change();
    this.#experiments.replace(after);
    const scope = { libraryId: this.#libraryId, experimentId: before.id };
    const move = (method: 'prototypes.undo' | 'prototypes.redo') => async (): Promise<void> => {
      this.#experiments.replace(await this.#engine.call(method, scope));
    };
    this.#history.push({ title, undo: move('prototypes.undo'), redo: move('prototypes.redo') });
  }

  /** Goes to a revision of the history; can be undone like an edit. */
  async restore(experiment: Experiment, revision: number): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    await this.edit(`Go to revision ${String(revision)}`, experiment, () =>
      this.#engine.call('prototypes.restore', { ...scope, revision }),
    );
  }

  /** Takes back, or makes again, what the engine keeps of earlier sessions. */
  async moveKept(experiment: Experiment, to: 'undo' | 'redo'): Promise<void> {
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    this.#experiments.replace(await this.#engine.call(`prototypes.${to}`, scope));
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
}
