import { ExactIndex } from '../neighbours/exact.ts';
import { Pacer } from '../numerics/pacer.ts';
import { orthonormalise } from '../projection/covariance.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import type { TrackLists } from './lists.ts';

/** Partners of each track, each with its weight. */
export type Partners = ReadonlyMap<number, { tracks: number[]; weights: number[] }>;

/** Pairs of a list grow with its square: of longer ones so many tracks are drawn. */
const LONGEST = 300;

/**
 * Positive pointwise mutual information of tracks that lie in `least` lists together or more:
 * log(n_ij · n / (n_i · n_j)) over n lists, where that is above 0.
 */
export function positivePmi(lists: TrackLists, least: number, random: Random): Partners {
  const drawn = lists.map((list) =>
    list.length <= LONGEST
      ? list
      : random
          .shuffle(list)
          .slice(0, LONGEST)
          .sort((a, b) => a - b),
  );
  const single = new Map<number, number>();
  const together = new Map<number, Map<number, number>>();
  for (const list of drawn)
    list.forEach((track, i) => {
      single.set(track, (single.get(track) ?? 0) + 1);
      for (const other of list.slice(i + 1)) {
        const [a, b] = track < other ? [track, other] : [other, track];
        const row = together.get(a) ?? new Map<number, number>();
        row.set(b, (row.get(b) ?? 0) + 1);
        together.set(a, row);
      }
    });
  const partners = new Map<number, { tracks: number[]; weights: number[] }>();
  const add = (track: number, partner: number, weight: number): void => {
    const own = partners.get(track) ?? { tracks: [], weights: [] };
    own.tracks.push(partner);
    own.weights.push(weight);
    partners.set(track, own);
  };
  for (const [a, row] of together)
    for (const [b, count] of row) {
      if (count < least) continue;
      const pmi = Math.log((count * drawn.length) / ((single.get(a) ?? 1) * (single.get(b) ?? 1)));
      if (pmi <= 0) continue;
      add(a, b, pmi);
      add(b, a, pmi);
    }
  return partners;
}

const RANK = 32;
const ROUNDS = 12;
const NEAREST = 10;

/**
 * The tracks nearest to each by cosine in the singular vectors of the matrix of positive PMI (Levy, Goldberg 2014: what
 * word2vec does): tracks that never met may be partners.
 * @param partners all pairs that met · @throws the signal's reason
 */
export async function nearestBySvd(
  partners: Partners,
  random: Random,
  signal?: AbortSignal,
): Promise<Partners> {
  const pacer = new Pacer(signal);
  const tracks = [...partners.keys()].sort((a, b) => a - b);
  const place = new Map(tracks.map((track, i) => [track, i]));
  const rows = tracks.map((track) => {
    const own = partners.get(track) ?? { tracks: [], weights: [] };
    return { columns: own.tracks.map((partner) => place.get(partner) ?? 0), weights: own.weights };
  });
  const times = (block: readonly Float64Array[]): Float64Array[] =>
    block.map((vector) =>
      Float64Array.from(rows, ({ columns, weights }) =>
        columns.reduce((sum, column, i) => sum + at(weights, i) * at(vector, column), 0),
      ),
    );
  let basis = orthonormalise(
    Array.from({ length: Math.min(RANK, tracks.length) }, () =>
      Float64Array.from(tracks, () => random.normal()),
    ),
  );
  if (tracks.length < 2) return new Map();
  for (let round = 0; round < ROUNDS; round++) {
    basis = orthonormalise(times(basis));
    await pacer.pause();
  }
  // U·S but for a rotation, which no cosine sees.
  const image = times(basis);
  const width = image.length;
  const vectors = new Float32Array(tracks.length * width);
  image.forEach((vector, d) => vector.forEach((value, i) => (vectors[i * width + d] = value)));
  const index = await ExactIndex.build(vectors, width, 'cosine');
  const found = await index.query(vectors, NEAREST + 1, signal ? { signal } : {});
  return new Map(
    tracks.map((track, i) => {
      const near = (found[i] ?? []).filter(({ row }) => row !== i).slice(0, NEAREST);
      return [track, { tracks: near.map(({ row }) => tracks[row] ?? 0), weights: near.map(() => 1) }];
    }),
  );
}
