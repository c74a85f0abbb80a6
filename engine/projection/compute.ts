import { createHash } from 'node:crypto';
import { fitPca, fitUmap, projectionTrust } from '../../models/projection/index.ts';
import type { Projection, ProjectionEvent, ProjectionPoint } from '../api/projection.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { corpusRows } from '../reductions/corpus/index.ts';

export interface ProjectionRequest {
  method: 'pca' | 'umap';
  level: 'track' | 'window';
  /** Its prototypes are placed on the map too. */
  experimentId: string | null;
  /** Its generated prototypes are placed instead; those of a data set file on a map of the file's rows. */
  reductionId: string | null;
  seed: number;
}

const TOTAL = 100;
/** Progress at which the layout is done and its trust is measured. */
const LAID_OUT = 90;

/**
 * Computes the map of a library, in the space of the prototypes that are placed on it or else in the current one, telling
 * how far it is; takes it from the cache when nothing changed since. Stops when
 * the signal aborts or the reader leaves.
 * @throws EngineError `not-found`; `other-space` when no track is embedded where the prototypes lie; NumericError; the
 * signal's reason
 */
export async function* computeProjection(
  context: EngineContext,
  library: Library,
  request: ProjectionRequest,
  signal: AbortSignal,
): AsyncGenerator<ProjectionEvent> {
  const vectors = mappedVectors(library, request);
  const id = projectionId(library, request, vectors);
  const known = library.projections.find(id);
  if (known) {
    yield { type: 'result', projection: { ...known, method: request.method, level: request.level } };
    return;
  }
  const left = new AbortController();
  const progress = new Latest<number>();
  const both = AbortSignal.any([signal, left.signal]);
  const work = shownRows(context, library, request, vectors, both)
    .then((shown) =>
      lay(request, shown, {
        signal: both,
        onProgress: (fraction) => progress.put(Math.floor(fraction * LAID_OUT)),
      }),
    )
    .finally(() => progress.close());
  // Awaited below; without this a failure while the reader is elsewhere would count as unhandled.
  work.catch(() => undefined);
  try {
    for await (const done of progress) yield { type: 'progress', done, total: TOTAL };
    const projection = await work;
    library.projections.put(id, projection);
    yield { type: 'result', projection };
  } finally {
    left.abort();
  }
}

function mappedVectors(library: Library, { experimentId, reductionId }: ProjectionRequest): LibraryVectors {
  if (reductionId !== null) {
    const { space } = library.reductions.get(reductionId);
    return library.embeddings.madeIn(space ?? library.space(), 'This reduction');
  }
  if (experimentId === null) return library.embeddings.vectors();
  return library.embeddings.madeIn(library.experiments.get(experimentId).space, 'This experiment');
}

function projectionId(
  library: Library,
  { method, level, experimentId, reductionId, seed }: ProjectionRequest,
  { fingerprint }: LibraryVectors,
): string {
  const revision = experimentId === null ? 0 : library.experiments.get(experimentId).revision;
  const key = [method, level, seed, fingerprint, experimentId ?? '', revision, reductionId ?? ''].join('\n');
  return createHash('sha256').update(key).digest('hex');
}

/** What is laid out, and the prototypes that are placed on it. */
interface Shown {
  space: SpaceInfo | null;
  rows: Float32Array;
  dim: number;
  points: ProjectionPoint[];
  prototypes: Float32Array | null;
}

async function shownRows(
  context: EngineContext,
  library: Library,
  { level, experimentId, reductionId }: ProjectionRequest,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<Shown> {
  const { dim } = vectors.windows;
  const rows = level === 'track' ? vectors.tracks.vectors : vectors.windows.vectors;
  const shown = { space: vectors.windows.space, rows, dim, points: pointsOf(level, vectors) };
  if (reductionId === null)
    return { ...shown, prototypes: experimentId === null ? null : prototypeVectors(library, experimentId) };
  const { source } = library.reductions.get(reductionId);
  const { prototypes } = library.reductions.setOf(reductionId);
  if (source.kind === 'library') return { ...shown, prototypes };
  const { features, dim: columns, count } = await corpusRows(context, library, source, signal);
  const points = Array.from({ length: count }, (_, row) => ({
    kind: 'row' as const,
    id: String(row),
    windowIndex: null,
  }));
  return { space: null, rows: Float32Array.from(features), dim: columns, points, prototypes };
}

async function lay(
  { method, level, seed }: ProjectionRequest,
  { space, rows, dim, points, prototypes }: Shown,
  options: { signal: AbortSignal; onProgress: (fraction: number) => void },
): Promise<Projection> {
  const empty = { x: new Float32Array(), y: new Float32Array() };
  if (rows.length === 0) return { method, level, space, ...empty, points: [], trust: 0, explained: null };
  const placed = await (method === 'pca' ? layPca : layUmap)(rows, dim, prototypes, seed, options);
  const { map, stars, explained } = placed;
  const trust =
    map.x.length < 2 ? 1 : await projectionTrust(rows, dim, map, { seed, signal: options.signal });
  return {
    method,
    level,
    space,
    x: concat(map.x, stars.x),
    y: concat(map.y, stars.y),
    points: [...points, ...prototypePoints(stars.x.length)],
    trust,
    explained,
  };
}

interface Points {
  x: Float32Array;
  y: Float32Array;
}
type Layout = (
  rows: Float32Array,
  dim: number,
  prototypes: Float32Array | null,
  seed: number,
  options: { signal: AbortSignal; onProgress: (fraction: number) => void },
) => Promise<{ map: Points; stars: Points; explained: [number, number] | null }>;

const NOTHING: Points = { x: new Float32Array(), y: new Float32Array() };

const layPca: Layout = async (rows, dim, prototypes, _seed, options) => {
  const pca = await fitPca(rows, dim, options);
  const [first, second] = pca.explained;
  return {
    map: await pca.project(rows, { signal: options.signal }),
    stars: prototypes ? await pca.project(prototypes) : NOTHING,
    explained: [first, second],
  };
};

const layUmap: Layout = async (rows, dim, prototypes, seed, options) => {
  const umap = await fitUmap(rows, dim, { ...options, seed });
  return {
    map: { x: umap.x, y: umap.y },
    stars: prototypes ? await umap.place(prototypes, { signal: options.signal }) : NOTHING,
    explained: null,
  };
};

function prototypeVectors(library: Library, experimentId: string): Float32Array {
  const network = library.experiments.network(experimentId);
  const dim = network.data.embeddingDim;
  const vectors = new Float32Array(network.prototypeCount * dim);
  for (let k = 0; k < network.prototypeCount; k++) vectors.set(network.prototypeVector(k), k * dim);
  return vectors;
}

function pointsOf(level: 'track' | 'window', { tracks, windows }: LibraryVectors): ProjectionPoint[] {
  if (level === 'track')
    return tracks.trackIds.map((id) => ({ kind: 'track' as const, id, windowIndex: null }));
  return Array.from(windows.trackOf, (track, row) => ({
    kind: 'window' as const,
    id: windows.trackIds[track] ?? '',
    windowIndex: windows.windowIndex[row] ?? 0,
  }));
}

function prototypePoints(count: number): ProjectionPoint[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'prototype' as const,
    id: String(index),
    windowIndex: null,
  }));
}

function concat(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Hands the newest value to one reader; values that it had no time for are skipped. */
class Latest<T> implements AsyncIterable<T> {
  #value: { value: T } | null = null;
  #closed = false;
  #wake: () => void = () => undefined;

  put(value: T): void {
    this.#value = { value };
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#value;
      this.#value = null;
      if (next) yield next.value;
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
