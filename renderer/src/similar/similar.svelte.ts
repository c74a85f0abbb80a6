/* eslint-disable svelte/prefer-svelte-reactivity -- the set lives within one call */
import type { EngineClient } from '../../../engine/api/contract.ts';
import {
  MOST_QUERIES,
  similarDefaults,
  type SimilarRequest,
  type SimilarSounds,
  type SoundRef,
} from '../../../engine/api/neighbours.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { TrackScope } from '../library/tracks.svelte.ts';

export interface SimilarQuery {
  of: SoundRef;
  weight: number;
}

export type SimilarOptions = Pick<
  SimilarRequest,
  'level' | 'metric' | 'scaling' | 'sameTrack' | 'copies' | 'k'
>;

/** Queries that can be gone back to. */
const MOST_PAST = 50;

/** Two queries of one key are of the same sound. */
export const soundKey = (of: SoundRef): string => JSON.stringify(of);

/** Queries with those of sounds that are not among them yet. @throws EngineError `bad-input` for too many */
function withSounds(queries: readonly SimilarQuery[], sounds: readonly SoundRef[]): SimilarQuery[] {
  const known = new Set(queries.map(({ of }) => soundKey(of)));
  const fresh = sounds.filter((of) => known.size < known.add(soundKey(of)).size);
  const all = [...queries, ...fresh.map((of) => ({ of, weight: 1 }))];
  if (all.length > MOST_QUERIES)
    throw new EngineError(
      'bad-input',
      `${String(all.length)} sounds are too many to look for at once.`,
      `Select at most ${String(MOST_QUERIES)}.`,
    );
  return all;
}

/** What sounds like some sounds of the library: the queries, the way back through earlier ones, and what was found. */
export class Similar {
  queries = $state.raw<readonly SimilarQuery[]>([]);
  options = $state.raw<SimilarOptions>({
    ...{ level: 'track', ...similarDefaults },
    ...{ sameTrack: false, copies: false, k: 100 },
  });
  answer = $state.raw<SimilarSounds | null>(null);
  problem = $state.raw<unknown>(null);
  loading = $state(false);
  /** The panel that records from the microphone is shown. */
  recording = $state(false);
  readonly #past: (readonly SimilarQuery[])[] = $state([]);
  /** Where in the past the present queries are. */
  #at = $state(-1);
  #asked: AbortController | null = null;
  readonly #engine: EngineClient;
  readonly #scope: () => TrackScope;

  constructor(engine: EngineClient, scope: () => TrackScope) {
    this.#engine = engine;
    this.#scope = scope;
  }

  canGoBack = $derived(this.#at > 0);
  canGoForward = $derived(this.#at < this.#past.length - 1);

  /** Looks for what sounds like all of these; the same sound twice counts once. @throws EngineError `bad-input` for too many */
  async look(sounds: readonly SoundRef[]): Promise<void> {
    await this.ask(withSounds([], sounds));
  }

  /** Mixes further sounds with what is looked for. @throws EngineError `bad-input` for too many */
  async add(sounds: readonly SoundRef[]): Promise<void> {
    const queries = withSounds(this.queries, sounds);
    if (queries.length > this.queries.length) await this.ask(queries);
  }

  /** Asks anew, with a way back to what was asked before. */
  async ask(queries: readonly SimilarQuery[]): Promise<void> {
    this.#past.splice(this.#at + 1);
    this.#past.push(queries);
    if (this.#past.length > MOST_PAST) this.#past.shift();
    this.#at = this.#past.length - 1;
    await this.#show(queries);
  }

  async go(step: -1 | 1): Promise<void> {
    const queries = this.#past[this.#at + step];
    if (!queries) return;
    this.#at += step;
    await this.#show(queries);
  }

  async set(options: Partial<SimilarOptions>): Promise<void> {
    this.options = { ...this.options, ...options };
    await this.reload();
  }

  async #show(queries: readonly SimilarQuery[]): Promise<void> {
    this.queries = queries;
    this.answer = null;
    await this.reload();
  }

  /** Asks the same again: labels, predictions or tracks have changed. What fails is {@link problem}. */
  async reload(): Promise<void> {
    this.#asked?.abort();
    this.problem = null;
    this.loading = false;
    if (this.queries.length === 0) {
      this.answer = null;
      return;
    }
    const asked = (this.#asked = new AbortController());
    this.loading = true;
    try {
      const answer = await this.#engine.call(
        'neighbours.similar',
        { ...this.#scope(), ...this.options, queries: [...this.queries] },
        { signal: asked.signal },
      );
      if (asked === this.#asked) this.answer = answer;
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.answer = null;
      this.problem = thrown;
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }
}
