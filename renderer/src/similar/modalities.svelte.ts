import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Job } from '../../../engine/api/jobs.ts';
import type {
  CoverFit,
  FindBy,
  FoundByModality,
  SharedClass,
  SharedClasses,
  SharedReadiness,
  SharedSpace,
} from '../../../engine/api/modalities.ts';

/** Spaces of sound, covers and words of the open library, and what was looked for in the chosen one. */
export class Modalities {
  spaces = $state.raw<readonly SharedSpace[]>([]);
  readiness = $state.raw<SharedReadiness | null>(null);
  found = $state.raw<FoundByModality | null>(null);
  fits = $state.raw<readonly CoverFit[] | null>(null);
  classes = $state.raw<readonly SharedClass[] | null>(null);
  #chosen = $state<string | null>(null);
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #wait: (jobId: string) => Promise<Job>;

  constructor(libraryId: string, engine: EngineClient, wait: (jobId: string) => Promise<Job>) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#wait = wait;
  }

  /** The chosen space; the newest where none was chosen. */
  current = $derived(this.spaces.find(({ id }) => id === this.#chosen) ?? this.spaces[0] ?? null);

  async reload(): Promise<void> {
    this.spaces = await this.#engine.call('modalities.list', this.#scope);
  }

  choose(sharedId: string): void {
    this.#chosen = sharedId;
    this.#forgetAnswers();
  }

  /** @throws EngineError `not-found` */
  async check(classes: SharedClasses): Promise<void> {
    this.readiness = null;
    this.readiness = await this.#engine.call('modalities.readiness', { ...this.#scope, classes });
  }

  /** @throws EngineError the job’s own, or `cancelled` */
  async learn(title: string, classes: SharedClasses): Promise<void> {
    const { jobId } = await this.#engine.call('modalities.learn', { ...this.#scope, title, classes });
    try {
      await this.#wait(jobId);
      this.#chosen = null;
      this.#forgetAnswers();
    } finally {
      await this.reload();
    }
  }

  /** @throws EngineError what is wrong with the picture, or where the space cannot tell */
  async find(by: FindBy): Promise<void> {
    this.found = null;
    if (this.current)
      this.found = await this.#engine.call('modalities.find', {
        ...this.#scope,
        sharedId: this.current.id,
        by,
      });
  }

  async loadFits(): Promise<void> {
    if (this.current)
      this.fits = await this.#engine.call('modalities.covers', { ...this.#scope, sharedId: this.current.id });
  }

  async loadClasses(): Promise<void> {
    if (this.current)
      this.classes = await this.#engine.call('modalities.classes', {
        ...this.#scope,
        sharedId: this.current.id,
      });
  }

  async forget(sharedId: string): Promise<void> {
    await this.#engine.call('modalities.remove', { ...this.#scope, sharedId });
    this.#forgetAnswers();
    await this.reload();
  }

  #forgetAnswers(): void {
    this.found = null;
    this.fits = null;
    this.classes = null;
  }

  get #scope(): { libraryId: string } {
    return { libraryId: this.#libraryId };
  }
}
