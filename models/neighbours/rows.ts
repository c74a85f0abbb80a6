import { closeSync, openSync, readSync } from 'node:fs';
import { checkFinite } from '../embeddings/labelled-vectors.ts';
import type { Pacer } from '../numerics/pacer.ts';

/** Vectors of one length, wherever they lie. */
export interface Rows {
  readonly count: number;
  readonly dim: number;
  /** Rows `first … first + count` as `[count, dim]`, not to be changed. */
  read(first: number, count: number): Float32Array;
  /** A single row, not to be changed, and only until the next one is asked for. */
  one(row: number): Float32Array;
}

/** Rows that are read on their way through memory: some megabytes of them. */
export function rowsAtOnce(dim: number): number {
  return Math.max(1, Math.floor((1 << 20) / dim));
}

/** @param vectors `[n, dim]`, kept by reference */
export function rowsInMemory(vectors: Float32Array, dim: number): Rows {
  return {
    count: vectors.length / dim,
    dim,
    read: (first, count) => vectors.subarray(first * dim, (first + count) * dim),
    one: (row) => vectors.subarray(row * dim, (row + 1) * dim),
  };
}

/** Rows as they come, or a matrix `[n, dim]` as rows. */
export function asRows(vectors: Float32Array | Rows, dim: number): Rows {
  return vectors instanceof Float32Array ? rowsInMemory(vectors, dim) : vectors;
}

/** All rows, some megabytes of them at a time: the number of the first, and the rows as `[count, dim]`. */
export function* partsOf(all: Rows): Generator<[first: number, part: Float32Array], void> {
  const part = rowsAtOnce(all.dim);
  for (let first = 0; first < all.count; first += part)
    yield [first, all.read(first, Math.min(part, all.count - first))];
}

/** @throws NumericError `not-finite` naming the first row with NaN or an infinity; the pacer's */
export async function checkFiniteRows(all: Rows, pacer: Pacer, what: string): Promise<void> {
  for (const [first, part] of partsOf(all)) await checkFinite(part, all.dim, pacer, what, first);
}

/**
 * Some of the rows, in a given order, as rows of their own: nothing is copied until it is read.
 * @param chosen numbers of rows
 */
export function chosenRows(all: Rows, chosen: ArrayLike<number>): Rows {
  const { dim } = all;
  const at = (i: number): number => chosen[i] ?? 0;
  const readInto = (out: Float32Array, first: number, count: number): void => {
    let [low, high] = [Infinity, -1];
    for (let i = first; i < first + count; i++) [low, high] = [Math.min(low, at(i)), Math.max(high, at(i))];
    // Where they lie close to each other, one long read is cheaper than many short ones.
    const near = high - low < 2 * count ? all.read(low, high - low + 1) : null;
    for (let i = 0; i < count; i++) {
      const place = (at(first + i) - low) * dim;
      out.set(near ? near.subarray(place, place + dim) : all.one(at(first + i)), i * dim);
    }
  };
  return {
    count: chosen.length,
    dim,
    one: (i) => all.one(at(i)),
    read: (first, count) => {
      const out = new Float32Array(count * dim);
      const part = rowsAtOnce(dim);
      for (let begin = first; begin < first + count; begin += part)
        readInto(out.subarray((begin - first) * dim), begin, Math.min(part, first + count - begin));
      return out;
    },
  };
}

/** Closes the files of rows that nobody holds any more: who searched them last is not known. */
const unused = new FinalizationRegistry<number>((file) => closeSync(file));

/**
 * Rows in a file of float32, little-endian. Only what is asked for is read; what the system has at hand of the file is not
 * read from the disk again.
 */
export class RowsOnDisk implements Rows {
  readonly count: number;
  readonly dim: number;
  readonly #file: number;
  /** Of the first row in the file, bytes. */
  readonly #begin: number;
  readonly #single: Float32Array<ArrayBuffer>;

  /**
   * @param begin where the first row lies in the file, bytes
   * @throws the system's error
   */
  constructor(path: string, count: number, dim: number, begin = 0) {
    this.count = count;
    this.dim = dim;
    this.#begin = begin;
    this.#single = new Float32Array(dim);
    this.#file = openSync(path, 'r');
    unused.register(this, this.#file, this);
  }

  read(first: number, count: number): Float32Array {
    return this.#fill(new Float32Array(count * this.dim), first);
  }

  one(row: number): Float32Array {
    return this.#fill(this.#single, row);
  }

  #fill(wanted: Float32Array<ArrayBuffer>, first: number): Float32Array {
    const bytes = new Uint8Array(wanted.buffer);
    let [done, at] = [0, this.#begin + 4 * first * this.dim];
    while (done < bytes.length) {
      const read = readSync(this.#file, bytes, done, bytes.length - done, at);
      if (read === 0) throw new Error('a file of vectors is shorter than it should be');
      done += read;
      at += read;
    }
    return wanted;
  }

  close(): void {
    unused.unregister(this);
    closeSync(this.#file);
  }
}
