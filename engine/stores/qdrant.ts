import * as z from 'zod';
import type { Metric } from '../../models/neighbours/brute.ts';
import { EngineError } from '../api/errors.ts';
import { askServer, type Question } from './ask-server.ts';
import { onOneLine } from './said.ts';
import type { QdrantSettings } from './settings.ts';
import {
  requireShape,
  storedWindowId,
  type FoundWindow,
  type StoredWindow,
  type StorePart,
  type StoreQuestion,
  type StoreShape,
  type VectorStore,
} from './vector-store.ts';

/** Numbers that travel at once: about a megabyte of JSON. */
const NUMBERS_AT_ONCE = 50_000;

/** Qdrant's names of the metrics. */
const distances = { euclidean: 'Euclid', cosine: 'Cosine' } as const satisfies Record<Metric, string>;
/** By which points are chosen: an index makes that fast. */
const CHOSEN_BY = ['space', 'library', 'run'] as const;

const collectionSchema = z.object({
  config: z.object({
    params: z.object({
      vectors: z.object({ size: z.int().min(1).max(1_000_000), distance: z.string().max(100) }),
    }),
  }),
});
const countSchema = z.object({ count: z.int().min(0) });
const pointsSchema = z.object({
  points: z
    .array(
      z.object({
        score: z.number(),
        payload: z.object({
          library: z.string().max(100),
          track: z.string().max(100),
          // Whoever writes to the server writes these: what is shown of them is text.
          title: z.string().max(10_000).transform(onOneLine),
          path: z.string().max(40_000).transform(onOneLine),
          window: z.int().min(0),
          start: z.number().min(0),
        }),
      }),
    )
    .max(10_000),
});
const anything = z.unknown();

/** A collection of a Qdrant server, by its REST interface (1.10 or later): each window is a point with its track's name beside it. */
export class QdrantStore implements VectorStore {
  readonly #settings: QdrantSettings;

  constructor(settings: QdrantSettings) {
    this.#settings = settings;
  }

  async metric(signal: AbortSignal): Promise<Metric> {
    const { metric } = this.#require(await this.#info(signal));
    return metric;
  }

  async prepare(vectors: StoreShape, signal: AbortSignal): Promise<void> {
    const known = await this.#info(signal);
    if (known === null) {
      await this.#ask('PUT', '', anything, signal, {
        vectors: { size: vectors.dim, distance: distances[vectors.metric] },
      });
    } else requireShape(this.#named, known, vectors);
    for (const name of CHOSEN_BY)
      await this.#ask('PUT', '/index?wait=true', anything, signal, {
        field_name: name,
        field_schema: 'keyword',
      });
  }

  rowsAtOnce(dim: number): number {
    return Math.max(1, Math.floor(NUMBERS_AT_ONCE / dim));
  }

  async put(
    rows: readonly StoredWindow[],
    vectors: Float32Array,
    run: string,
    signal: AbortSignal,
  ): Promise<void> {
    const dim = vectors.length / rows.length;
    const points = rows.map((row, i) => ({
      id: storedWindowId(row),
      vector: Array.from(vectors.subarray(i * dim, (i + 1) * dim)),
      payload: {
        ...{ library: row.libraryId, space: row.spaceKey, run },
        ...{ track: row.trackId, title: row.title, path: row.path },
        ...{ window: row.windowIndex, start: row.startSeconds },
      },
    }));
    this.#require(await this.#ask('PUT', '/points?wait=true', anything, signal, { points }));
  }

  async finish(
    { spaceKey, libraryId }: { spaceKey: string; libraryId: string },
    run: string,
    signal: AbortSignal,
  ): Promise<void> {
    const filter = { ...only({ spaceKey, libraryId }), must_not: [match('run', run)] };
    this.#require(await this.#ask('POST', '/points/delete?wait=true', anything, signal, { filter }));
  }

  async count(of: StorePart, signal: AbortSignal): Promise<number> {
    const body = { filter: only(of), exact: true };
    return this.#require(await this.#ask('POST', '/points/count', countSchema, signal, body)).count;
  }

  async search(question: StoreQuestion, signal: AbortSignal): Promise<FoundWindow[]> {
    const { metric, dim } = this.#require(await this.#info(signal));
    requireShape(this.#named, { metric, dim }, { metric, dim: question.vector.length });
    const { points } = this.#require(
      await this.#ask('POST', '/points/query', pointsSchema, signal, {
        query: Array.from(question.vector),
        ...{ limit: question.k, filter: only(question), with_payload: true },
        params: { exact: question.exact },
      }),
    );
    return points.slice(0, question.k).map(({ score, payload }) => ({
      libraryId: payload.library,
      trackId: payload.track,
      title: payload.title,
      path: payload.path,
      windowIndex: payload.window,
      startSeconds: payload.start,
      distance: metric === 'cosine' ? 1 - score : score,
    }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #info(signal: AbortSignal): Promise<StoreShape | null> {
    const found = await this.#ask('GET', '', collectionSchema, signal);
    if (found === null) return null;
    const { size, distance } = found.config.params.vectors;
    const metric = (['euclidean', 'cosine'] as const).find((name) => distances[name] === distance);
    if (metric) return { dim: size, metric };
    throw new EngineError(
      'store',
      `The collection ${this.#settings.collection} compares by a distance that Archetone does not use.`,
      'Name another collection: one that is not there is made.',
    );
  }

  #ask<T>(
    method: Question<T>['method'],
    path: string,
    result: z.ZodType<T>,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<T | null> {
    const { collection } = this.#settings;
    return askServer(this.#settings, {
      ...{ method, path: `/collections/${collection}${path}`, result, signal },
      ...(body === undefined ? {} : { body }),
    });
  }

  get #named(): string {
    return `The collection ${this.#settings.collection}`;
  }

  #require<T>(found: T | null): T {
    if (found !== null) return found;
    const { collection, origin } = this.#settings;
    throw new EngineError(
      'not-found',
      `There is no collection ${collection} in the vector store at ${origin}.`,
      'Fill it first: archetone store fill --help',
    );
  }
}

const match = (key: string, value: string): unknown => ({ key, match: { value } });

function only({ spaceKey, libraryId, run }: StorePart): { must: unknown[] } {
  return {
    must: [
      match('space', spaceKey),
      ...(libraryId === null ? [] : [match('library', libraryId)]),
      ...(run === undefined ? [] : [match('run', run)]),
    ],
  };
}
