import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ReductionError } from '../knn/errors.ts';
import { checkFinite } from '../knn/set.ts';
import { nearestRows, type Metric } from '../knn/nearest.ts';
import { Pacer } from '../knn/pacer.ts';
import { at, cosineDistance, squaredDistance } from '../knn/vectors.ts';
import { searchGraph } from './graph.ts';
import { meanRow, prepareBlocks, prepareRow, type Block } from './prepare.ts';

/** A row of the index and its distance to the query. */
export interface Neighbour {
  row: number;
  /** Euclidean distance, or `1 − cos` in [0, 2] (1 when a vector is zero); float64. */
  distance: number;
}

/** Multiply-adds up to which plain loops beat setting up a session. */
const plainWork = 4_000_000;
const queryBatch = 256;
/** Candidates beyond `k` that the float32 search hands to the float64 check. */
const spareCandidates = 32;
/** Half a unit in the last place of float32. */
const unitRoundoff = 2 ** -24;

interface Candidates {
  rows: Int32Array;
  scores: Float32Array;
}

/**
 * Exact nearest neighbours. Large searches run as blocked `Gemm` + `TopK` in ONNX Runtime; the candidates' distances
 * are then recomputed from direct differences in float64, and a rigorous bound of the float32 error proves that no
 * other row can belong to the answer. Queries where it cannot (many equal rows) are searched row by row. The result
 * is therefore always the brute-force answer: ascending distance, then ascending row.
 */
export class ExactIndex {
  readonly count: number;
  readonly dim: number;
  readonly metric: Metric;
  /** How many queries needed the row-by-row search so far. */
  fallbacks = 0;
  readonly #vectors: Float32Array;
  #prepared: Promise<{
    session: InferenceSession;
    blocks: Block[];
    radius: number;
    mean: Float64Array;
  }> | null = null;
  #closed = false;

  private constructor(vectors: Float32Array, dim: number, metric: Metric) {
    this.#vectors = vectors;
    this.dim = dim;
    this.metric = metric;
    this.count = vectors.length / dim;
  }

  /**
   * @param vectors `[n, dim]`, n ≥ 1, finite; kept by reference and must not change.
   * @throws ReductionError `empty`, `shape` or `not-finite`.
   */
  static async build(vectors: Float32Array, dim: number, metric: Metric = 'euclidean'): Promise<ExactIndex> {
    if (!Number.isInteger(dim) || dim < 1 || vectors.length % dim !== 0)
      throw new ReductionError(
        'shape',
        `${vectors.length} values are no rows of ${dim}.`,
        'Check the dimension.',
      );
    if (vectors.length === 0)
      throw new ReductionError('empty', 'There is nothing to search.', 'Import some tracks first.');
    await checkFinite(vectors, dim, new Pacer(), 'The index');
    return new ExactIndex(vectors, dim, metric);
  }

  /**
   * The `min(k, n)` nearest rows of every query, nearest first.
   * @param queries `[m, dim]`, finite.
   * @throws ReductionError `bad-parameter` when k is no whole number ≥ 1, `shape`, `not-finite`; the signal's reason.
   */
  async query(
    queries: Float32Array,
    k: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<Neighbour[][]> {
    const { dim, count } = this;
    if (this.#closed) throw new Error('the index has been closed');
    if (!Number.isInteger(k) || k < 1)
      throw new ReductionError(
        'bad-parameter',
        `k must be a whole number of at least 1, not ${k}.`,
        'Try k = 10.',
      );
    if (queries.length % dim !== 0)
      throw new ReductionError(
        'shape',
        `${queries.length} values are no queries of ${dim}.`,
        'Use the same pack.',
      );
    const pacer = new Pacer(options.signal);
    await checkFinite(queries, dim, pacer, 'The query');
    const wanted = Math.min(k, count);
    if (queries.length * count <= plainWork) return this.#scan(queries, wanted, options.signal);
    const result: Neighbour[][] = [];
    for (let first = 0; first < queries.length / dim; first += queryBatch) {
      const batch = queries.subarray(first * dim, (first + queryBatch) * dim);
      result.push(...(await this.#search(batch, wanted, pacer, options.signal)));
    }
    return result;
  }

  /** Frees the session; further queries are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared) await (await prepared).session.release();
  }

  async #scan(queries: Float32Array, k: number, signal?: AbortSignal): Promise<Neighbour[][]> {
    const { dim, metric } = this;
    const found = await nearestRows(
      { features: this.#vectors, count: this.count, dim },
      { features: queries, count: queries.length / dim },
      { k, metric, ...(signal && { signal }) },
    );
    return Array.from({ length: queries.length / dim }, (_, q) =>
      Array.from(found.rows.subarray(q * k, (q + 1) * k), (row, i) => {
        const distance = at(found.distances, q * k + i);
        return { row, distance: metric === 'euclidean' ? Math.sqrt(distance) : distance };
      }),
    );
  }

  async #search(
    queries: Float32Array,
    k: number,
    pacer: Pacer,
    signal?: AbortSignal,
  ): Promise<Neighbour[][]> {
    const { dim, metric } = this;
    this.#prepared ??= this.#prepare();
    const { session, blocks, radius, mean } = await this.#prepared;
    const m = queries.length / dim;
    const prepared = new Float32Array(queries.length);
    const lengths = Float64Array.from({ length: m }, (_, q) =>
      Math.sqrt(prepareRow(queries, q * dim, mean, metric, prepared, q * dim)),
    );
    // Powers of two scale without rounding: scores are |x|² − 2 q·x, or −q·x.
    const factor = metric === 'euclidean' ? -2 : -1;
    const scaled = prepared.map((value) => value * factor);
    const keep = Math.min(this.count, k + spareCandidates);
    const found: Candidates[] = [];
    for (const block of blocks) {
      signal?.throwIfAborted();
      found.push(await runBlock(session, block, scaled, m, Math.min(keep, block.count)));
    }
    const result: Neighbour[][] = [];
    for (let q = 0; q < m; q++) {
      const query = queries.subarray(q * dim, (q + 1) * dim);
      const { rows, cut } = mergeCandidates(found, m, q, keep);
      const nearest = this.#recompute(query, rows);
      const last = nearest[k - 1];
      const length = at(lengths, q);
      const zero = metric === 'euclidean' ? length * length : 1;
      const reach = cut + zero - this.#errorBound(length, radius);
      const proven = rows.length === this.count || (last !== undefined && key(last.distance, metric) < reach);
      if (proven) result.push(nearest.slice(0, k));
      else {
        this.fallbacks++;
        result.push(...(await this.#scan(query, k, signal)));
      }
      if (pacer.due(keep * dim)) await pacer.pause();
    }
    return result;
  }

  /** Exact distances of the candidates, sorted: ascending distance, then row. */
  #recompute(query: Float32Array, rows: number[]): Neighbour[] {
    const { dim, metric } = this;
    const keyed = rows.map((row) => ({
      row,
      distance:
        metric === 'euclidean'
          ? squaredDistance(query, 0, this.#vectors, row * dim, dim)
          : cosineDistance(query, 0, this.#vectors, row * dim, dim),
    }));
    keyed.sort((a, b) => a.distance - b.distance || a.row - b.row);
    return metric === 'euclidean'
      ? keyed.map(({ row, distance }) => ({ row, distance: Math.sqrt(distance) }))
      : keyed;
  }

  /**
   * Largest possible difference between a float32 score and the true one: rounding of a dot product of `dim` terms
   * (Higham 2002, §3.1, for any order of summation), of the prepared vectors, of the offset and of the last addition.
   */
  #errorBound(queryLength: number, radius: number): number {
    const product = queryLength * radius;
    const squares = queryLength * queryLength + radius * radius;
    return unitRoundoff * ((2 * this.dim + 16) * product + 16 * squares) * 1.01;
  }

  async #prepare(): Promise<{
    session: InferenceSession;
    blocks: Block[];
    radius: number;
    mean: Float64Array;
  }> {
    const pacer = new Pacer();
    const mean =
      this.metric === 'euclidean'
        ? await meanRow(this.#vectors, this.dim, pacer)
        : new Float64Array(this.dim);
    const { blocks, radius } = await prepareBlocks(this.#vectors, mean, this.metric, pacer);
    const session = await InferenceSession.create(searchGraph(), {
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
    });
    return { session, blocks, radius, mean };
  }
}

/** The number that orders neighbours and that scores approximate: squared for Euclidean distances. */
function key(distance: number, metric: Metric): number {
  return metric === 'euclidean' ? distance * distance * (1 + 1e-12) : distance;
}

async function runBlock(
  session: InferenceSession,
  block: Block,
  queries: Float32Array,
  m: number,
  keep: number,
): Promise<Candidates> {
  const dim = queries.length / m;
  const output = await session.run({
    query: new Tensor('float32', queries, [m, dim]),
    block: new Tensor('float32', block.rows, [block.count, dim]),
    offset: new Tensor('float32', block.offset, [block.count]),
    k: new Tensor('int64', BigInt64Array.of(BigInt(keep)), [1]),
  });
  const scores = output['score']?.data;
  const rows = output['row']?.data;
  if (!(scores instanceof Float32Array) || !(rows instanceof BigInt64Array))
    throw new Error('the search graph returned no float32 scores and int64 rows');
  return { scores, rows: Int32Array.from(rows, (row) => Number(row) + block.first) };
}

/** The `keep` best candidates of one query over all blocks; every other row scores at least `cut`. */
function mergeCandidates(
  found: Candidates[],
  m: number,
  q: number,
  keep: number,
): { rows: number[]; cut: number } {
  const all: { row: number; score: number }[] = [];
  for (const { rows, scores } of found) {
    const width = rows.length / m;
    for (let i = q * width; i < (q + 1) * width; i++) all.push({ row: at(rows, i), score: at(scores, i) });
  }
  all.sort((a, b) => a.score - b.score);
  const best = all.slice(0, keep);
  return { rows: best.map(({ row }) => row), cut: best.at(-1)?.score ?? -Infinity };
}
