import { rmSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { rowsInMemory, type Rows } from '../../models/neighbours/rows.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import { storageError } from '../storage/errors.ts';
import { openVectorFile, writeVectorFile, type VectorFacts } from './vector-file.ts';
import type { WindowEmbeddings } from './window-embeddings.ts';

/** Folder of the files of vectors among what a library can make again. */
export const VECTORS_FOLDER = 'vectors';

/** Bytes of vectors that are searched from memory where nothing else is said: the search takes half as much again. */
export const memoryForVectors = (): number => totalmem() / 8;

/** Where and when the vectors of a library are searched from a file. */
export interface VectorPlace {
  /** The library's folder of what can be made again. */
  folder: string;
  /** Bytes of vectors of a space up to which they are held in memory. */
  inMemory: () => number;
  /** Tells people what could not be done. */
  note: (message: string) => void;
}

/** The file of the vectors of a space. */
export const vectorFileOf = (folder: string, space: SpaceInfo): string =>
  join(folder, VECTORS_FOLDER, `${space.key}.f32`);

/** To be called before the vectors of a space are written: its file is not of them any more. */
export function dropVectorFile(folder: string, space: SpaceInfo): void {
  try {
    rmSync(vectorFileOf(folder, space), { force: true });
  } catch {
    // One that cannot go is found to be stale when it is opened.
  }
}

/** The vectors of all windows of a space, wherever they lie. */
export interface WindowRows {
  /** What searches them. Made once; whoever asks may stop waiting. @throws the signal's reason; EngineError */
  get(signal?: AbortSignal): Promise<Rows>;
  /** Whether they are searched from a file. */
  readonly onDisk: boolean;
  close(): void;
}

/** @param windows held in memory */
export function windowsInMemory({ vectors, dim }: WindowEmbeddings): WindowRows {
  const rows = rowsInMemory(vectors, dim);
  return { get: () => Promise.resolve(rows), onDisk: false, close: () => undefined };
}

/** What a file of vectors is made of. */
export interface VectorSource extends VectorFacts {
  space: SpaceInfo;
  /** All vectors from the database, in order, a part at a time. */
  parts: () => Iterable<Float32Array>;
  /** Whether vectors of a file are those of the database, where one looks. */
  agrees: (rows: Rows) => boolean;
  /** Whether the database still says what it said when this was made. */
  unchanged: () => boolean;
  /** All of them at once, where a file cannot be had. */
  vectors: () => Float32Array;
}

/**
 * Vectors in a file beside the databases: read whole once at the beginning, made anew where it is missing, stale or
 * damaged. Where it cannot be made, for want of room or of rights, they are searched from memory, and people are told. So
 * they are while an import changes them all the time.
 */
export class WindowsInFile implements WindowRows {
  readonly onDisk = true;
  readonly #source: VectorSource;
  readonly #place: VectorPlace;
  readonly #closed = new AbortController();
  #rows: Promise<Rows> | null = null;

  constructor(source: VectorSource, place: VectorPlace) {
    this.#source = source;
    this.#place = place;
  }

  async get(signal?: AbortSignal): Promise<Rows> {
    signal?.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    if (this.#rows === null) {
      // Not under the signal of whoever asked first: others wait for the same.
      const made = this.#open();
      this.#rows = made;
      made.catch(() => (this.#rows = null));
    }
    if (!signal) return this.#rows;
    let leave = (): void => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason as Error);
      signal.addEventListener('abort', leave, { once: true });
    });
    return Promise.race([this.#rows, left]).finally(() => signal.removeEventListener('abort', leave));
  }

  /** Stops the making of a file; what is being searched goes when nobody holds it. */
  close(): void {
    this.#closed.abort(new EngineError('cancelled', 'The library was closed.'));
  }

  async #open(): Promise<Rows> {
    const { space, vectors, dim } = this.#source;
    const path = vectorFileOf(this.#place.folder, space);
    const { signal } = this.#closed;
    try {
      const found = await openVectorFile(path, this.#source, signal);
      if (found && this.#source.agrees(found)) return this.#watched(found);
      // Some systems name no file anew over one that is open.
      found?.close();
      return this.#watched(await this.#make(path));
    } catch (thrown) {
      signal.throwIfAborted();
      if (this.#source.unchanged()) {
        const { message } = storageError(thrown, path);
        this.#place.note(
          `The vectors of a large library cannot be searched from a file: ${message} They are read into memory instead.`,
        );
      }
      return rowsInMemory(vectors(), dim);
    }
  }

  async #make(path: string): Promise<Rows> {
    const { parts, unchanged, fingerprint, count, dim } = this.#source;
    const { signal } = this.#closed;
    const facts = { fingerprint, count, dim };
    const written = await writeVectorFile(path, facts, parts(), { stillRight: unchanged, signal });
    const rows = written ? await openVectorFile(path, facts, signal) : null;
    if (rows) return rows;
    throw new EngineError(
      'unreadable',
      `What was written to ${path} cannot be read again.`,
      'Check its disk.',
    );
  }

  /** A file that is cut or taken away while it is searched is made anew by the next question. */
  #watched(rows: Rows): Rows {
    const reading = (read: () => Float32Array): Float32Array => {
      try {
        return read();
      } catch (thrown) {
        this.#rows = null;
        const { folder } = this.#place;
        dropVectorFile(folder, this.#source.space);
        throw new EngineError(
          'unreadable',
          'The file of vectors that the search reads was changed or cannot be read.',
          'Ask again: it is made anew from the library.',
          { cause: thrown },
        );
      }
    };
    return {
      count: rows.count,
      dim: rows.dim,
      read: (first, count) => reading(() => rows.read(first, count)),
      one: (row) => reading(() => rows.one(row)),
    };
  }
}
