import { SvelteMap } from 'svelte/reactivity';
import type { EngineClient, Input } from '../../../engine/api/contract.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import { placeOfProblem } from '../../../engine/api/search-query.ts';
import type { Notices } from '../shell/notices.svelte.ts';

type Query = Input<'tracks.list'>;
export type TrackFilter = NonNullable<Query['filter']>;
export type SortKey = NonNullable<Query['sort']>;

const pageSize = 200;
/** The engine's largest page. */
const bulkSize = 1000;

export interface TrackScope {
  libraryId: string;
  taxonomyId: string | null;
  experimentId: string | null;
}

/**
 * The rows of the library table: a window onto `tracks.list`, page by page, so that 100,000 tracks cost what is seen.
 * Pages stay visible while newer ones are on their way.
 */
export class TrackTable {
  search = $state('');
  /** Counts what was asked for by `find`, also the same search once more. */
  finds = $state(0);
  filter = $state.raw<TrackFilter>({});
  /** Says what a filter by track ids stands for. */
  filterName = $state<string | null>(null);
  sort = $state<SortKey>('path');
  /** With `sort` “tag”: by which, as `tagName` writes it. */
  sortTag = $state<string | null>(null);
  descending = $state(false);
  total = $state(0);
  loaded = $state(false);
  /** What is wrong with the search; null while there is nothing. */
  problem = $state.raw<EngineError | null>(null);

  /** Tags whose means the rows tell. */
  #tags: readonly string[] = [];
  #scope = $state.raw<TrackScope | null>(null);
  #pages = new SvelteMap<number, TrackRow[]>();
  #version = 0;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read while rows are drawn, and changed by it
  #loading = new Map<number, number>();
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read while rows are drawn, and changed by it
  #fresh = new Map<number, number>();
  #visible: [number, number] = [0, pageSize - 1];
  #engine: EngineClient;
  #notices: Notices;

  constructor(engine: EngineClient, notices: Notices) {
    this.#engine = engine;
    this.#notices = notices;
  }

  get scope(): TrackScope | null {
    return this.#scope;
  }

  get filtered(): boolean {
    return this.search !== '' || Object.values(this.filter).some((value) => value !== undefined);
  }

  open(scope: TrackScope | null): void {
    const other = scope?.libraryId !== this.#scope?.libraryId;
    this.#scope = scope;
    if (other) {
      this.total = 0;
      this.loaded = false;
      this.#pages.clear();
    }
    this.invalidate();
  }

  row(index: number): TrackRow | undefined {
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** A row, read first where it is not there yet. */
  async rowWhenLoaded(index: number): Promise<TrackRow | undefined> {
    const known = this.row(index);
    if (known || !this.#scope) return known;
    const answer = await this.#engine.call('tracks.list', { ...this.#query(), offset: index, limit: 1 });
    return answer.tracks[0];
  }

  /** Index of a track among the loaded rows, or −1. */
  indexOf(trackId: string): number {
    for (const [page, rows] of this.#pages) {
      const place = rows.findIndex((row) => row.id === trackId);
      if (place >= 0) return page * pageSize + place;
    }
    return -1;
  }

  /** Turned round where it is sorted so already. Tags begin with the tracks that are most so. */
  sortBy(key: SortKey, tag: string | null = null): void {
    const same = this.sort === key && (key !== 'tag' || this.sortTag === tag);
    this.descending = same ? !this.descending : key === 'tag';
    this.sort = key;
    this.sortTag = tag;
    this.restart();
  }

  /** Has the rows tell the means of these tags; what is shown stays until they do. */
  tell(tags: readonly string[]): void {
    if (tags.join('\n') === this.#tags.join('\n')) return;
    this.#tags = tags;
    this.invalidate();
  }

  find(search: string): void {
    this.search = search;
    this.finds += 1;
    this.restart();
  }

  narrow(filter: TrackFilter, name: string | null = null): void {
    this.filter = filter;
    this.filterName = name;
    this.restart();
  }

  /** Another order or another set of rows: nothing that is shown stays true. */
  restart(): void {
    this.#pages.clear();
    this.invalidate();
  }

  /** The data changed: what is visible is read again, what is not is forgotten when next needed. */
  invalidate(): void {
    this.#version += 1;
    this.ensure(...this.#visible);
  }

  /** Makes sure that rows first…last are there, or on their way. */
  ensure(first: number, last: number): void {
    this.#visible = [first, last];
    const from = Math.floor(Math.max(0, first) / pageSize);
    const to = Math.floor(Math.max(first, last) / pageSize);
    for (let page = from; page <= to; page += 1) void this.#load(page);
  }

  async #load(page: number): Promise<void> {
    const version = this.#version;
    if (!this.#scope || this.#fresh.get(page) === version || this.#loading.get(page) === version) return;
    this.#loading.set(page, version);
    try {
      const answer = await this.#engine.call('tracks.list', {
        ...this.#query(),
        offset: page * pageSize,
        limit: pageSize,
      });
      if (version !== this.#version) return;
      this.total = answer.total;
      this.loaded = true;
      this.problem = null;
      this.#pages.set(page, answer.tracks);
      this.#fresh.set(page, version);
    } catch (thrown) {
      this.#failed(thrown, version);
    } finally {
      if (this.#loading.get(page) === version) this.#loading.delete(page);
    }
  }

  /** What is wrong with a search stands where it is written, until another one is asked for. */
  #failed(thrown: unknown, version: number): void {
    const error = EngineError.from(thrown);
    if (placeOfProblem(error) === null) this.#notices.error(error);
    else if (version === this.#version) {
      this.problem = error;
      this.total = 0;
      this.loaded = true;
    }
  }

  /** Ids of the rows first…last in table order, reading those that are not loaded. */
  async idsBetween(first: number, last: number): Promise<string[]> {
    const ids: string[] = [];
    const [from, to] = first <= last ? [first, last] : [last, first];
    let missing = false;
    for (let index = from; index <= to; index += 1) {
      const row = this.row(index);
      if (!row) {
        missing = true;
        break;
      }
      ids.push(row.id);
    }
    if (!missing) return ids;
    ids.length = 0;
    for (let offset = from; offset <= to; offset += bulkSize) {
      const limit = Math.min(bulkSize, to - offset + 1);
      const answer = await this.#engine.call('tracks.list', { ...this.#query(), offset, limit });
      ids.push(...answer.tracks.map((track) => track.id));
      if (answer.tracks.length < limit) break;
    }
    return ids;
  }

  /** The ids of the rows from…to and the row `to` itself, wherever they are; null where reading failed, which is told. */
  async range(from: number, to: number): Promise<{ ids: string[]; row: TrackRow } | null> {
    const read = await this.#notices.attempt(async () => {
      const ids = await this.idsBetween(from, to);
      // Far from what was in sight the row itself is still on its way.
      const row = await this.rowWhenLoaded(to);
      return row ? { ids, row } : null;
    });
    return read ?? null;
  }

  #query(): Query {
    const scope = this.#scope;
    if (!scope) throw new Error('no library is open');
    return {
      ...scope,
      search: this.search,
      filter: this.filter,
      sort: this.sort,
      sortTag: this.sortTag,
      descending: this.descending,
      tags: [...this.#tags],
    };
  }
}

/** Reads all tracks a filter lets through, in pages of the engine's largest size. */
export async function readAllTracks(
  engine: EngineClient,
  scope: TrackScope & { search?: string },
  filter: TrackFilter,
  signal?: AbortSignal,
): Promise<TrackRow[]> {
  const rows: TrackRow[] = [];
  for (;;) {
    const answer = await engine.call(
      'tracks.list',
      { ...scope, filter, offset: rows.length, limit: bulkSize },
      signal ? { signal } : undefined,
    );
    rows.push(...answer.tracks);
    if (answer.tracks.length === 0 || rows.length >= answer.total) return rows;
  }
}
