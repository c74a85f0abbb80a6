import { encodeWav } from '../../models/audio/encode-wav.ts';
import type { AudioDecoder } from './audio-decoder.ts';
import { cutSamples } from './cut.ts';

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
    const samples = await cutSamples(
      this.#decoder,
      path,
      { startSeconds, seconds: this.#windowSeconds },
      { sampleRate: this.#sampleRate, signal },
    );
    return encodeWav(samples, this.#sampleRate, 'pcm16');
  }
}
