import { SvelteMap } from 'svelte/reactivity';
import type { EngineClient } from '../../../engine/api/contract.ts';

/** Rows that are scrolled past in this time are asked for together. */
const togetherMs = 60;
const mostAtOnce = 500;

/** Where the pictures of tracks are, asked for when a row is drawn. */
export class Covers {
  readonly #urls = new SvelteMap<string, string | null>();
  #wanted = new Set<string>();
  #soon: ReturnType<typeof setTimeout> | undefined;
  readonly #engine: EngineClient;
  readonly #libraryId: string;

  constructor(engine: EngineClient, libraryId: string) {
    this.#engine = engine;
    this.#libraryId = libraryId;
  }

  /** Null until it is known, and where there is none. */
  of(trackId: string): string | null {
    const url = this.#urls.get(trackId);
    if (url === undefined && !this.#wanted.has(trackId)) {
      this.#wanted.add(trackId);
      this.#soon ??= setTimeout(() => void this.#ask(), togetherMs);
    }
    return url ?? null;
  }

  /** Tracks were read again, or another engine gives other names. */
  forget(): void {
    this.#urls.clear();
  }

  async #ask(): Promise<void> {
    this.#soon = undefined;
    const trackIds = [...this.#wanted].slice(-mostAtOnce);
    this.#wanted = new Set();
    try {
      const found = await this.#engine.call('tracks.covers', { libraryId: this.#libraryId, trackIds });
      const urls = new Map(found.map(({ trackId, url }) => [trackId, url]));
      for (const id of trackIds) this.#urls.set(id, urls.get(id) ?? null);
    } catch (thrown) {
      // A missing picture is no trouble of its own; the rows are asked for again when they are drawn again.
      console.warn('no covers', thrown);
    }
  }
}
