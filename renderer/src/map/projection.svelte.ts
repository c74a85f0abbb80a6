import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { EngineClient, Input } from '../../../engine/api/contract.ts';
import type { Column, Projection } from '../../../engine/api/projection.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import type { TrackScope } from '../library/tracks.svelte.ts';
import type { ClassLook } from '../ui/palette.ts';
import { byValues, colourBy, plainColouring } from './colouring.ts';
import type { ColourBy, Colouring } from './colouring.ts';
import { keepOptions, keptOptions } from './options.ts';
import type { MapOptions } from './options.ts';
import { MapPoints } from './points.ts';
import type { Viewport } from './viewport.ts';

export type ProjectionMethod = 'pca' | 'umap';
export type Level = 'track' | 'window';

interface Steps {
  done: number;
  total: number;
}

/** The map: a projection of the library's embeddings, and the one fact of its tracks that it is coloured by. */
export class MapData {
  method = $state<ProjectionMethod>('pca');
  level = $state<Level>('track');
  colourBy = $state<ColourBy>('label');
  options = $state.raw<MapOptions>(keptOptions());
  projection = $state.raw<Projection | null>(null);
  progress = $state.raw<Steps | null>(null);
  computing = $state(false);
  problem = $state.raw<unknown>(null);
  /** How far the trust of each point is, while it is being found. */
  trusting = $state.raw<Steps | null>(null);
  /** Names that are not drawn, and where one looks: both outlast the view. */
  readonly hidden = new SvelteSet<string>();
  viewport = $state.raw<Viewport | null>(null);

  readonly points = $derived(this.projection ? new MapPoints(this.projection) : null);
  /** Of which map, for what only one has. */
  #column = $state.raw<{ by: ColourBy; values: Column | Float32Array; of: string } | null>(null);
  /** Rows that were looked at, with the labels and predictions of their scope. */
  #rows = new SvelteMap<string, TrackRow>();
  #reading = '';
  #stop = new AbortController();
  #stopColumn = new AbortController();
  #shown = '';
  #of = '';
  /** What the map that is there was asked for with. */
  #asked: Input<'projection.trust'> | null = null;
  #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  setOption<K extends keyof MapOptions>(name: K, value: MapOptions[K]): void {
    this.options = { ...this.options, [name]: value };
    keepOptions(this.options);
  }

  /** The colours of the points; all alike until the column is there. */
  colouring(lookOf: (name: string | null) => ClassLook): Colouring | null {
    const { points } = this;
    if (!points) return null;
    const column = this.#column;
    if (!column || column.by !== this.colourBy) return plainColouring(points, '');
    if (!(column.values instanceof Float32Array)) return colourBy(points, column.by, column.values, lookOf);
    // Of another map: it is on its way.
    if (column.of !== this.#of || column.values.length !== points.count) return plainColouring(points, '');
    return byValues(column.values, column.by);
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

  /**
   * Reads what the points are coloured by; `version` tells one state of labels and predictions from another. Trust depends on
   * nothing but the map.
   * @throws EngineError
   */
  async colour(scope: TrackScope, version: string): Promise<void> {
    const by = this.colourBy;
    const { taxonomyId, experimentId } = scope;
    const of = this.#of;
    const wanted = JSON.stringify(by === 'trust' ? [by, of] : [scope, by, version]);
    if (wanted === this.#reading || (by === 'trust' && !this.projection)) return;
    this.#stopColumn.abort();
    this.trusting = null;
    const stop = (this.#stopColumn = new AbortController());
    this.#reading = wanted;
    try {
      const values =
        by === 'trust'
          ? await this.#trust(stop.signal)
          : await this.#engine.call(
              'projection.column',
              { libraryId: scope.libraryId, taxonomyId, experimentId, column: by },
              { signal: stop.signal },
            );
      if (this.#stopColumn !== stop || values === null) return;
      this.#column = { by, values, of };
    } catch (thrown) {
      if (this.#stopColumn !== stop) return;
      this.#reading = '';
      throw thrown;
    }
  }

  /** What was read of a track so far; it is asked for, and told of reactively. */
  row(scope: TrackScope, trackId: string): TrackRow | undefined {
    const known = this.#rows.get(keyOf(scope, trackId));
    if (!known) void this.read(scope, trackId).catch(() => undefined);
    return known;
  }

  /** A track, read where it is not known. Undefined: it is gone. @throws EngineError */
  async read(scope: TrackScope, trackId: string): Promise<TrackRow | undefined> {
    const key = keyOf(scope, trackId);
    const known = this.#rows.get(key);
    if (known) return known;
    const { tracks } = await this.#engine.call('tracks.list', {
      ...scope,
      filter: { trackIds: [trackId] },
      limit: 1,
    });
    const row = tracks.find(({ id }) => id === trackId);
    if (row) this.#rows.set(key, row);
    return row;
  }

  /** Labels, predictions or tags changed: rows are read again when they are looked at. */
  forgetRows(): void {
    this.#rows.clear();
  }

  cancel(): void {
    this.#stop.abort();
    this.#shown = '';
  }

  cancelTrust(): void {
    this.#stopColumn.abort();
    this.#reading = '';
    this.trusting = null;
  }

  clear(): void {
    this.cancel();
    this.cancelTrust();
    this.projection = null;
    this.#column = null;
    this.#rows.clear();
    this.problem = null;
  }

  /** The trust of the points that are shown; null when it was given up. */
  async #trust(signal: AbortSignal): Promise<Float32Array | null> {
    if (!this.#asked) return null;
    this.trusting = { done: 0, total: 100 };
    try {
      for await (const event of this.#engine.stream('projection.trust', this.#asked, { signal })) {
        if (event.type === 'result') return event.trust;
        if (!signal.aborted) this.trusting = event;
      }
      return null;
    } finally {
      if (!signal.aborted) this.trusting = null;
    }
  }

  async #compute(scope: TrackScope): Promise<void> {
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    this.computing = true;
    this.progress = null;
    this.problem = null;
    const of = this.#shown;
    const { method, level } = this;
    const { libraryId, experimentId } = scope;
    const asked = { libraryId, method, level, experimentId };
    const whose = [libraryId, experimentId, method, level].join('|');
    try {
      const events = this.#engine.stream('projection.compute', asked, { signal: stop.signal });
      for await (const event of events) {
        if (stop.signal.aborted) return;
        if (event.type === 'progress') this.progress = { done: event.done, total: event.total };
        else {
          // Another map has other places; the same one with more points is looked at from where one was.
          if (!this.#of.startsWith(whose)) this.viewport = null;
          this.#of = `${whose} ${of}`;
          this.#asked = asked;
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

function keyOf({ taxonomyId, experimentId }: TrackScope, trackId: string): string {
  return JSON.stringify([taxonomyId, experimentId, trackId]);
}
