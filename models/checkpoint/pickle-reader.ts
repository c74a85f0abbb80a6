import { CheckpointError } from './errors.ts';

/** The bytes at hand end before the pickle does. Whoever has more may try again. */
export class PickleCutOff extends Error {
  override readonly name = 'PickleCutOff';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('latin1');
const MAX_INTEGER_BYTES = 64;
const MAX_LINE = 4096;

/** Reads the arguments of pickle instructions, bounds-checked. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  position: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }
  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }
  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  /** A length of 8 bytes. */
  uint64(): number {
    const at = this.position;
    const length = this.#view.getBigUint64(this.#advance(8), true);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a length of ${length} bytes`, at);
    return Number(length);
  }
  /** Pickle's one big-endian number. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.slice(start, start + length);
  }

  text(length: number): string {
    const start = this.#advance(length);
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw malformed('text that is not UTF-8', start, cause);
    }
  }

  /** Python 2 wrote byte strings where it meant text. */
  latinText(length: number): string {
    const start = this.#advance(length);
    return latin1.decode(this.#bytes.subarray(start, start + length));
  }

  line(): string {
    const start = this.position;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0) {
      if (this.#bytes.length - start > MAX_LINE) throw malformed('a line without end', start);
      throw new PickleCutOff();
    }
    if (end - start > MAX_LINE) throw malformed('a line without end', start);
    const text = this.text(end - start);
    this.position = end + 1;
    return text;
  }

  /** A little-endian two's-complement integer of `length` bytes. */
  integer(length: number): number | bigint {
    const at = this.position;
    if (length > MAX_INTEGER_BYTES) throw malformed(`an integer of ${length} bytes`, at);
    let value = 0n;
    const digits = this.bytes(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i] ?? 0);
    const signed = BigInt.asIntN(length * 8, value);
    const small = Number(signed);
    return Number.isSafeInteger(small) ? small : signed;
  }

  #advance(length: number): number {
    const start = this.position;
    if (length > this.#bytes.length - start) throw new PickleCutOff();
    this.position = start + length;
    return start;
  }
}

/** A pickle that contradicts itself. */
export function malformed(what: string, offset: number, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'malformed',
    `the checkpoint's index holds ${what} at byte ${offset}`,
    'The file is damaged or was not written by PyTorch: get it again from its publisher.',
    cause === undefined ? { offset } : { offset, cause },
  );
}
