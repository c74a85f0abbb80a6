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

type Question = 'readiness' | 'find' | 'fits' | 'classes';

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
  /** What is asked last of each kind; an answer to what was asked before it must not be shown. */
  readonly #asked: Partial<Record<Question, AbortController>> = {};

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

  /** @throws EngineError `not-found`, or `cancelled` by the next */
  async check(classes: SharedClasses): Promise<void> {
    this.readiness = null;
    const signal = this.#ask('readiness');
    const own = await this.#engine.call('modalities.readiness', { ...this.#scope, classes }, { signal });
    if (!signal.aborted) this.readiness = own;
  }

  /**
   * @param imageNetwork path of what looks at covers; null: hand-made features
   * @throws EngineError the job’s own, or `cancelled`
   */
  async learn(title: string, classes: SharedClasses, imageNetwork: string | null): Promise<void> {
    const asked = { ...this.#scope, title, classes, imageNetwork };
    const { jobId } = await this.#engine.call('modalities.learn', asked);
    try {
      await this.#wait(jobId);
      this.#chosen = null;
      this.#forgetAnswers();
    } finally {
      await this.reload();
    }
  }

  /** @throws EngineError what is wrong with the picture, or where the space cannot tell; `cancelled` by the next */
  async find(by: FindBy): Promise<void> {
    this.found = null;
    const signal = this.#ask('find');
    if (!this.current) return;
    const own = { ...this.#scope, sharedId: this.current.id };
    const found = await this.#engine.call('modalities.find', { ...own, by }, { signal });
    if (!signal.aborted) this.found = found;
  }

  /** @throws EngineError `training` where the space cannot tell; `cancelled` by the next */
  async loadFits(): Promise<void> {
    const signal = this.#ask('fits');
    if (!this.current) return;
    const own = { ...this.#scope, sharedId: this.current.id };
    const fits = await this.#engine.call('modalities.covers', own, { signal });
    if (!signal.aborted) this.fits = fits;
  }

  /** @throws EngineError `other-space`; `cancelled` by the next */
  async loadClasses(): Promise<void> {
    const signal = this.#ask('classes');
    if (!this.current) return;
    const own = { ...this.#scope, sharedId: this.current.id };
    const classes = await this.#engine.call('modalities.classes', own, { signal });
    if (!signal.aborted) this.classes = classes;
  }

  async forget(sharedId: string): Promise<void> {
    await this.#engine.call('modalities.remove', { ...this.#scope, sharedId });
    this.#forgetAnswers();
    await this.reload();
  }

  #ask(kind: Question): AbortSignal {
    this.#asked[kind]?.abort();
    const asked = new AbortController();
    this.#asked[kind] = asked;
    return asked.signal;
  }

  #forgetAnswers(): void {
    for (const kind of ['find', 'fits', 'classes'] as const) this.#asked[kind]?.abort();
    this.found = null;
    this.fits = null;
    this.classes = null;
  }

  get #scope(): { libraryId: string } {
    return { libraryId: this.#libraryId };
  }
}
