import type { Reduction } from '../../../engine/api/reductions.ts';
import type { Study, StudyChoices, StudyRequest } from '../../../engine/api/studies.ts';
import { formDefaults, type StudyForm } from './form.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { History } from '../session/history.svelte.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';

/** The studies of the open library, the chosen one and its reductions. */
export class Reductions {
  choices = $state.raw<StudyChoices>({ methods: [], classifiers: [], metrics: [] });
  /** Newest first. */
  studies = $state.raw<Study[]>([]);
  currentId = $state<string | null>(null);
  /** Of the chosen study. */
  list = $state.raw<Reduction[]>([]);
  form = $state.raw<StudyForm>(formDefaults);
  /** The study is being prepared: the engine reads the data. */
  starting = $state(false);
  readonly libraryId: string;
  #engine: EngineClient;
  #jobs: JobWaiter;
  #history: History;

  current = $derived(this.studies.find(({ id }) => id === this.currentId) ?? null);

  constructor(libraryId: string, engine: EngineClient, jobs: JobWaiter, history: History) {
    this.libraryId = libraryId;
    this.#engine = engine;
    this.#jobs = jobs;
    this.#history = history;
  }

  set(change: Partial<StudyForm>): void {
    this.form = { ...this.form, ...change };
  }

  async reload(): Promise<void> {
    const { libraryId } = this;
    if (this.choices.methods.length === 0) this.choices = await this.#engine.call('reductions.choices', {});
    this.studies = await this.#engine.call('reductions.studies', { libraryId });
    await this.choose(this.current?.id ?? this.studies[0]?.id ?? null);
  }

  /** Shows a study. */
  async choose(id: string | null): Promise<void> {
    const { libraryId } = this;
    const changed = this.currentId !== id;
    this.currentId = id;
    const { current } = this;
    if (changed || !current) this.list = [];
    if (!current) return;
    const list = await this.#engine.call('reductions.list', { libraryId, studyId: current.id });
    // In the order they were made.
    if (this.currentId === current.id) this.list = list.reverse();
  }

  /** Begins a study and resolves when its job has ended. @throws EngineError as the job failed, or `cancelled`. */
  async start(request: StudyRequest): Promise<void> {
    const { libraryId } = this;
    this.starting = true;
    let jobId: string;
    try {
      const started = await this.#engine.call('reductions.study', { libraryId, request });
      jobId = started.jobId;
      this.currentId = started.studyId;
      // Nothing of the study that was shown before belongs to this one.
      this.list = [];
    } finally {
      this.starting = false;
    }
    await this.#follow(jobId);
  }

  /** Goes on with a study that was stopped. @throws EngineError as {@link start}. */
  async resume(studyId: string): Promise<void> {
    const { jobId } = await this.#engine.call('reductions.continueStudy', {
      libraryId: this.libraryId,
      studyId,
    });
    await this.#follow(jobId);
  }

  /** Removes a study; can be undone. */
  async removeStudy({ id, name }: Study): Promise<void> {
    const { libraryId } = this;
    await this.#undoable(
      `Remove study “${name}”`,
      () => this.#engine.call('reductions.removeStudy', { libraryId, studyId: id }),
      () => this.#engine.call('reductions.restore', { libraryId, studyId: id }),
    );
  }

  /** Removes one reduction; can be undone. */
  async remove(reductionId: string, name: string): Promise<void> {
    const { libraryId } = this;
    await this.#undoable(
      `Remove reduction “${name}”`,
      () => this.#engine.call('reductions.remove', { libraryId, reductionId }),
      () => this.#engine.call('reductions.restore', { libraryId, reductionId }),
    );
  }

  async #follow(jobId: string): Promise<void> {
    await this.reload();
    try {
      await this.#jobs.wait(jobId);
    } finally {
      await this.reload();
    }
  }

  async #undoable(title: string, remove: () => Promise<null>, restore: () => Promise<null>): Promise<void> {
    const redo = async (): Promise<void> => {
      await remove();
      await this.reload();
    };
    const undo = async (): Promise<void> => {
      await restore();
      await this.reload();
    };
    await redo();
    this.#history.push({ title, undo, redo });
  }
}
