import type { Corpus, CorpusSource } from '../../../engine/api/domain.ts';
import type { EngineConnection } from './engine.svelte.ts';

/** What the data that is chosen for a study is. */
export class CorpusCardData {
  facts = $state.raw<Corpus | null>(null);
  problem = $state.raw<unknown>(null);
  loading = $state(false);
  #stop = new AbortController();
  #engine: EngineConnection;

  constructor(engine: EngineConnection) {
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
    try {
      const facts = await this.#engine.call(
        'reductions.corpus',
        { libraryId, source },
        { signal: stop.signal },
      );
      if (this.#stop === stop) this.facts = facts;
    } catch (thrown) {
      if (this.#stop !== stop) return;
      this.facts = null;
      this.problem = thrown;
    } finally {
      if (this.#stop === stop) this.loading = false;
    }
  }
}
