/* eslint-disable svelte/prefer-svelte-reactivity -- maps are replaced as a whole, never changed in place */
import type { Projection } from '../../../engine/api/projection.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { readAllTracks, type TrackScope } from '../library/tracks.svelte.ts';

export type ProjectionMethod = 'pca' | 'umap';
export type Level = 'track' | 'window';
export type ColourBy = 'label' | 'prediction' | 'error';

/** The map: a projection of the library's embeddings and what is known of its tracks. */
export class MapData {
  method = $state<ProjectionMethod>('pca');
  level = $state<Level>('track');
  colourBy = $state<ColourBy>('label');
  projection = $state.raw<Projection | null>(null);
  tracks = $state.raw<ReadonlyMap<string, TrackRow>>(new Map());
  progress = $state.raw<{ done: number; total: number } | null>(null);
  computing = $state(false);
  problem = $state.raw<unknown>(null);

  #stop = new AbortController();
  #shown = '';
  #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Computes the map unless the same one is there. `version` tells one state of the data from another. */
  async show(scope: TrackScope | null, version: string): Promise<void> {
    if (!scope) {
      this.clear();
      return;
    }
    const wanted = [scope.libraryId, scope.experimentId, version, this.method, this.level].join('|');
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    await this.#compute(scope);
  }

  /** Labels and predictions changed: the points stay where they are. */
  async refreshTracks(scope: TrackScope): Promise<void> {
    if (!this.projection) return;
    const rows = await readAllTracks(this.#engine, scope, { state: 'ready' });
    this.tracks = new Map(rows.map((row) => [row.id, row]));
  }

  cancel(): void {
    this.#stop.abort();
    this.#shown = '';
  }

  clear(): void {
    this.cancel();
    this.projection = null;
    this.tracks = new Map();
    this.problem = null;
  }

  async #compute(scope: TrackScope): Promise<void> {
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    this.computing = true;
    this.progress = null;
    this.problem = null;
    try {
      const rows = await readAllTracks(this.#engine, scope, { state: 'ready' }, stop.signal);
      const events = this.#engine.stream(
        'projection.compute',
        {
          libraryId: scope.libraryId,
          method: this.method,
          level: this.level,
          experimentId: scope.experimentId,
        },
        { signal: stop.signal },
      );
      for await (const event of events) {
        if (stop.signal.aborted) return;
        if (event.type === 'progress') this.progress = { done: event.done, total: event.total };
        else {
          this.tracks = new Map(rows.map((row) => [row.id, row]));
          this.projection = event.projection;
        }
      }
    } catch (thrown) {
      if (this.#stop !== stop) return;
      this.#shown = '';
      if (!stop.signal.aborted) this.problem = thrown;
    } finally {
      if (this.#stop === stop) {
        this.computing = false;
        this.progress = null;
      }
    }
  }
}
