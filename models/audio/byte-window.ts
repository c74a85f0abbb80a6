import { READ_BYTES, type FileSource } from './source.ts';

/** A part of a file that moves forward: reads ahead in blocks and forgets what was passed. */
export class ByteWindow {
  readonly #source: FileSource;
  readonly #end: number;
  readonly #signal: AbortSignal;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Position in the file of the first byte of {@link bytes}. */
  #position: number;

  constructor(source: FileSource, start: number, end: number, signal: AbortSignal) {
    this.#source = source;
    this.#position = start;
    this.#end = Math.min(end, source.size);
    this.#signal = signal;
  }

  /** What is there from the present position on. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Bytes from the present position to the end. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** Whether {@link bytes} reaches the end. */
  get complete(): boolean {
    return this.#bytes.length >= this.left;
  }

  /** Makes at least `count` bytes available, or all that are left. */
  async need(count: number): Promise<void> {
    while (this.#bytes.length < count && !this.complete) {
      this.#signal.throwIfAborted();
      const from = this.#position + this.#bytes.length;
      const wanted = Math.max(READ_BYTES, count - this.#bytes.length);
      const more = await this.#source.read(from, Math.min(wanted, this.#end - from));
      this.#signal.throwIfAborted();
      if (more.length === 0) return;
      // A new array: what was handed out points into the old one.
      const joined = new Uint8Array(this.#bytes.length + more.length);
      joined.set(this.#bytes);
      joined.set(more, this.#bytes.length);
      this.#bytes = joined;
    }
  }

  /** Moves forward; bytes that were not read yet are passed over without reading them. */
  skip(count: number): void {
    this.#bytes = this.#bytes.subarray(Math.min(count, this.#bytes.length));
    this.#position += count;
  }
}
