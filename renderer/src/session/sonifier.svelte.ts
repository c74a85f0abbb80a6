import { SvelteMap } from 'svelte/reactivity';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import {
  type FirstSound,
  type MadeSound,
  type Sonification,
  type SoundOrigin,
  defaultSoundOrigin,
} from '../../../engine/api/sonify.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';

/** A name for a vector, so that sounds can be looked up. */
export function vectorKey(vector: VectorRef): string {
  return JSON.stringify(Object.entries(vector).sort());
}

/** Makes vectors audible and remembers what was made with the present seed, steps and guidance. */
export class Sonifier {
  seed = $state(1);
  /** null: the pack's own default. */
  steps = $state<number | null>(null);
  guidance = $state<number | null>(null);
  /** What sounds begin with. */
  from = $state.raw<SoundOrigin>(defaultSoundOrigin);
  /** What null stands for: the sampler defaults of the library's pack. */
  defaults = $state.raw<{ steps: number; guidance: number } | null>(null);

  #made = new SvelteMap<string, { vector: VectorRef; sonification: Sonification }>();
  /** Vector → job that is making its sound; empty until the engine has named it. */
  #underWay = new SvelteMap<string, string>();
  /** Vector → the first draw of the sound that is being made. */
  #firsts = new SvelteMap<string, FirstSound>();
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  readonly #revisions = new Map<string, number>();
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  #onFirst = new Map<string, (first: FirstSound) => void>();
  readonly #libraryId: string;
  #engine: EngineClient;
  #jobs: JobWaiter;

  constructor(libraryId: string, engine: EngineClient, jobs: JobWaiter) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#jobs = jobs;
  }

  /** An experiment is at a revision: sounds of another one are forgotten, since the prototypes changed their places. */
  follow(experimentId: string, revision: number): void {
    if (this.#revisions.get(experimentId) === revision) return;
    this.#revisions.set(experimentId, revision);
    for (const [key, { vector }] of this.#made)
      if ('experimentId' in vector && vector.experimentId === experimentId) this.#made.delete(key);
  }

  /** The sound of a vector, when one with the present settings is there. `stored` is what the engine had already. */
  soundOf(vector: VectorRef, stored: Sonification | null = null): Sonification | null {
    const made = this.#made.get(vectorKey(vector))?.sonification;
    if (made && this.#fits(made)) return made;
    return stored && this.#fits(stored) ? stored : null;
  }

  /** The job that is making the sound, “” while it is being started, null where none is. */
  jobOf(vector: VectorRef): string | null {
    return this.#underWay.get(vectorKey(vector)) ?? null;
  }

  /** The first draw of a sound that is being made, when it is there. */
  firstOf(vector: VectorRef): FirstSound | null {
    return this.#firsts.get(vectorKey(vector)) ?? null;
  }

  /** The engine has the first draw of a sound. */
  first(sound: FirstSound): void {
    const key = vectorKey(sound.target);
    if (!this.#underWay.has(key) || !this.#fits(sound.sonification)) return;
    this.#firsts.set(key, sound);
    this.#onFirst.get(key)?.(sound);
  }

  /** A sound was made in the background. */
  made({ target, sonification }: MadeSound): void {
    this.#made.set(vectorKey(target), { vector: target, sonification });
  }

  /** How sounds are made now, as the engine is told. */
  get settings() {
    return {
      seed: this.seed,
      from: this.from,
      ...(this.steps === null ? {} : { steps: this.steps }),
      ...(this.guidance === null ? {} : { guidance: this.guidance }),
    };
  }

  /**
   * Makes the sounds that are asked for.
   * @param onFirst given the first draw of a single sound while better ones are drawn.
   * @throws EngineError as the job failed, or `cancelled`.
   */
  async make(targets: VectorRef[], onFirst?: (first: FirstSound) => void): Promise<Sonification[]> {
    if (targets.length === 0) return [];
    const keys = targets.map(vectorKey);
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- of this call alone
    const asked = new Map(targets.map((target) => [vectorKey(target), this.#revisionOf(target)]));
    // Marked before the engine has answered: a second press must find it under way.
    for (const key of keys) {
      this.#underWay.set(key, '');
      if (onFirst) this.#onFirst.set(key, onFirst);
    }
    try {
      const { jobId } = await this.#engine.call('sonify.start', {
        libraryId: this.#libraryId,
        targets,
        ...this.settings,
      });
      for (const key of keys) this.#underWay.set(key, jobId);
      const job = await this.#jobs.wait(jobId);
      const made = job.result?.kind === 'sonify' ? job.result.sonifications : [];
      for (const { target, sonification } of made) {
        // Its place may mean another prototype after an edit.
        const key = vectorKey(target);
        if (this.#revisionOf(target) === asked.get(key))
          this.#made.set(key, { vector: target, sonification });
      }
      return made.map((item) => item.sonification);
    } finally {
      for (const key of keys)
        for (const known of [this.#underWay, this.#firsts, this.#onFirst]) known.delete(key);
    }
  }

  #revisionOf(vector: VectorRef): number | undefined {
    return 'experimentId' in vector ? this.#revisions.get(vector.experimentId) : undefined;
  }

  #fits(sound: Sonification): boolean {
    const steps = this.steps ?? this.defaults?.steps ?? sound.steps;
    const guidance = this.guidance ?? this.defaults?.guidance ?? sound.guidance;
    const { from } = this;
    const begins =
      sound.from.origin === from.origin &&
      (sound.from.origin === 'noise' || from.origin === 'noise' || sound.from.share === from.share);
    return (
      begins &&
      sound.seed === this.seed &&
      sound.steps === steps &&
      Math.abs(sound.guidance - guidance) < 1e-6
    );
  }
}
