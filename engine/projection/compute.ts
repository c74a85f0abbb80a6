import { createHash } from 'node:crypto';
import { joined } from '../../models/pecmae/lockstep.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { rowsInMemory, type Rows } from '../../models/neighbours/rows.ts';
import { fitPca, fitUmap, projectionTrust } from '../../models/projection/index.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { Projection, ProjectionEvent, ProjectionPoints } from '../api/projection.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { StoredProjection } from '../library/projections.ts';
import { corpusRows } from '../reductions/corpus/index.ts';
import { Latest } from './latest.ts';

/**
 * With `experimentId` its prototypes are placed on the map; with `reductionId` generated ones instead, those of a data set
 * file on a map of the file's rows.
 */
export type ProjectionRequest = Omit<ParsedInput<'projection.compute'>, 'libraryId'>;

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
  const space = mappedSpace(library, request);
  const id = projectionId(library, request, space);
  const described = describer(library, request, space);
  const known = library.projections.find(id);
  if (known) {
    yield { type: 'result', projection: described(known) };
    return;
  }
  const left = new AbortController();
  const progress = new Latest<number>();
  const both = AbortSignal.any([signal, left.signal]);
  const work = shownRows(context, library, request, space, both)
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
    yield { type: 'result', projection: described(projection) };
  } finally {
    left.abort();
  }
}

/**
 * The map of a library in a space without any prototypes: the one that is shown where that is the space in use.
 * @returns where each embedded track or window lies, in the order of the embeddings
 * @throws NumericError; the signal's reason
 */
export async function libraryMap(
  library: Library,
  space: SpaceInfo,
  asked: Pick<ProjectionRequest, 'method' | 'level' | 'seed'>,
  options: { signal: AbortSignal; onProgress: (fraction: number) => void },
): Promise<Points> {
  const request = { ...asked, experimentId: null, reductionId: null };
  const id = projectionId(library, request, space);
  const known = library.projections.find(id);
  if (known) return known;
  const shown = { rows: await embedded(library, asked.level, space, options.signal), prototypes: null };
  const made = await lay(request, shown, options);
  library.projections.put(id, made);
  return made;
}

/** The space of what is laid out. @throws EngineError `not-found`; `other-space` when no track is embedded in it */
export function mappedSpace(
  library: Library,
  { experimentId, reductionId }: Pick<ProjectionRequest, 'experimentId' | 'reductionId'>,
): SpaceInfo {
  const check = (space: SpaceInfo, what: string): SpaceInfo => {
    library.embeddings.checkMadeIn(space, what);
    return space;
  };
  if (reductionId !== null)
    return check(library.reductions.get(reductionId).space ?? library.space(), 'This reduction');
  if (experimentId === null) return library.space();
  return check(library.experiments.get(experimentId).space, 'This experiment');
}

/** Names what went into a map. */
export function projectionId(
  library: Library,
  { method, level, experimentId, reductionId, seed }: ProjectionRequest,
  space: SpaceInfo,
): string {
  const { fingerprint } = library.embeddings.tracks(space);
  const revision = experimentId === null ? 0 : library.experiments.get(experimentId).revision;
  const key = [method, level, seed, fingerprint, experimentId ?? '', revision, reductionId ?? ''].join('\n');
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Says of a map what its points are. That is read here, before it is laid out: meanwhile tracks may come and go, and
 * prototypes change.
 */
function describer(
  library: Library,
  { method, level, experimentId, reductionId }: ProjectionRequest,
  space: SpaceInfo,
): (stored: StoredProjection) => Projection {
  const ofFile = reductionId !== null && library.reductions.get(reductionId).source.kind !== 'library';
  const points = ofFile ? null : pointsOf(library, level, space);
  const classes = reductionId === null && experimentId !== null ? classesOf(library, experimentId) : [];
  return ({ x, y, prototypes, trust, explained }) => ({
    ...{ method, level, space: ofFile ? null : space, x, y, prototypes, trust, explained },
    // Where no track is embedded, there are no prototypes on the map either.
    prototypeClasses: classes.slice(0, prototypes),
    points: points ?? { ...noTracks, kind: 'row', count: x.length - prototypes },
  });
}

function classesOf(library: Library, experimentId: string): string[] {
  const network = networkShown(library, experimentId);
  const { classes } = library.experiments.get(experimentId);
  return Array.from({ length: network.prototypeCount }, (_, k) => classes[network.classOf(k)] ?? '');
}

const noTracks = { trackIds: [], trackOf: new Int32Array(), windowIndex: new Int32Array() };

function pointsOf(library: Library, level: 'track' | 'window', space: SpaceInfo): ProjectionPoints {
  const { trackIds, counts } = library.embeddings.tracks(space);
  const tracks = { ...noTracks, kind: level, count: trackIds.length, trackIds: [...trackIds] };
  if (level === 'track') return tracks;
  const windowIndex = library.embeddings.windowIndices(space);
  const count = windowIndex.length;
  const trackOf = new Int32Array(count);
  let first = 0;
  counts.forEach((own, track) => {
    trackOf.fill(track, first, first + own);
    first += own;
  });
  return { ...tracks, count, trackOf, windowIndex };
}

/** What is laid out, and the prototypes that are placed on it. */
interface Shown {
  rows: Rows;
  prototypes: Float32Array | null;
}

async function shownRows(
  context: EngineContext,
  library: Library,
  { level, experimentId, reductionId }: ProjectionRequest,
  space: SpaceInfo,
  signal: AbortSignal,
): Promise<Shown> {
  if (reductionId !== null) {
    const { source } = library.reductions.get(reductionId);
    const { prototypes } = library.reductions.setOf(reductionId);
    if (source.kind === 'library') return { rows: await embedded(library, level, space, signal), prototypes };
    const { features, dim } = await corpusRows(context, library, source, signal);
    return { rows: rowsInMemory(Float32Array.from(features), dim), prototypes };
  }
  const prototypes = experimentId === null ? null : prototypeVectors(library, experimentId);
  return { rows: await embedded(library, level, space, signal), prototypes };
}

/** The vectors that are laid out of a library, in memory or in its file. @throws the signal's reason; EngineError */
export async function embedded(
  library: Library,
  level: 'track' | 'window',
  space: SpaceInfo,
  signal: AbortSignal,
): Promise<Rows> {
  // Without any there is no file to read from, and no dimension.
  if (library.embeddings.tracks(space).trackIds.length === 0) return rowsInMemory(new Float32Array(), 1);
  if (level === 'window') return library.embeddings.vectors(space).rows(level, signal);
  const { vectors, dim } = library.embeddings.trackMeans(space);
  return rowsInMemory(vectors, dim);
}

async function lay(
  { method, seed }: ProjectionRequest,
  { rows, prototypes }: Shown,
  options: { signal: AbortSignal; onProgress: (fraction: number) => void },
): Promise<StoredProjection> {
  const empty = { x: new Float32Array(), y: new Float32Array() };
  if (rows.count === 0) return { ...empty, prototypes: 0, trust: 0, explained: null };
  const placed = await (method === 'pca' ? layPca : layUmap)(rows, prototypes, seed, options);
  const { map, stars, explained } = placed;
  const trust =
    map.x.length < 2 ? 1 : await projectionTrust(rows, rows.dim, map, { seed, signal: options.signal });
  return {
    x: concat(map.x, stars.x),
    y: concat(map.y, stars.y),
    prototypes: stars.x.length,
    trust,
    explained,
  };
}

interface Points {
  x: Float32Array;
  y: Float32Array;
}
type Layout = (
  rows: Rows,
  prototypes: Float32Array | null,
  seed: number,
  options: { signal: AbortSignal; onProgress: (fraction: number) => void },
) => Promise<{ map: Points; stars: Points; explained: [number, number] | null }>;

const NOTHING: Points = { x: new Float32Array(), y: new Float32Array() };

const layPca: Layout = async (rows, prototypes, _seed, options) => {
  const pca = await fitPca(rows, rows.dim, options);
  const [first, second] = pca.explained;
  return {
    map: await pca.project(rows, { signal: options.signal }),
    stars: prototypes ? await pca.project(prototypes) : NOTHING,
    explained: [first, second],
  };
};

const layUmap: Layout = async (rows, prototypes, seed, options) => {
  const umap = await fitUmap(rows, rows.dim, { ...options, seed });
  return {
    map: { x: umap.x, y: umap.y },
    stars: prototypes ? await umap.place(prototypes, { signal: options.signal }) : NOTHING,
    explained: null,
  };
};

function prototypeVectors(library: Library, experimentId: string): Float32Array {
  const network = networkShown(library, experimentId);
  const rows = Array.from({ length: network.prototypeCount }, (_, k) => network.prototypeVector(k));
  return joined(rows);
}

/** The prototypes that a map shows: of several views those of the first, whose space the map is of. */
function networkShown(
  library: Library,
  experimentId: string,
): Pick<PrototypeNetwork, 'prototypeCount' | 'classOf' | 'prototypeVector'> {
  const network = library.experiments.anyNetwork(experimentId);
  if (network instanceof PrototypeNetwork) return network;
  const prototypeCount = network.data.views[0]?.network.prototypeCount ?? 0;
  return {
    prototypeCount,
    classOf: (k) => network.classOf(k),
    prototypeVector: (k) => network.prototypeVector(k),
  };
}

function concat(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
