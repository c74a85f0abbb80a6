import type { Explanation } from '../../../engine/api/classify.ts';
import type { WindowRef } from '../../../engine/api/neighbours.ts';
import type { TrackDetail } from '../../../engine/api/tracks.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';

export interface WhyScope {
  libraryId: string;
  trackId: string;
  taxonomyId: string | null;
  experimentId: string | null;
  windowIndex: number | null;
}

/** What the inspector shows: the selected track, why it got its class, and what lies near it. */
export class Why {
  track = $state.raw<TrackDetail | null>(null);
  explanation = $state.raw<Explanation | null>(null);
  neighbours = $state.raw<WindowRef[]>([]);
  /** The class to explain; null takes the predicted one. */
  className = $state<string | null>(null);
  loading = $state(false);
  problem = $state.raw<unknown>(null);

  #scope: WhyScope | null = null;
  #stop = new AbortController();
  #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  async show(scope: WhyScope | null): Promise<void> {
    if (scope?.trackId !== this.#scope?.trackId || scope?.experimentId !== this.#scope?.experimentId) {
      this.className = null;
    }
    this.#scope = scope;
    await this.reload();
  }

  async chooseClass(className: string | null): Promise<void> {
    this.className = className;
    await this.reload();
  }

  async reload(): Promise<void> {
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    const scope = this.#scope;
    if (!scope) {
      this.track = null;
      this.explanation = null;
      this.neighbours = [];
      this.problem = null;
      return;
    }
    this.loading = true;
    try {
      await this.#load(scope, stop.signal);
    } catch (thrown) {
      if (!stop.signal.aborted) this.problem = thrown;
    } finally {
      if (!stop.signal.aborted) this.loading = false;
    }
  }

  async #load(scope: WhyScope, signal: AbortSignal): Promise<void> {
    const { libraryId, trackId, taxonomyId, experimentId, windowIndex } = scope;
    // Another track may have been selected while an answer was on its way.
    const stale = (): boolean => signal.aborted;
    const track = await this.#engine.call(
      'tracks.get',
      { libraryId, trackId, taxonomyId, experimentId },
      { signal },
    );
    if (stale()) return;
    this.track = track;
    this.problem = null;
    // Without an embedding there is nothing to explain and nothing to compare.
    if (track.state !== 'ready') {
      this.explanation = null;
      this.neighbours = [];
      return;
    }
    if (experimentId === null) this.explanation = null;
    else {
      const explanation = await this.#engine.call(
        'explain.track',
        { libraryId, experimentId, trackId, class: this.className, windowIndex },
        { signal },
      );
      if (stale()) return;
      this.explanation = explanation;
    }
    const target =
      windowIndex === null
        ? { kind: 'track' as const, trackId }
        : { kind: 'window' as const, trackId, windowIndex };
    const neighbours = await this.#engine.call(
      'neighbours.query',
      { libraryId, target, level: windowIndex === null ? 'track' : 'window', k: 9 },
      { signal },
    );
    if (stale()) return;
    // The nearest to itself is itself.
    this.neighbours = neighbours.filter(
      (near) => near.trackId !== trackId || (windowIndex !== null && near.windowIndex !== windowIndex),
    );
  }
}
