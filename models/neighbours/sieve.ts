import {
  factBytes,
  queryRecord,
  reservedBytes,
  rowsPerGroup,
  scanKernel,
  type ScanKernel,
} from '../../native/neighbours/index.ts';
import type { Pacer } from '../knn/pacer.ts';
import { at } from '../knn/vectors.ts';
import { encodeQuery, paddedCount, paddedWidth, roundUp, RowEncoder, type QueryCode } from './codes.ts';
import { centre, gauge, measureSpace, type Gauge, type Space } from './space.ts';
import type { Metric } from '../knn/nearest.ts';

/** WebAssembly memory comes in pages of this size. */
const pageBytes = 65536;
/** Codes scanned for all queries before the next slab: what a processor core keeps at hand. */
const slabBytes = 1 << 19;
/** Offers a query may have for each neighbour wanted, and at least, before it counts as undecidable. */
const roomPerNeighbour = 16;
const leastRoom = 4096;

/** One query on its way through the sieve. */
export interface SievedQuery {
  gauge: Gauge;
  /** Null when the query cannot be told apart by codes. */
  code: QueryCode | null;
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
  readonly #facts: number;
  /** Where the space of a single search begins. */
  readonly #scratch: number;
  #records = 0;

  private constructor(space: Space, count: number, memory: WebAssembly.Memory) {
    this.space = space;
    this.count = count;
    this.width = paddedWidth(space.mean.length);
    this.#memory = memory;
    this.#kernel = scanKernel(memory);
    this.#facts = align(this.#codes + paddedCount(count) * this.width);
    this.#scratch = this.#facts + (paddedCount(count) / rowsPerGroup) * factBytes;
  }

  /** Bytes that the codes of `count` rows take. */
  static bytes(count: number, dim: number): number {
    return paddedCount(count) * (paddedWidth(dim) + factBytes / rowsPerGroup);
  }

  /** Encodes all rows of `[n, dim]`. */
  static async build(vectors: Float32Array, dim: number, metric: Metric, pacer: Pacer): Promise<Sieve> {
    const count = vectors.length / dim;
    const pages = Math.ceil((Sieve.bytes(count, dim) + 2 * reservedBytes) / pageBytes);
    const sieve = new Sieve(
      measureSpace(vectors, dim, metric),
      count,
      new WebAssembly.Memory({ initial: pages }),
    );
    const { codes, facts } = sieve.views();
    const encoder = new RowEncoder(sieve.space);
    for (let row = 0; row < count; row++) {
      encoder.encode(vectors, row, codes, facts);
      if (pacer.due(4 * dim)) await pacer.pause();
    }
    return sieve;
  }

  /** The codes, interleaved, and their facts; valid until the next search. */
  views(): { codes: Int8Array; facts: Float32Array } {
    const { buffer } = this.#memory;
    return {
      codes: new Int8Array(buffer, this.#codes, paddedCount(this.count) * this.width),
      facts: new Float32Array(buffer, this.#facts, paddedCount(this.count) * (factBytes / 4 / rowsPerGroup)),
    };
  }

  /** @param query at `offset` in `source` · @param largestCode see `encodeQuery` */
  read(source: Float32Array, offset: number, largestCode: number): SievedQuery {
    const p = new Float64Array(this.space.mean.length);
    centre(this.space, source, offset, p);
    return { gauge: gauge(this.space, p), code: encodeQuery(this.space, p, largestCode) };
  }

  /**
   * Starts a search: lays out a record for every query and `extra` bytes for the caller.
   * @returns the address of the extra bytes.
   */
  open(queries: readonly SievedQuery[], k: number, extra: number): number {
    const room = offersRoom(k);
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
      const write = (field: number, value: number): void => view.setFloat32(record + field, value, true);
      const writeInteger = (field: number, value: number): void => view.setInt32(record + field, value, true);
      write(queryRecord.limit, Infinity);
      write(queryRecord.gain, code?.gain ?? 0);
      write(queryRecord.spread, code?.spread ?? 0);
      write(queryRecord.blur, code?.blur ?? 0);
      // Both the row in question and those that outdo it may be off by the slack.
      view.setFloat64(record + queryRecord.slack, 2 * roundUp(slack), true);
      writeInteger(queryRecord.wanted, k);
      writeInteger(queryRecord.held, 0);
      writeInteger(queryRecord.heap, heaps + q * align(8 * k));
      writeInteger(queryRecord.room, room);
      writeInteger(queryRecord.offered, code === null ? -1 : 0);
      writeInteger(queryRecord.offers, offers + q * 8 * room);
      const target = new Int16Array(this.#memory.buffer, codes + q * codeBytes, this.width);
      target.fill(0);
      if (code) target.set(code.codes);
    });
    return rest;
  }

  /** Int32 products of codes at an address that {@link open} gave. */
  products(address: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  /** Scans all rows for all `m` queries of the search that is open. */
  async scan(m: number, pacer: Pacer): Promise<void> {
    const slab = Math.max(rowsPerGroup, Math.floor(slabBytes / this.width / rowsPerGroup) * rowsPerGroup);
    const codeBytes = align(this.width * 2);
    for (let first = 0; first < this.count; first += slab) {
      const rows = Math.min(slab, this.count - first);
      for (let q = 0; q < m; q++) {
        this.#kernel.scan(
          this.#codes + first * this.width,
          this.#factsOf(first),
          first,
          rows,
          this.width,
          this.#scratch + q * codeBytes,
          this.#record(q),
        );
        // Sixteen components or so at a time.
        if (pacer.due((rows * this.width) / 16)) await pacer.pause();
      }
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
    const rows = new Int32Array(buffer, address, 2 * offered);
    const scores = new Float32Array(buffer, address, 2 * offered);
    const left: number[] = [];
    for (let i = 0; i < offered; i++) if (!(at(scores, 2 * i + 1) > limit)) left.push(i);
    left.sort((a, b) => at(scores, 2 * a + 1) - at(scores, 2 * b + 1));
    return {
      rows: Int32Array.from(left, (i) => at(rows, 2 * i)),
      lowest: Float32Array.from(left, (i) => at(scores, 2 * i + 1)),
    };
  }

  #record(q: number): number {
    return this.#records + q * align(queryRecord.bytes);
  }

  #factsOf(row: number): number {
    return this.#facts + (row / rowsPerGroup) * factBytes;
  }
}

/** How many offers one query may have. */
export function offersRoom(k: number): number {
  return Math.max(leastRoom, roomPerNeighbour * k);
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
