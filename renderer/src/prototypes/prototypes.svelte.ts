import type { Experiment } from '../../../engine/api/experiments.ts';
import type { PrototypeEdit, PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Experiments } from '../session/experiments.svelte.ts';
import type { Revisions } from '../session/revisions.ts';

interface Loaded {
  experimentId: string;
  /** The revision that was the present one when they were asked for. */
  revision: number;
  list: PrototypeInfo[];
}

/**
 * The prototypes of the chosen experiment at its present revision, and their edits. They are asked for when something
 * first reads them: of a large library that takes the engine a minute, and many a window never shows them.
 */
export class Prototypes {
  #loaded = $state.raw<Loaded | null>(null);
  loading = $state(false);
  #scope: { libraryId: string; experimentId: string } | null = null;
  #asked = 0;
  readonly #libraryId: string;
  #engine: EngineClient;
  #experiments: Experiments;
  #revisions: Revisions;
  #attempt: (work: () => Promise<void>) => Promise<unknown>;
  /** Something has read them: from then on they follow the experiment. */
  #wanted = false;

  #shown = $derived.by((): PrototypeInfo[] => {
    const loaded = this.#loaded;
    return loaded && loaded.experimentId === this.#experiments.currentId ? loaded.list : [];
  });

  /** @param attempt tells what goes wrong where nobody waits for it */
  constructor(
    libraryId: string,
    engine: EngineClient,
    experiments: Experiments,
    revisions: Revisions,
    attempt: (work: () => Promise<void>) => Promise<unknown>,
  ) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#experiments = experiments;
    this.#revisions = revisions;
    this.#attempt = attempt;
  }

  /** Empty until those of the chosen experiment are there: never those of another one under its classes. */
  get list(): PrototypeInfo[] {
    if (!this.#wanted) {
      this.#wanted = true;
      // Later: what reads this may be deriving something, and must not change anything.
      queueMicrotask(() => void this.#attempt(() => this.reload()));
    }
    return this.#shown;
  }

  /** The revision whose places {@link list} shows; after an edit it is not the present one until they are listed anew. */
  get revision(): number | undefined {
    return this.#loaded?.revision;
  }

  get(index: number): PrototypeInfo | undefined {
    return this.list.find((prototype) => prototype.index === index);
  }

  async open(experimentId: string | null): Promise<void> {
    this.#scope = experimentId === null ? null : { libraryId: this.#libraryId, experimentId };
    if (this.#wanted) await this.reload();
  }

  async reload(): Promise<void> {
    this.#wanted = true;
    const ask = ++this.#asked;
    const scope = this.#scope;
    if (!scope) return;
    this.loading = true;
    const revision = this.#experiments.current?.revision ?? 0;
    try {
      const list = await this.#engine.call('prototypes.list', scope);
      if (ask === this.#asked) this.#loaded = { experimentId: scope.experimentId, revision, list };
    } finally {
      if (ask === this.#asked) this.loading = false;
    }
  }

  /** Weight of a listed prototype towards every class. @throws EngineError `busy` when another revision is the present one */
  async weightsOf({ index }: PrototypeInfo): Promise<number[]> {
    return this.#engine.call('prototypes.weights', {
      ...{ ...this.#open(), index },
      ...(this.revision !== undefined && { revision: this.revision }),
    });
  }

  /** Makes an edit of what is shown; undo goes back to before. */
  async edit(experiment: Experiment, title: string, edit: PrototypeEdit): Promise<void> {
    const { libraryId, experimentId } = this.#open();
    const { revision } = experiment;
    await this.#revisions.edit(title, experiment, () =>
      this.#engine.call('prototypes.edit', { libraryId, experimentId, revision, edit }),
    );
  }

  /** Makes a window a prototype of a class; can be undone. */
  async add(experiment: Experiment, className: string, trackId: string, windowIndex: number): Promise<void> {
    const vector = { kind: 'window', trackId, windowIndex } as const;
    await this.edit(experiment, `Add a prototype of ${className}`, { kind: 'add', class: className, vector });
  }

  #open(): { libraryId: string; experimentId: string } {
    if (!this.#scope) throw new Error('no experiment is chosen');
    return this.#scope;
  }
}
