import { NumericError } from '../numerics/errors.ts';
import { compareAllRows, type Metric, type NearestRows } from './brute.ts';
import { Pacer } from '../numerics/pacer.ts';
import { checkFinite } from '../embeddings/labelled-vectors.ts';
import { cosineDistance, squaredDistanceBelow } from '../numerics/distances.ts';
import { at } from '../numerics/vectors.ts';
import { checkFiniteRows, rowsInMemory, type Rows } from './rows.ts';
import { CodeProduct, type Fineness } from './product.ts';
import {
  finestCode,
  offerNumbers,
  offersRoom,
  Sieve,
  type Offers,
  type SievedQuery,
  type Wanted,
} from './sieve.ts';

/** A row of the index and its distance to the query. */
export interface Neighbour {
  row: number;
  /** Euclidean distance, or `1 − cos` in [0, 2] (1 when a vector is zero); float64. */
  distance: number;
}

/** Multiply-adds up to which a search is done row by row, whatever else is known. */
const plainWork = 4_000_000;
/** Queries after which encoding the rows has paid, about; until then they are compared one by one. */
const plainQueries = 4;
/** Queries from which a matrix product beats scanning for each. */
const productQueries = 8;
const largestBatch = 256;
/** What the offers of one batch may take. */
const offerBytes = 32 << 20;
/**
 * So many times the room for offers is given to queries that the first one was too small for: of a million rows the
 * thousands of a dense group may be in doubt, which still are few to compare.
 */
const moreRoom = 16;
/** Of more neighbours than this share of the rows, there is nothing to sieve. */
const largestShare = 1 / 8;
/** WebAssembly addresses end at 4 GiB; the codes leave room for the searches. */
const largestCodes = 3 * 2 ** 30;

/**
 * Exact nearest neighbours. For large searches the rows are kept as 8-bit codes with a proven bound of what rounding
 * hides (space.ts); rows whose distance, at its smallest, exceeds that of k others at its largest are dropped unseen,
 * and the few left are compared in float64. Queries where too many are left (many equal rows, or rows that all lie
 * equally far) are searched row by row. The result is therefore always the brute-force answer: ascending distance,
 * then ascending row.
 */
export class ExactIndex {
  readonly count: number;
  readonly dim: number;
  readonly metric: Metric;
  /** How many queries were searched row by row because too many rows were left, so far. */
  fallbacks = 0;
  readonly #rows: Rows;
  #sieve: Promise<Sieve> | null = null;
  #product: Promise<CodeProduct> | null = null;
  #fineness: Fineness = 'coarse';
  /** Queries asked so far. */
  #asked = 0;
  /** The sieve's memory serves one search at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(rows: Rows, metric: Metric) {
    this.#rows = rows;
    this.dim = rows.dim;
    this.metric = metric;
    this.count = rows.count;
  }

  /** Bytes that an index of `count` rows keeps beside its vectors once it has been asked a few times. */
  static bytes(count: number, dim: number): number {
    return Sieve.bytes(count, dim);
  }

  /**
   * @param vectors `[n, dim]`, n ≥ 1, finite; kept by reference and must not change.
   * @throws NumericError `empty`, `shape` or `not-finite`.
   */
  static async build(vectors: Float32Array, dim: number, metric: Metric = 'euclidean'): Promise<ExactIndex> {
    if (!Number.isInteger(dim) || dim < 1 || vectors.length % dim !== 0)
      throw new NumericError(
        'shape',
        `${vectors.length} values are no rows of ${dim}.`,
        'Check the dimension.',
      );
    return ExactIndex.over(rowsInMemory(vectors, dim), metric);
  }

  /**
   * Over rows that may lie on a disk: beside the codes ({@link bytes}) little of them is in memory.
   * @param rows at least one, finite; they must not change
   * @throws NumericError `empty` or `not-finite`; whatever reading them throws
   */
  static async over(rows: Rows, metric: Metric = 'euclidean'): Promise<ExactIndex> {
    if (rows.count === 0)
      throw new NumericError('empty', 'There is nothing to search.', 'Import some tracks first.');
    await checkFiniteRows(rows, new Pacer(), 'The index');
    return new ExactIndex(rows, metric);
  }

  /**
   * The `min(k, n)` nearest rows of every query, nearest first.
   * @param queries `[m, dim]`, finite.
   * @throws NumericError `bad-parameter` when k is no whole number ≥ 1, `shape`, `not-finite`; the signal's reason.
   */
  async query(
    queries: Float32Array,
    k: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<Neighbour[][]> {
    const { dim, count } = this;
    if (!Number.isInteger(k) || k < 1)
      throw new NumericError(
        'bad-parameter',
        `k must be a whole number of at least 1, not ${k}.`,
        'Try k = 10.',
      );
    if (queries.length % dim !== 0)
      throw new NumericError(
        'shape',
        `${queries.length} values are no queries of ${dim}.`,
        'Use the same pack.',
      );
    const { signal } = options;
    await checkFinite(queries, dim, new Pacer(signal), 'The query');
    const found = await this.#find(queries, Math.min(k, count), signal);
    if (this.metric === 'euclidean')
      for (const own of found)
        for (const neighbour of own) neighbour.distance = Math.sqrt(neighbour.distance);
    return found;
  }

  /**
   * The same in the form of the kNN classifiers: squared distances, or `1 − cos`, as they were compared.
   * @param queries `[m, dim]`, finite.
   * @param k whole, 1…n.
   * @throws the signal's reason.
   */
  async nearest(
    queries: Float32Array,
    k: number,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<NearestRows> {
    const found = await this.#find(queries, k, signal);
    const rows = new Int32Array(found.length * k);
    const distances = new Float64Array(found.length * k);
    for (const [q, own] of found.entries())
      for (const [i, { row, distance }] of own.entries()) {
        rows[q * k + i] = row;
        distances[q * k + i] = distance;
      }
    return { k, rows, distances };
  }

  /** With distances as they are compared. */
  async #find(queries: Float32Array, k: number, signal?: AbortSignal): Promise<Neighbour[][]> {
    // Asked here, after all that is awaited before: nothing would free what is prepared after the end.
    if (this.#closed) throw new Error('the index has been closed');
    if (!this.#sieves(queries.length / this.dim, k)) return this.#compareAll(queries, k, signal);
    const search = this.#turn.then(() => this.#search(queries, k, signal));
    this.#turn = search.catch(() => undefined);
    return search;
  }

  /** Frees what was prepared; further queries are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    const product = this.#product;
    this.#sieve = null;
    this.#product = null;
    if (product) await (await product).close();
  }

  /** Whether codes are worth it for `m` more queries. */
  #sieves(m: number, k: number): boolean {
    const { count, dim } = this;
    this.#asked += m;
    if (m * count * dim <= plainWork || k > count * largestShare) return false;
    return this.#asked > plainQueries && Sieve.bytes(count, dim) <= largestCodes;
  }

  async #search(queries: Float32Array, k: number, signal?: AbortSignal): Promise<Neighbour[][]> {
    const { dim } = this;
    const pacer = new Pacer(signal);
    // Preparing is not the asking query's own: its abort must not undo it for others.
    this.#sieve ??= Sieve.build(this.#rows, this.metric, new Pacer());
    const sieve = await this.#sieve;
    signal?.throwIfAborted();
    const wanted = { k, room: offersRoom(k) };
    const result: Neighbour[][] = [];
    for (const batch of batchesOf(queries, dim, wanted)) {
      const fineness = this.#finenessFor(batch.length / dim, this.#fineness);
      result.push(...(await this.#searchBatch(sieve, batch, wanted, fineness, pacer)));
    }
    return result;
  }

  /** Decides a batch with one kind of codes, and the queries left undecided with the next finer kind. */
  async #searchBatch(
    sieve: Sieve,
    queries: Float32Array,
    wanted: Wanted,
    fineness: Fineness | 'scan',
    pacer: Pacer,
  ): Promise<Neighbour[][]> {
    const { dim } = this;
    const m = queries.length / dim;
    const product = fineness === 'scan' ? null : await (this.#product ??= CodeProduct.open());
    const largest = product === null || fineness === 'scan' ? finestCode : product.largest[fineness];
    const asked = Array.from({ length: m }, (_, q) => {
      const query = queries.subarray(q * dim, (q + 1) * dim);
      return sieve.read(query, largest, (row, limit) => this.#compare(query, row, limit));
    });
    if (product === null || fineness === 'scan') {
      sieve.open(asked, wanted, 0);
      await sieve.scan(asked, pacer);
    } else {
      await product.sift(sieve, asked, wanted, fineness, pacer);
    }
    const found: (Neighbour[] | null)[] = [];
    for (const [q, query] of asked.entries()) {
      sieve.refine(q, query);
      const offers = sieve.offers(q);
      found.push(offers && this.#compareOffers(query, offers, wanted.k));
      if (pacer.due((offers?.rows.length ?? 1) * dim)) await pacer.pause();
    }
    const undecided = Array.from(found.keys()).filter((q) => found[q] === null);
    if (undecided.length === 0) return found.flatMap((own) => (own ? [own] : []));
    // Queries of one kind come together: once coarse codes decide few of them, they are not tried again.
    if (fineness === 'coarse' && undecided.length > m / 4) this.#fineness = 'fine';
    const rest = new Float32Array(undecided.length * dim);
    undecided.forEach((q, i) => rest.set(queries.subarray(q * dim, (q + 1) * dim), i * dim));
    const others =
      fineness === 'coarse'
        ? await this.#searchBatch(sieve, rest, wanted, this.#finenessFor(undecided.length, 'fine'), pacer)
        : await this.#searchOn(sieve, rest, wanted, pacer);
    undecided.forEach((q, i) => (found[q] = others[i] ?? []));
    return found.flatMap((own) => (own ? [own] : []));
  }

  /** Queries that fine codes left undecided: with more room where there are many rows, else row by row. */
  async #searchOn(
    sieve: Sieve,
    queries: Float32Array,
    { k, room }: Wanted,
    pacer: Pacer,
  ): Promise<Neighbour[][]> {
    const wanted = {
      k,
      room: Math.min(moreRoom * room, Math.floor(this.count * largestShare), offerNumbers),
    };
    if (room > offersRoom(k) || wanted.room < 2 * room) {
      this.fallbacks += queries.length / this.dim;
      return this.#compareAll(queries, k, pacer.signal);
    }
    const result: Neighbour[][] = [];
    for (const batch of batchesOf(queries, this.dim, wanted)) {
      const fineness = this.#finenessFor(batch.length / this.dim, 'fine');
      result.push(...(await this.#searchBatch(sieve, batch, wanted, fineness, pacer)));
    }
    return result;
  }

  #finenessFor(m: number, fineness: Fineness): Fineness | 'scan' {
    return m < productQueries ? 'scan' : fineness;
  }

  /** The k nearest of the rows on offer, which are known to contain them. */
  #compareOffers({ gauge, compare }: SievedQuery, offers: Offers, k: number): Neighbour[] {
    const rows: number[] = [];
    const distances: number[] = [];
    for (let i = 0; i < offers.rows.length; i++) {
      const last = distances[k - 1];
      const lowest = gauge.offset + gauge.scale * (at(offers.lowest, i) - 2 * gauge.slack);
      // Offers come by ascending lowest score: no later one can be nearer either.
      if (last !== undefined && lowest > last) break;
      const row = at(offers.rows, i);
      const distance = compare(row, last ?? Infinity);
      let slot = Math.min(distances.length, k);
      for (; slot > 0; slot--) {
        const before = at(distances, slot - 1);
        if (before < distance || (before === distance && at(rows, slot - 1) < row)) break;
      }
      if (slot === k) continue;
      distances.splice(slot, 0, distance);
      rows.splice(slot, 0, row);
      if (rows.length > k) {
        rows.pop();
        distances.pop();
      }
    }
    return rows.map((row, i) => ({ row, distance: at(distances, i) }));
  }

  /** See `SievedQuery.compare`. */
  #compare(query: Float32Array, row: number, limit: number): number {
    const { dim } = this;
    const own = this.#rows.one(row);
    return this.metric === 'euclidean'
      ? squaredDistanceBelow(query, 0, own, 0, dim, limit)
      : cosineDistance(query, 0, own, 0, dim);
  }

  /** Every row compared with every query. */
  async #compareAll(queries: Float32Array, k: number, signal?: AbortSignal): Promise<Neighbour[][]> {
    const { dim, metric } = this;
    const found = await compareAllRows(
      this.#rows,
      { features: queries, count: queries.length / dim },
      { k, metric, ...(signal && { signal }) },
    );
    return Array.from({ length: queries.length / dim }, (_, q) =>
      Array.from(found.rows.subarray(q * k, (q + 1) * k), (row, i) => ({
        row,
        distance: at(found.distances, q * k + i),
      })),
    );
  }
}

/** Queries in parts whose offers fit the memory that they may take. */
function* batchesOf(queries: Float32Array, dim: number, { room }: Wanted): Generator<Float32Array, void> {
  const size = Math.max(1, Math.min(largestBatch, Math.floor(offerBytes / (8 * room))));
  for (let first = 0; first < queries.length / dim; first += size)
    yield queries.subarray(first * dim, (first + size) * dim);
}
