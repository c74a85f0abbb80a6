import { AudioError } from './errors.ts';

/** A file of which less than this could be read is no music any more. */
const LEAST_READ = 0.1;
/** More would not help anybody. */
const MAX_NOTES = 5;

/** Collects what went wrong in a file that still gives audio. */
export class Damage {
  readonly #notes = new Set<string>();
  #pieces = 0;
  #readBytes = 0;
  #skippedBytes = 0;
  #lostBytes = 0;
  #seconds = 0;
  #missingSeconds = 0;

  /** Says something in words; said once however often it happens. */
  note(text: string): void {
    if (this.#notes.size < MAX_NOTES) this.#notes.add(text);
  }

  /** The rest of the file was given up: how much that is, the caller has told as skipped or missing. */
  stopped(): void {
    this.#pieces++;
  }

  /** What went wrong, as advice for a file from which nothing could be read. */
  hint(): string {
    return [
      ...this.#notes,
      'Play the file in another program; if it fails there too, get a fresh copy.',
    ].join(' ');
  }

  /** A frame, packet or page that does not decode. */
  piece(count = 1): void {
    this.#pieces += count;
  }

  /** Bytes that belong to the audio. */
  read(bytes: number): void {
    this.#readBytes += bytes;
  }

  /** Bytes in between that are neither audio nor tags nor padding. */
  skip(bytes: number): void {
    this.#skippedBytes += bytes;
  }

  /** Bytes that were read and could not be decoded after all. */
  lost(bytes: number): void {
    this.#readBytes -= bytes;
    this.#lostBytes += bytes;
  }

  decoded(seconds: number): void {
    this.#seconds += seconds;
  }

  get decodedSeconds(): number {
    return this.#seconds;
  }

  /** Audio that the file announces and does not hold. */
  missing(seconds: number): void {
    this.#missingSeconds += Math.max(0, seconds);
  }

  /** Part of the file that became audio, 0 to 1. */
  get fraction(): number {
    const bytes = this.#readBytes + this.#lostBytes + this.#skippedBytes;
    const seconds = this.#seconds + this.#missingSeconds;
    return (bytes === 0 ? 1 : this.#readBytes / bytes) * (seconds === 0 ? 1 : this.#seconds / seconds);
  }

  /**
   * Tells what was found.
   * @throws AudioError corrupt when less than a tenth of the file could be read
   */
  report(path: string, onWarning: ((message: string) => void) | undefined): void {
    const notes = [...this.#notes];
    if (this.#pieces > 0) notes.push(`${this.#pieces} damaged piece(s) were skipped.`);
    if (this.#skippedBytes > 0)
      notes.push(`${this.#skippedBytes} bytes in between are no audio and were skipped.`);
    if (this.#missingSeconds > 0) {
      const total = this.#seconds + this.#missingSeconds;
      notes.push(`The file is incomplete: ${seconds(this.#seconds)} of ${seconds(total)} s are there.`);
    }
    if (this.fraction < LEAST_READ) {
      const percent = (this.fraction * 100).toFixed(this.fraction < 0.001 ? 3 : 1);
      throw new AudioError('corrupt', `Only ${percent} % of the file could be read: ${path}`, {
        hint: `${notes.join(' ')} Get a fresh copy of the file.`,
      });
    }
    for (const text of notes) onWarning?.(text);
  }
}

function seconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
