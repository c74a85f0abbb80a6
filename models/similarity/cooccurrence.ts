import { ExactIndex } from '../neighbours/exact.ts';
import { Pacer } from '../numerics/pacer.ts';
import { orthonormalise } from '../projection/covariance.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import type { TrackLists } from './lists.ts';

/** Partners of each track, each with its weight. */
export type Partners = ReadonlyMap<number, { tracks: number[]; weights: number[] }>;

/** Pairs of a list grow with its square: of longer ones so many tracks are drawn, or fewer where there are many. */
const LONGEST = 300;
/** Pairs of all lists, which are in memory at once. */
const MOST_PAIRS = 5_000_000;
/** Counting a pair, in units of {@link Pacer.due}. */
const WORK_PER_PAIR = 50;

/**
 * Positive pointwise mutual information of tracks that lie in `least` lists together or more:
 * log(n_ij · n / (n_i · n_j)) over n lists, where that is above 0.
 * @throws the signal's reason
 */
export async function positivePmi(
  lists: TrackLists,
  least: number,
  random: Random,
  signal?: AbortSignal,
): Promise<Partners> {
  const pacer = new Pacer(signal);
  const longest = longestOf(lists);
  const drawn = lists.map((list) =>
    list.length <= longest
      ? list
      : random
          .shuffle(list)
          .slice(0, longest)
          .sort((a, b) => a - b),
  );
  const single = new Map<number, number>();
  const together = new Map<number, Map<number, number>>();
  for (const list of drawn) {
    if (pacer.due(WORK_PER_PAIR * list.length ** 2)) await pacer.pause();
    list.forEach((track, i) => {
      single.set(track, (single.get(track) ?? 0) + 1);
      for (const other of list.slice(i + 1)) {
        const [a, b] = track < other ? [track, other] : [other, track];
        const row = together.get(a) ?? new Map<number, number>();
        row.set(b, (row.get(b) ?? 0) + 1);
        together.set(a, row);
      }
    });
  }
  const partners = new Map<number, { tracks: number[]; weights: number[] }>();
  const add = (track: number, partner: number, weight: number): void => {
    const own = partners.get(track) ?? { tracks: [], weights: [] };
    own.tracks.push(partner);
    own.weights.push(weight);
    partners.set(track, own);
  };
  for (const [a, row] of together) {
    if (pacer.due(WORK_PER_PAIR * row.size)) await pacer.pause();
    for (const [b, count] of row) {
      if (count < least) continue;
      const pmi = Math.log((count * drawn.length) / ((single.get(a) ?? 1) * (single.get(b) ?? 1)));
      if (pmi <= 0) continue;
      add(a, b, pmi);
      add(b, a, pmi);
    }
  }
  return partners;
}

/** How many tracks of a list are taken, so that all pairs fit into memory. */
function longestOf(lists: TrackLists): number {
  const pairs = (most: number): number =>
    lists.reduce((sum, { length }) => sum + Math.min(length, most) ** 2 / 2, 0);
  let longest = LONGEST;
  while (longest > 2 && pairs(longest) > MOST_PAIRS) longest = Math.floor(0.8 * longest);
  return longest;
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
  const cells = rows.reduce((sum, { columns }) => sum + columns.length, 0);
  const times = async (block: readonly Float64Array[]): Promise<Float64Array[]> => {
    const images: Float64Array[] = [];
    for (const vector of block) {
      if (pacer.due(4 * cells)) await pacer.pause();
      images.push(
        Float64Array.from(rows, ({ columns, weights }) =>
          columns.reduce((sum, column, i) => sum + at(weights, i) * at(vector, column), 0),
        ),
      );
    }
    return images;
  };
  let basis = orthonormalise(
    Array.from({ length: Math.min(RANK, tracks.length) }, () =>
      Float64Array.from(tracks, () => random.normal()),
    ),
  );
  if (tracks.length < 2) return new Map();
  for (let round = 0; round < ROUNDS; round++) {
    basis = orthonormalise(await times(basis));
    await pacer.pause();
  }
  // U·S but for a rotation, which no cosine sees.
  const image = await times(basis);
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
