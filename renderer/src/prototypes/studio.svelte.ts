import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Experiment } from '../../../engine/api/experiments.ts';
import type {
  EditPreview,
  PrototypeEdit,
  PrototypeInfo,
  RevisionLog,
} from '../../../engine/api/prototypes.ts';
import type { Experiments } from '../session/experiments.svelte.ts';
import type { Prototypes } from './prototypes.svelte.ts';

/** An edit that is looked at before it is made. */
export interface Draft {
  title: string;
  edit: PrototypeEdit;
  /** Null while it is worked out. */
  preview: EditPreview | null;
}

/** What the studio shows: a class, one of its prototypes, an edit that is looked at, and the history. */
export class Studio {
  className = $state<string | null>(null);
  /** Of an experiment of several views: whose prototypes are listed. */
  view = $state(0);
  /** The prototype that keys are about. */
  currentIndex = $state<number | null>(null);
  /** What of a row was heard last, and is heard of the next: its own sound, or which real excerpt. */
  heard = $state<'a' | number>('a');
  /** Prototypes to be merged. */
  marked = $state.raw<readonly number[]>([]);
  draft = $state.raw<Draft | null>(null);
  log = $state.raw<RevisionLog | null>(null);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #experiments: Experiments;
  readonly #prototypes: Prototypes;
  #asked = 0;
  #loggedFor = 0;
  /** Whose history {@link log} is. */
  #logOf: string | null = null;

  /** Prototypes of the chosen class, and of several views those of the one that is looked at, as they are listed. */
  rows = $derived.by((): PrototypeInfo[] => {
    const name = this.className;
    return name === null
      ? []
      : this.#prototypes.list.filter(
          (prototype) => prototype.class === name && (prototype.view ?? this.view) === this.view,
        );
  });
  current = $derived(this.rows.find(({ index }) => index === this.currentIndex) ?? null);

  constructor(libraryId: string, engine: EngineClient, experiments: Experiments, prototypes: Prototypes) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#experiments = experiments;
    this.#prototypes = prototypes;
  }

  /** The experiment or its revision is another one: places mean others, and the history went on. */
  async follow(experiment: Experiment | null): Promise<void> {
    this.drop();
    this.marked = [];
    const ask = ++this.#loggedFor;
    // Revisions of another experiment are not offered for this one.
    if (this.#logOf !== experiment?.id) this.log = null;
    this.#logOf = experiment?.id ?? null;
    if (!experiment) return;
    if (this.view >= (experiment.views?.views.length ?? 1)) this.view = 0;
    if (this.className === null || !experiment.classes.includes(this.className))
      this.choose(experiment.classes[0] ?? null);
    const log = await this.#engine.call('prototypes.log', {
      libraryId: this.#libraryId,
      experimentId: experiment.id,
    });
    if (ask === this.#loggedFor) this.log = log;
  }

  choose(className: string | null): void {
    if (className === this.className) return;
    this.className = className;
    this.currentIndex = null;
    this.marked = [];
    this.drop();
  }

  /** Shows the prototypes of another view. */
  lookThrough(view: number): void {
    if (view === this.view) return;
    this.view = view;
    this.currentIndex = null;
    this.marked = [];
    this.drop();
  }

  /** The row that lies so many further on, within the class. */
  beside(step: number): PrototypeInfo | null {
    const place = this.rows.findIndex(({ index }) => index === this.currentIndex);
    const next = place < 0 ? 0 : Math.max(0, Math.min(this.rows.length - 1, place + step));
    return this.rows[next] ?? null;
  }

  mark(index: number): void {
    this.marked = this.marked.includes(index)
      ? this.marked.filter((marked) => marked !== index)
      : [...this.marked, index];
  }

  /** Shows what an edit would do. @throws EngineError as the engine refuses it */
  async look(title: string, edit: PrototypeEdit): Promise<void> {
    const experiment = this.#experiments.current;
    if (!experiment) return;
    const ask = ++this.#asked;
    this.draft = { title, edit, preview: null };
    try {
      // That of the rows: after an edit their places are old ones until they are listed anew, and the engine refuses.
      const revision = this.#prototypes.revision ?? experiment.revision;
      const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
      const preview = await this.#engine.call('prototypes.preview', { ...scope, revision, edit });
      if (ask === this.#asked) this.draft = { title, edit, preview };
    } catch (thrown) {
      if (ask === this.#asked) this.draft = null;
      throw thrown;
    }
  }

  /** Has worked out ahead what previews start from; what goes wrong with that, a preview tells. */
  async prepare(experimentId: string, signal: AbortSignal): Promise<void> {
    const at = { libraryId: this.#libraryId, experimentId };
    await this.#engine.call('prototypes.prepare', at, { signal }).catch(() => undefined);
  }

  /** Freezes what is marked, else the given prototype, or unfreezes it where all of that is frozen. */
  async freeze(prototype: PrototypeInfo): Promise<void> {
    const experiment = this.#experiments.current;
    if (!experiment) return;
    const marked = this.rows.filter(({ index }) => this.marked.includes(index));
    const meant = marked.length > 0 ? marked : [prototype];
    const frozen = !meant.every((row) => row.frozen);
    const indices = meant.map(({ index }) => index);
    const revision = this.#prototypes.revision ?? experiment.revision;
    const numbers = indices.map((index) => `#${String(index + 1)}`).join(', ');
    await this.#prototypes.edit({ ...experiment, revision }, `${frozen ? 'Freeze' : 'Unfreeze'} ${numbers}`, {
      ...{ kind: 'freeze', indices, frozen },
    });
  }

  drop(): void {
    this.#asked += 1;
    this.draft = null;
  }

  /** Makes the edit that is looked at; can be undone. */
  async apply(): Promise<void> {
    const { draft } = this;
    const experiment = this.#experiments.current;
    if (!draft?.preview || !experiment) return;
    const { revision } = draft.preview;
    await this.#prototypes.edit({ ...experiment, revision }, draft.title, draft.edit);
    this.drop();
  }

  /** Makes it of a copy, and shows that. */
  async keep(): Promise<Experiment | null> {
    const { draft } = this;
    const experiment = this.#experiments.current;
    if (!draft?.preview || !experiment) return null;
    const { revision } = draft.preview;
    const scope = { libraryId: this.#libraryId, experimentId: experiment.id };
    const kept = await this.#engine.call('prototypes.keep', { ...scope, revision, edit: draft.edit });
    this.drop();
    await this.#experiments.reload();
    this.#experiments.currentId = kept.id;
    return kept;
  }

  async nameRevision(revision: number, name: string): Promise<void> {
    const experimentId = this.#logOf;
    if (experimentId === null) return;
    const scope = { libraryId: this.#libraryId, experimentId };
    await this.#engine.call('prototypes.nameRevision', { ...scope, revision, name });
    const { log } = this;
    if (!log || this.#logOf !== experimentId) return;
    const revisions = log.revisions.map((known) =>
      known.revision === revision ? { ...known, name } : known,
    );
    this.log = { ...log, revisions };
  }
}
