import { encodeWav } from '../../models/audio/encode-wav.ts';
import type { AudioDecoder } from './audio-decoder.ts';

/** Cuts windows out of audio files, as WAV. */
export class ExcerptCutter {
  readonly #decoder: AudioDecoder;
  readonly #sampleRate: number;
  readonly #windowSeconds: number;

  /** @param sampleRate Hz of the excerpts: that of the pack, so that one hears what the encoder hears. */
  constructor(decoder: AudioDecoder, sampleRate: number, windowSeconds: number) {
    this.#decoder = decoder;
    this.#sampleRate = sampleRate;
    this.#windowSeconds = windowSeconds;
  }

  /**
   * The window that starts at `startSeconds`, shorter where the file ends.
   * @throws AudioError; the signal's reason
   */
  async cut(path: string, startSeconds: number, signal: AbortSignal): Promise<Uint8Array> {
    const first = Math.round(startSeconds * this.#sampleRate);
    const samples = new Float32Array(Math.round(this.#windowSeconds * this.#sampleRate));
    let position = 0;
    let filled = 0;
    for await (const chunk of this.#decoder.decode(path, { sampleRate: this.#sampleRate, signal })) {
      const from = Math.max(0, first - position);
      const part = chunk.subarray(from, from + samples.length - filled);
      samples.set(part, filled);
      filled += part.length;
      position += chunk.length;
      if (filled === samples.length) break;
    }
    return encodeWav(samples.subarray(0, filled), this.#sampleRate, 'pcm16');
  }
}
