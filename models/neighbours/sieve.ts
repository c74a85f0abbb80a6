import {
  factBytes,
  queryRecord,
  reservedBytes,
  rowsPerGroup,
  scanKernel,
  type ScanKernel,
} from '../../native/neighbours/index.ts';
import type { Pacer } from '../numerics/pacer.ts';
import {
  encodeQuery,
  paddedCount,
  paddedWidth,
  roundUp,
  RowEncoder,
  type QueryCode,
  type RowCodes,
} from './codes.ts';
import { centre, gauge, measureSpace, type Gauge, type Space } from './space.ts';
import type { Metric } from './brute.ts';
import { rowsAtOnce, type Rows } from './rows.ts';

/** WebAssembly memory comes in pages of this size. */
const pageBytes = 65536;
/** Codes scanned for all queries before the next slab: what a processor core keeps at hand. */
const slabBytes = 1 << 19;
/** Offers a query may have for each neighbour wanted, and at least, before it counts as undecidable. */
const roomPerNeighbour = 16;
const leastRoom = 16_384;

/** Largest code of a query that the kernel multiplies itself. */
export const finestCode = 32_767;
/** More than the offers of any query: 32 bits of score and 21 of this fit a float64 exactly. */
export const offerNumbers = 2 ** 21;
/** Numbers of rows after which a search is sharpened. */
const sharpenAfter: readonly number[] = [4096, 16_384, 65_536, 262_144];
/** Offers compared exactly to sharpen a search, for each neighbour wanted. */
const comparedPerNeighbour = 2;

/** One query on its way through the sieve. */
export interface SievedQuery {
  /** Its centred components. */
  p: Float64Array;
  gauge: Gauge;
  /**
   * The number that orders neighbours, of one row: squared distance, or `1 − cos`; float64. May be any number above
   * `limit` where the true one is.
   */
  compare: (row: number, limit: number) => number;
  /** Null when the query cannot be told apart by codes. */
  code: QueryCode | null;
}

/** What a search is for. */
export interface Wanted {
  /** Neighbours of each query. */
  k: number;
  /** Offers that a query may have before it counts as undecidable, at most {@link offerNumbers}. */
  room: number;
}

/** Rows that may be among the nearest, by ascending lowest score. */
export interface Offers {
  rows: Int32Array;
  lowest: Float32Array;
}

/**
 * Rows as 8-bit codes in WebAssembly memory, and the search for the few that may be among a query's nearest.
 * Not reentrant: one search at a time.
 */
export class Sieve {
  readonly space: Space;
  readonly count: number;
  readonly width: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernel: ScanKernel;
  readonly #codes = reservedBytes;
  readonly #rests: number;
  readonly #facts: number;
  readonly #narrow: number;
  /** Where the space of a single search begins. */
  readonly #scratch: number;
  #records = 0;

  private constructor(space: Space, count: number, memory: WebAssembly.Memory) {
    this.space = space;
    this.count = count;
    this.width = paddedWidth(space.mean.length);
    this.#memory = memory;
    this.#kernel = scanKernel(memory);
    const rows = paddedCount(count);
    this.#rests = align(this.#codes + rows * this.width);
    this.#facts = align(this.#rests + rows * this.width);
    this.#narrow = this.#facts + (rows / rowsPerGroup) * factBytes;
    this.#scratch = align(this.#narrow + rows * 4);
  }

  /** Bytes that the codes of `count` rows take. */
  static bytes(count: number, dim: number): number {
    return paddedCount(count) * (2 * paddedWidth(dim) + factBytes / rowsPerGroup + 4);
  }

  /** Encodes all rows. */
  static async build(rows: Rows, metric: Metric, pacer: Pacer): Promise<Sieve> {
    const { count, dim } = rows;
    const pages = Math.ceil((Sieve.bytes(count, dim) + 2 * reservedBytes) / pageBytes);
    const sieve = new Sieve(measureSpace(rows, metric), count, new WebAssembly.Memory({ initial: pages }));
    const views = sieve.views();
    const encoder = new RowEncoder(sieve.space);
    const part = rowsAtOnce(dim);
    for (let first = 0; first < count; first += part) {
      const own = rows.read(first, Math.min(part, count - first));
      for (let i = 0; i < own.length / dim; i++) {
        encoder.encode(own, i * dim, first + i, views);
        if (pacer.due(4 * dim)) await pacer.pause();
      }
    }
    return sieve;
  }

  /** The codes of all rows; valid until the next search. */
  views(): RowCodes {
    const { buffer } = this.#memory;
    const rows = paddedCount(this.count);
    return {
      codes: new Int8Array(buffer, this.#codes, rows * this.width),
      rests: new Int8Array(buffer, this.#rests, rows * this.width),
      facts: new Float32Array(buffer, this.#facts, (rows / rowsPerGroup) * (factBytes / 4)),
      narrow: new Float32Array(buffer, this.#narrow, rows),
    };
  }

  /** @param query `[dim]` · @param largestCode see `encodeQuery` · @param compare see {@link SievedQuery} */
  read(query: Float32Array, largestCode: number, compare: SievedQuery['compare']): SievedQuery {
    const p = new Float64Array(this.space.mean.length);
    centre(this.space, query, 0, p);
    return { p, gauge: gauge(this.space, p), code: encodeQuery(this.space, p, largestCode), compare };
  }

  /**
   * Starts a search: lays out a record for every query and `extra` bytes for the caller.
   * @param room offers that a query may have
   * @returns the address of the extra bytes.
   */
  open(queries: readonly SievedQuery[], { k, room }: Wanted, extra: number): number {
    const codeBytes = align(this.width * 2);
    const each = align(queryRecord.bytes) + align(8 * k) + 8 * room + codeBytes;
    const codes = this.#scratch;
    const heaps = codes + queries.length * codeBytes;
    const offers = heaps + queries.length * align(8 * k);
    this.#records = offers + queries.length * 8 * room;
    const rest = this.#records + queries.length * align(queryRecord.bytes);
    const missing = this.#scratch + queries.length * each + align(extra) - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
    const view = new DataView(this.#memory.buffer);
    queries.forEach(({ code, gauge: { slack } }, q) => {
      const record = this.#record(q);
      const writeInteger = (field: number, value: number): void => view.setInt32(record + field, value, true);
      view.setFloat32(record + queryRecord.limit, Infinity, true);
      // Both the row in question and those that outdo it may be off by the slack.
      view.setFloat64(record + queryRecord.slack, 2 * roundUp(slack), true);
      writeInteger(queryRecord.wanted, k);
      writeInteger(queryRecord.held, 0);
      writeInteger(queryRecord.heap, heaps + q * align(8 * k));
      writeInteger(queryRecord.room, room);
      writeInteger(queryRecord.offered, code === null ? -1 : 0);
      writeInteger(queryRecord.offers, offers + q * 8 * room);
      if (code) this.#ask(q, code);
    });
    return rest;
  }

  #ask(q: number, code: QueryCode): void {
    const record = this.#record(q);
    const view = new DataView(this.#memory.buffer);
    view.setFloat32(record + queryRecord.gain, code.gain, true);
    view.setFloat32(record + queryRecord.spread, code.spread, true);
    view.setFloat32(record + queryRecord.blur, code.blur, true);
    const target = new Int16Array(this.#memory.buffer, this.#query(q), this.width);
    target.fill(0);
    target.set(code.codes);
  }

  /** Sharpens the offers of query `q`, all rows having been scanned or sifted, by the finest code of the query. */
  refine(q: number, { p }: SievedQuery): void {
    const record = this.#record(q);
    const offered = new DataView(this.#memory.buffer).getInt32(record + queryRecord.offered, true);
    const code = offered < 0 ? null : encodeQuery(this.space, p, finestCode);
    if (code === null) return;
    this.#ask(q, code);
    this.#kernel.refine(
      this.#codes,
      this.#rests,
      this.#facts,
      this.#narrow,
      this.width,
      this.#query(q),
      record,
    );
  }

  /** Int32 products of codes at an address that {@link open} gave. */
  products(address: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  /**
   * The codes of `rows` rows as columns, `[width, rows]`, at an address that {@link open} gave.
   * @param first a multiple of 4 · @param rows a multiple of 4
   */
  columns(address: number, first: number, rows: number): Int8Array<ArrayBuffer> {
    this.#kernel.columns(this.#codes + first * this.width, rows, this.width, address);
    return new Int8Array(this.#memory.buffer, address, rows * this.width);
  }

  /** Scans all rows for all queries of the search that is open. */
  async scan(queries: readonly SievedQuery[], pacer: Pacer): Promise<void> {
    const slab = Math.max(rowsPerGroup, Math.floor(slabBytes / this.width / rowsPerGroup) * rowsPerGroup);
    for (let first = 0; first < this.count; first += slab) {
      const rows = Math.min(slab, this.count - first);
      for (let q = 0; q < queries.length; q++) {
        this.#kernel.scan(
          this.#codes + first * this.width,
          this.#factsOf(first),
          first,
          rows,
          this.width,
          this.#query(q),
          this.#record(q),
        );
        // Sixteen components or so at a time.
        if (pacer.due((rows * this.width) / 16)) await pacer.pause();
      }
      this.sharpen(queries, first, first + rows);
    }
  }

  /**
   * Where rows `from…to` reached one of {@link sharpenAfter}: compares the most promising offers exactly, so that the
   * limit follows from distances instead of what they could be at most. Fewer of the rows to come are then in doubt.
   */
  sharpen(queries: readonly SievedQuery[], from: number, to: number): void {
    if (!sharpenAfter.some((rows) => from < rows && rows <= to)) return;
    const { buffer } = this.#memory;
    const view = new DataView(buffer);
    for (const [q, { gauge, compare }] of queries.entries()) {
      const record = this.#record(q);
      const wanted = view.getInt32(record + queryRecord.wanted, true);
      const offered = view.getInt32(record + queryRecord.offered, true);
      if (offered < wanted) continue;
      const address = view.getInt32(record + queryRecord.offers, true);
      const promising = lowestOffers(
        new Int32Array(buffer, address, 2 * offered),
        comparedPerNeighbour * wanted,
      );
      const scores = promising.map((row) => (compare(row, Infinity) - gauge.offset) / gauge.scale).sort();
      if (scores.length < wanted || Number.isNaN(scores[scores.length - 1])) continue;
      // Descending order is a heap with the largest on top.
      const heap = new Float64Array(buffer, view.getInt32(record + queryRecord.heap, true), wanted);
      const top = scores[wanted - 1] as number;
      if (view.getInt32(record + queryRecord.held, true) === wanted && !(top < (heap[0] as number))) continue;
      heap.set(scores.subarray(0, wanted).reverse());
      view.setInt32(record + queryRecord.held, wanted, true);
      const slack = view.getFloat64(record + queryRecord.slack, true);
      view.setFloat32(record + queryRecord.limit, roundAway(top + slack), true);
    }
  }

  /**
   * Sifts rows `first…` whose products with query `q` lie at `high` (and `low`, see `ScanKernel.sift`).
   * @param first a multiple of 4.
   */
  sift(q: number, high: number, low: number, first: number, rows: number): void {
    this.#kernel.sift(high, low, this.#factsOf(first), first, rows, this.#record(q));
  }

  /** What is left of query `q` after all rows were scanned or sifted; null when there are too many to tell. */
  offers(q: number): Offers | null {
    const { buffer } = this.#memory;
    const record = this.#record(q);
    const view = new DataView(buffer);
    const offered = view.getInt32(record + queryRecord.offered, true);
    if (offered < 0) return null;
    const limit = view.getFloat32(record + queryRecord.limit, true);
    const address = view.getInt32(record + queryRecord.offers, true);
    const pairs = new Int32Array(buffer, address, 2 * offered);
    const lowest = new Float32Array(buffer, address, 2 * offered);
    const order = ascending(lowest, pairs, limit);
    const offers = { rows: new Int32Array(order.length), lowest: new Float32Array(order.length) };
    for (let i = 0; i < order.length; i++) {
      offers.rows[i] = pairs[2 * (order[i] as number)] as number;
      offers.lowest[i] = lowest[2 * (order[i] as number) + 1] as number;
    }
    return offers;
  }

  #record(q: number): number {
    return this.#records + q * align(queryRecord.bytes);
  }

  #query(q: number): number {
    return this.#scratch + q * align(this.width * 2);
  }

  #factsOf(row: number): number {
    return this.#facts + (row / rowsPerGroup) * factBytes;
  }
}

/** The rows of the `count` offers with the lowest scores, out of pairs (row, float32 score). */
function lowestOffers(pairs: Int32Array, count: number): Float64Array {
  const scores = new Float32Array(pairs.buffer, pairs.byteOffset, pairs.length);
  const best = new Float32Array(count).fill(Infinity);
  const rows = new Float64Array(count);
  let held = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const score = scores[i + 1] as number;
    if (!(score < (best[count - 1] as number))) continue;
    let slot = Math.min(held, count - 1);
    for (; slot > 0 && (best[slot - 1] as number) > score; slot--) {
      best[slot] = best[slot - 1] as number;
      rows[slot] = rows[slot - 1] as number;
    }
    best[slot] = score;
    rows[slot] = pairs[i] as number;
    held = Math.min(held + 1, count);
  }
  return rows.subarray(0, held);
}

/** Numbers of the offers not above `limit`, by ascending score. */
function ascending(lowest: Float32Array, pairs: Int32Array, limit: number): Float64Array {
  const keys = new Float64Array(pairs.length / 2);
  let left = 0;
  for (let i = 0; i < keys.length; i++) {
    if ((lowest[2 * i + 1] as number) > limit) continue;
    // The bits of a float32, made to ascend like its value, before the offer's number: sorted as numbers, without calls.
    const bits = pairs[2 * i + 1] as number;
    keys[left++] = (bits < 0 ? ~bits >>> 0 : bits + 2 ** 31) * offerNumbers + i;
  }
  return keys
    .subarray(0, left)
    .sort()
    .map((key) => key % offerNumbers);
}

/** A float32 not below `value`, of either sign. */
function roundAway(value: number): number {
  return Math.fround(value + Math.abs(value) * 2 ** -22 + 2 ** -120);
}

/** How many offers one query may have at first. */
export function offersRoom(k: number): number {
  return Math.min(offerNumbers, Math.max(leastRoom, roomPerNeighbour * k));
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
