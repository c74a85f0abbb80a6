import type {
  FullScore,
  KnnScore,
  Reduction,
  Study,
  StudyChoices,
  StudyRequest,
} from '../../../engine/api/domain.ts';
import { formDefaults } from './form.ts';
import type { StudyForm } from './form.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { History } from '../session/history.svelte.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';

/** A study as the view lists it; a reduction that was made alone is one of a single run. */
export interface Entry {
  id: string;
  name: string;
  /** null: a reduction made alone. */
  study: Study | null;
  full: FullScore[];
  createdAt: string;
}

/** The studies of the open library, the chosen one and its reductions. */
export class Reductions {
  choices = $state.raw<StudyChoices>({ methods: [], classifiers: [], metrics: [] });
  entries = $state.raw<Entry[]>([]);
  currentId = $state<string | null>(null);
  /** Of the chosen study. */
  list = $state.raw<Reduction[]>([]);
  form = $state.raw<StudyForm>(formDefaults);
  /** The study is being prepared: the engine reads the data. */
  starting = $state(false);
  #single: Reduction[] = [];
  readonly libraryId: string;
  #engine: EngineClient;
  #jobs: JobWaiter;
  #history: History;

  current = $derived(this.entries.find((entry) => entry.id === this.currentId) ?? null);

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
    const [studies, single] = await Promise.all([
      this.#engine.call('reductions.studies', { libraryId }),
      this.#engine.call('reductions.list', { libraryId, studyId: null }),
    ]);
    this.#single = single;
    this.entries = [...studies.map(studyEntry), ...single.map(singleEntry)].sort((a, b) =>
      b.createdAt.localeCompare(a.createdAt),
    );
    await this.choose(this.current?.id ?? this.entries[0]?.id ?? null);
  }

  /** Shows a study. */
  async choose(id: string | null): Promise<void> {
    const { libraryId } = this;
    const entry = this.entries.find((known) => known.id === id);
    const changed = this.currentId !== id;
    this.currentId = id;
    if (changed) this.list = [];
    if (!entry) {
      this.list = [];
    } else if (entry.study) {
      const list = await this.#engine.call('reductions.list', { libraryId, studyId: entry.id });
      // In the order they were made.
      if (this.currentId === entry.id) this.list = list.reverse();
    } else {
      this.list = this.#single.filter((reduction) => reduction.id === id);
    }
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

  /** Removes a study, or a reduction made alone; can be undone. */
  async removeEntry({ id, name, study }: Entry): Promise<void> {
    const { libraryId } = this;
    if (!study) return this.remove(id, name);
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

function studyEntry(study: Study): Entry {
  const { id, name, full, createdAt } = study;
  return { id, name, study, full, createdAt };
}

function singleEntry(reduction: Reduction): Entry {
  const { k, hammingLoss, exactMatch, f1Samples, f1Macro } = reduction.full;
  const score: KnnScore = {
    classifier: 'lpknn',
    k,
    metrics: {
      hammingLoss: [hammingLoss],
      exactMatch: [exactMatch],
      f1Samples: [f1Samples],
      f1Macro: [f1Macro],
    },
    labelF1: [],
  };
  return {
    id: reduction.id,
    name: `${reduction.taxonomyName}: ${reduction.name}`,
    study: null,
    full: [{ noise: reduction.noise, scores: [score] }],
    createdAt: reduction.createdAt,
  };
}
