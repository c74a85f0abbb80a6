import { cosineDistance } from '../../models/numerics/distances.ts';
import { at } from '../../models/numerics/vectors.ts';
import type { Neighbour } from '../../models/neighbours/exact.ts';
import { nearestStandardised, standardise } from '../../models/neighbours/standardised.ts';
import { findDuplicates } from '../../models/mistakes/near-duplicates.ts';
import type { SimilarRequest, SimilarSound, SimilarSounds, SoundRef } from '../api/neighbours.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { TrackRow } from '../api/tracks.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import { isItself, type LocatedVector } from './vector-ref.ts';

/** One of what is asked for. */
export interface LocatedQuery extends LocatedVector {
  of: SoundRef;
  name: string;
  weight: number;
}

/** Among so many times the sounds wanted copies are looked for at first. */
const ROOM = 2;
const GROWTH = 4;

/**
 * What in the library sounds like one or several sounds, nearest first, exact but for copies: these are looked for among
 * the nearest only. What was asked for is never among them.
 * @param queries one or more
 * @throws EngineError `other-space` when the queries are not of one space, or no track is embedded in theirs; the signal's reason
 */
export async function similarSounds(
  library: Library,
  queries: readonly LocatedQuery[],
  request: Omit<SimilarRequest, 'queries'>,
  signal: AbortSignal,
): Promise<SimilarSounds> {
  const vectors = library.embeddings.madeIn(spaceOf(queries), 'This vector');
  const names = queries.map(({ name }) => name);
  const { windows } = vectors;
  const count = request.level === 'track' ? windows.trackIds.length : windows.count;
  if (count === 0) return { names, sounds: [], compared: 0, copies: 0 };
  const matrix = await vectors.rows(request.level, signal);
  const standardisation =
    request.scaling === 'standardised' ? await vectors.standardisation(request.level, signal) : null;
  const placed = (rows: Float32Array): Float32Array =>
    standardisation ? standardise(rows, standardisation) : rows;
  const mix = mixOf(
    queries.map(({ vector, weight }) => ({ vector: placed(vector), weight })),
    request.metric,
  );
  const nearest = async (k: number): Promise<Neighbour[]> => {
    const { metric } = request;
    if (standardisation)
      return nearestStandardised(matrix, standardisation, mix.target, { k, metric, signal });
    const index = await (request.level === 'track'
      ? vectors.trackIndex(metric)
      : vectors.windowIndex(metric, signal));
    return (await index.query(mix.target, k, { signal }))[0] ?? [];
  };
  const refused = new Refused(vectors, queries, request);
  for (let asked = Math.min(count, ROOM * request.k + queries.length); ; asked *= GROWTH) {
    const found = (await nearest(Math.min(count, asked))).filter(({ row }) => !refused.has(row));
    const { kept, copies } = request.copies
      ? { kept: found, copies: 0 }
      : await withoutCopies(library, vectors, found, queries, { ...request, signal });
    if (kept.length < request.k && asked < count) continue;
    const shown = kept.slice(0, request.k);
    const tracks = rowsOf(
      library,
      shown.map(({ row }) => trackOf(vectors, request.level, row)),
      request,
    );
    const sounds = shown.flatMap(({ row, distance }): SimilarSound[] => {
      const track = tracks.get(trackOf(vectors, request.level, row));
      if (!track) return [];
      const own = placed(matrix.one(row));
      const window = request.level === 'window';
      return [
        {
          track,
          windowIndex: window ? at(windows.windowIndex, row) : 0,
          startSeconds: window ? at(windows.startSeconds, row) : 0,
          ...mix.measure(own, distance),
        },
      ];
    });
    return { names, sounds, compared: count, copies };
  }
}

function spaceOf(queries: readonly LocatedQuery[]): SpaceInfo {
  const [first, ...others] = queries;
  if (first === undefined) throw new Error('similar sounds need something to be similar to');
  const other = others.find(({ space }) => space.key !== first.space.key);
  if (other)
    throw new EngineError(
      'other-space',
      `“${first.name}” and “${other.name}” lie in different embedding spaces: nothing is near to both.`,
      'Take one of them away, or make the library’s embeddings with one pack.',
    );
  return first.space;
}

interface Mix {
  /** `[dim]`: the library is put in the order of the distance to it. */
  target: Float32Array;
  /** Distance and similarity of a row to what was asked for, from its distance to the target. */
  measure(row: Float32Array, distance: number): { distance: number; similarity: number };
}

/**
 * For every x the weighted mean of |x − q|² is |x − q̄|² and a constant, and the weighted mean of the cosines to x is the
 * product of x / |x| with the mean of q / |q|: nearest to the mean is nearest to all of them together.
 */
function mixOf(
  queries: readonly { vector: Float32Array; weight: number }[],
  metric: 'euclidean' | 'cosine',
): Mix {
  const whole = queries.reduce((sum, { weight }) => sum + weight, 0);
  const shares = queries.map(({ vector, weight }) => ({ vector, share: weight / whole }));
  const directions = shares.map(({ vector, share }) => ({ vector, share: share / (lengthOf(vector) || 1) }));
  const direction = sumOf(directions);
  const centre = sumOf(shares);
  const spread = shares.reduce((sum, { vector, share }) => sum + share * lengthOf(vector) ** 2, 0);
  const beyond = Math.max(0, spread - lengthOf(centre) ** 2);
  // The kind of queries there are most of is measured without any detour.
  const single = queries.length === 1;
  return {
    target: Float32Array.from(single ? (queries[0]?.vector ?? []) : metric === 'cosine' ? direction : centre),
    measure: (row, distance) => {
      const similarity = (1 - cosineDistance(direction, 0, row, 0, row.length)) * lengthOf(direction);
      if (metric === 'cosine') return { distance: single ? distance : 1 - similarity, similarity };
      return { distance: single ? distance : Math.sqrt(distance ** 2 + beyond), similarity };
    },
  };
}

function sumOf(parts: readonly { vector: Float32Array; share: number }[]): Float64Array {
  const sum = new Float64Array(parts[0]?.vector.length ?? 0);
  for (const { vector, share } of parts)
    for (let d = 0; d < sum.length; d++) sum[d] = at(sum, d) + share * at(vector, d);
  return sum;
}

const lengthOf = (vector: ArrayLike<number>): number => {
  let squared = 0;
  for (let d = 0; d < vector.length; d++) squared += at(vector, d) ** 2;
  return Math.sqrt(squared);
};

function trackOf({ tracks, windows }: LibraryVectors, level: 'track' | 'window', row: number): string {
  return (level === 'track' ? tracks.trackIds[row] : windows.trackIds[at(windows.trackOf, row)]) ?? '';
}

/** Rows that are what was asked for, or of its tracks. */
class Refused {
  readonly #vectors: LibraryVectors;
  readonly #level: 'track' | 'window';
  readonly #asked: ReadonlyMap<string, readonly SoundRef[]>;
  readonly #wholeTracks: boolean;

  constructor(
    vectors: LibraryVectors,
    queries: readonly LocatedQuery[],
    { level, sameTrack }: Pick<SimilarRequest, 'level' | 'sameTrack'>,
  ) {
    this.#vectors = vectors;
    this.#level = level;
    this.#wholeTracks = !sameTrack;
    const asked = new Map<string, SoundRef[]>();
    for (const { of } of queries)
      if ('trackId' in of) asked.set(of.trackId, [...(asked.get(of.trackId) ?? []), of]);
    this.#asked = asked;
  }

  has(row: number): boolean {
    const trackId = trackOf(this.#vectors, this.#level, row);
    const asked = this.#asked.get(trackId);
    if (!asked) return false;
    const windowIndex = this.#level === 'window' ? at(this.#vectors.windows.windowIndex, row) : 0;
    return (
      this.#wholeTracks ||
      asked.some((of) => of.kind !== 'file' && isItself(of, { trackId, windowIndex }, this.#level))
    );
  }
}

/** Of every recording its nearest copy only, and none of a recording that was asked for. */
async function withoutCopies(
  library: Library,
  vectors: LibraryVectors,
  found: readonly Neighbour[],
  queries: readonly LocatedQuery[],
  request: Pick<SimilarRequest, 'level' | 'taxonomyId' | 'experimentId'> & { signal: AbortSignal },
): Promise<{ kept: Neighbour[]; copies: number }> {
  const { trackIds, vectors: matrix } = vectors.tracks;
  const { contentHashes, dim } = vectors.windows;
  const asked = new Set(queries.flatMap(({ of }) => ('trackId' in of ? [of.trackId] : [])));
  const candidates = new Set([...asked, ...found.map(({ row }) => trackOf(vectors, request.level, row))]);
  const rowOf = vectors.rowOfTrack;
  const rows = [...candidates].flatMap((id) => rowOf.get(id) ?? []);
  if (rows.length < 2) return { kept: [...found], copies: 0 };
  const durations = rowsOf(
    library,
    rows.map((row) => trackIds[row] ?? ''),
    { taxonomyId: null, experimentId: null },
  );
  const own = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => own.set(matrix.subarray(row * dim, (row + 1) * dim), i * dim));
  const compared = rows.map((row) => ({
    contentHash: contentHashes[row] ?? null,
    durationSeconds: durations.get(trackIds[row] ?? '')?.durationSeconds ?? null,
  }));
  const groups = await findDuplicates(compared, own, dim, { signal: request.signal });
  const left = new Set<string>();
  // Candidates come nearest first, after what was asked for: the first of a group is the one to stay.
  for (const group of groups)
    for (const i of group.rows.slice(1)) {
      const id = trackIds[rows[i] ?? -1] ?? '';
      if (!asked.has(id)) left.add(id);
    }
  return {
    kept: found.filter(({ row }) => !left.has(trackOf(vectors, request.level, row))),
    copies: left.size,
  };
}

function rowsOf(
  library: Library,
  trackIds: readonly string[],
  { taxonomyId, experimentId }: Pick<SimilarRequest, 'taxonomyId' | 'experimentId'>,
): Map<string, TrackRow> {
  const rows = library.tracks.rows([...new Set(trackIds)], taxonomyId, experimentId);
  return new Map(rows.map((row) => [row.id, row]));
}
