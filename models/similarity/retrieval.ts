import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import type { TrackLists } from './lists.ts';

/** Tracks looked at from the top. */
export const DEPTH = 10;

/**
 * How well a track finds the others of its playlist: `hit` whether one is among the ten nearest, `rPrecision` the share of
 * them among the R nearest (R: how many there are), `ndcg` that of the ten nearest with the upper ones counting more.
 */
export const retrievalMetrics = ['hit', 'rPrecision', 'ndcg'] as const;
export type RetrievalMetric = (typeof retrievalMetrics)[number];
export type RetrievalScores = Record<RetrievalMetric, number>;

/** What is asked: every track of a list looks for the rest of the list among the candidates. */
export interface Retrieval {
  /** Tracks with their vectors in the order of rows. */
  candidates: readonly number[];
  lists: TrackLists;
  /** Artist of each track by number; with it, tracks of the one that asks are no candidates. */
  artists: readonly (string | null)[] | null;
}

/** Of one list: the means over its tracks that have something to find. */
export interface ListScores extends RetrievalScores {
  queries: number;
  /** What a random order would give, by expectation. */
  chance: RetrievalScores;
}

/**
 * @param vectors `[candidates, dim]`, compared by cosine
 * @returns one entry a list; null where no track of it has another one to find
 * @throws the signal's reason
 */
export async function retrieve(
  { candidates, lists, artists }: Retrieval,
  vectors: Float32Array,
  dim: number,
  signal?: AbortSignal,
): Promise<(ListScores | null)[]> {
  const pacer = new Pacer(signal);
  const unit = unitRows(vectors, dim);
  const rowOf = new Map(candidates.map((track, row) => [track, row]));
  const byArtist = candidates.map((track) => artists?.[track] ?? null);
  const found: (ListScores | null)[] = [];
  for (const list of lists) {
    const rows = list.flatMap((track) => rowOf.get(track) ?? []);
    const wanted = new Set(rows);
    const answers: { scores: RetrievalScores; chance: RetrievalScores }[] = [];
    for (const query of rows) {
      const artist = byArtist[query] ?? null;
      const open = (row: number): boolean => row !== query && (artist === null || byArtist[row] !== artist);
      const relevant = rows.filter(open).length;
      if (relevant === 0) continue;
      const ranked = ranking(unit, dim, query, open);
      answers.push({
        scores: scoresOf(ranked, (row) => wanted.has(row), relevant),
        chance: chanceOf(ranked.length, relevant),
      });
      if (pacer.due(candidates.length * (dim + 10))) await pacer.pause();
    }
    found.push(
      answers.length === 0
        ? null
        : {
            ...meanOf(answers.map(({ scores }) => scores)),
            queries: answers.length,
            chance: meanOf(answers.map(({ chance }) => chance)),
          },
    );
  }
  return found;
}

/** Rows by falling cosine; of equal ones the first. */
function ranking(unit: Float32Array, dim: number, query: number, open: (row: number) => boolean): number[] {
  const count = unit.length / dim;
  const cosines = new Float64Array(count);
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    if (!open(row)) continue;
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += at(unit, row * dim + d) * at(unit, query * dim + d);
    cosines[row] = sum;
    rows.push(row);
  }
  return rows.sort((a, b) => at(cosines, b) - at(cosines, a) || a - b);
}

function scoresOf(
  ranked: readonly number[],
  isRelevant: (row: number) => boolean,
  relevant: number,
): RetrievalScores {
  let gain = 0;
  let hit = 0;
  ranked.slice(0, DEPTH).forEach((row, rank) => {
    if (!isRelevant(row)) return;
    hit = 1;
    gain += discount(rank);
  });
  const among = ranked.slice(0, relevant).filter(isRelevant).length;
  return { hit, rPrecision: among / relevant, ndcg: gain / ideal(relevant) };
}

/** Expected scores of a random order of `count` candidates. */
function chanceOf(count: number, relevant: number): RetrievalScores {
  const share = relevant / count;
  let missed = 1;
  for (let i = 0; i < Math.min(DEPTH, count); i++) missed *= Math.max(0, count - relevant - i) / (count - i);
  return {
    hit: 1 - missed,
    rPrecision: share,
    ndcg: (share * ideal(Math.min(DEPTH, count))) / ideal(relevant),
  };
}

const discount = (rank: number): number => 1 / Math.log2(rank + 2);

/** Gain of so many relevant ones at the top. */
function ideal(relevant: number): number {
  let sum = 0;
  for (let rank = 0; rank < Math.min(DEPTH, relevant); rank++) sum += discount(rank);
  return sum;
}

function meanOf(scores: readonly RetrievalScores[]): RetrievalScores {
  const mean = (metric: RetrievalMetric): number =>
    scores.reduce((sum, own) => sum + own[metric], 0) / scores.length;
  return { hit: mean('hit'), rPrecision: mean('rPrecision'), ndcg: mean('ndcg') };
}

function unitRows(vectors: Float32Array, dim: number): Float32Array {
  const out = Float32Array.from(vectors);
  for (let from = 0; from < out.length; from += dim) {
    let squared = 0;
    for (let d = from; d < from + dim; d++) squared += at(out, d) ** 2;
    const length = Math.sqrt(squared) || 1;
    for (let d = from; d < from + dim; d++) out[d] = at(out, d) / length;
  }
  return out;
}
