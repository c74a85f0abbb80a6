import type { Corpus, CorpusSource } from '../../../engine/api/corpora.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';

/** Data that takes longer to read is not awaited under the facts of other data. */
const SLOW_MS = 300;

/** What the data that is chosen for a study is. */
export class CorpusCardData {
  facts = $state.raw<Corpus | null>(null);
  problem = $state.raw<unknown>(null);
  loading = $state(false);
  #stop = new AbortController();
  /** What the facts are about. */
  #shown = '';
  #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Asks for the facts about a source; a question that is still open is given up. */
  async show(libraryId: string | null, source: CorpusSource | null): Promise<void> {
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    this.problem = null;
    if (libraryId === null || source === null) {
      this.facts = null;
      this.loading = false;
      return;
    }
    this.loading = true;
    // What is shown may stay while the same data is counted again, or for the blink that other data takes.
    const asked = JSON.stringify([libraryId, source]);
    const slow = setTimeout(() => {
      if (asked !== this.#shown && this.#stop === stop) this.facts = null;
    }, SLOW_MS);
    try {
      const facts = await this.#engine.call(
        'reductions.corpus',
        { libraryId, source },
        { signal: stop.signal },
      );
      if (this.#stop !== stop) return;
      this.facts = facts;
      this.#shown = asked;
    } catch (thrown) {
      if (this.#stop !== stop) return;
      this.facts = null;
      this.problem = thrown;
    } finally {
      clearTimeout(slow);
      if (this.#stop === stop) this.loading = false;
    }
  }
}
