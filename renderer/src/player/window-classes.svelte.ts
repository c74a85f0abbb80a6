import type { WindowClasses } from '../../../engine/api/classify.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Notices } from '../shell/notices.svelte.ts';

/** The classes of the windows of the track in the player. */
export class WindowClassStrip {
  value = $state.raw<WindowClasses | null>(null);
  trackId = $state<string | null>(null);
  #asked = 0;
  #engine: EngineClient;
  #notices: Notices;

  constructor(engine: EngineClient, notices: Notices) {
    this.#engine = engine;
    this.#notices = notices;
  }

  async show(libraryId: string | null, experimentId: string | null, trackId: string | null): Promise<void> {
    const ask = ++this.#asked;
    if (libraryId === null || experimentId === null || trackId === null) {
      this.value = null;
      this.trackId = null;
      return;
    }
    if (trackId !== this.trackId) this.value = null;
    try {
      const value = await this.#engine.call('classify.windows', { libraryId, experimentId, trackId });
      if (ask !== this.#asked) return;
      this.value = value;
      this.trackId = trackId;
    } catch (thrown) {
      if (ask === this.#asked) this.#notices.error(thrown);
    }
  }
}
