import { decodeMono, LONGEST_SECONDS, type DecodedSound } from './sound.ts';
import type { PlayerSource } from './sources.ts';

/** The played sound in memory, for drawings and levels, once somebody needs it. */
export class Samples {
  decoded = $state.raw<DecodedSound | null>(null);
  #decoding: { key: string; sound: Promise<DecodedSound | null>; stop: AbortController } | null = null;

  /** Decodes a sound once. @returns null for one that is too long, or cannot be decoded */
  async need(source: PlayerSource | null, durationSeconds: number): Promise<DecodedSound | null> {
    if (!source || (durationSeconds || source.durationSeconds) > LONGEST_SECONDS) return null;
    if (this.#decoding?.key !== source.key) {
      const stop = new AbortController();
      const sound = decodeMono(source.url, stop.signal).catch((thrown: unknown) => {
        // The sound itself reports when it cannot be played; a missing drawing is no trouble of its own.
        if (!stop.signal.aborted) console.warn('not decoded', thrown);
        return null;
      });
      this.#decoding = { key: source.key, sound, stop };
      void sound.then((done) => {
        if (this.#decoding?.sound === sound) this.decoded = done;
      });
    }
    return this.#decoding.sound;
  }

  /** A sound that nobody sees any more is not decoded to its end. */
  forget(): void {
    this.#decoding?.stop.abort();
    this.#decoding = null;
    this.decoded = null;
  }
}
