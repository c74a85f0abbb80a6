import { open, stat, type FileHandle } from 'node:fs/promises';
import { AudioError, fromSystemError } from './errors.ts';
import { fileToOpen } from './file-name.ts';

/** Bytes read from disk at a time: every read is a trip to another thread, and what was read waits in memory. */
export const READ_BYTES = 256 * 1024;

/** A regular file, opened read-only and read piece by piece. */
export class FileSource {
  readonly path: string;
  /** Size in bytes when the file was opened. */
  readonly size: number;
  readonly #handle: FileHandle;
  #closed = false;

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  /** @throws AudioError missing, unreadable (permissions, a folder, a device), empty */
  static async open(path: string): Promise<FileSource> {
    try {
      // Opening a named pipe would wait for a writer for ever, so look before opening.
      const file = fileToOpen(path);
      const seen = await stat(file);
      if (!seen.isFile()) throw new AudioError('unreadable', `Not a regular file: ${path}`);
      const handle = await open(file, 'r');
      if (seen.size > 0) return new FileSource(path, seen.size, handle);
      await handle.close();
    } catch (error) {
      throw fromSystemError(error, path);
    }
    throw new AudioError('empty', `The file is empty (0 bytes): ${path}`);
  }

  /**
   * Up to `length` bytes from `position`; fewer only at the end of the file.
   * @param memory to read into, at least as long; makes the result a part of it
   */
  async read(
    position: number,
    length: number,
    memory?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    const bytes = memory?.subarray(0, wanted) ?? new Uint8Array(wanted);
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const { bytesRead } = await this.#handle.read(
          bytes,
          filled,
          bytes.length - filled,
          position + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw fromSystemError(error, this.path);
    }
    return filled === bytes.length ? bytes : bytes.subarray(0, filled);
  }

  /** The bytes of `[start, end)` in order, `step` at a time, in memory that is used again: gone when the next are asked for. */
  async *chunks(
    start: number,
    end: number,
    signal: AbortSignal,
    step = READ_BYTES,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    const memory = new Uint8Array(Math.max(0, Math.min(step, end - start)));
    for (let position = start; position < end;) {
      signal.throwIfAborted();
      const bytes = await this.read(position, Math.min(step, end - position), memory);
      signal.throwIfAborted();
      if (bytes.length === 0) return;
      position += bytes.length;
      yield bytes;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}
