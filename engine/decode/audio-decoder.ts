import type { ProbeResult } from './protocol.ts';

export interface DecodeOptions {
  /** Of the output, Hz. */
  sampleRate: number;
  signal: AbortSignal;
  /** Told of damage in a file that still gives audio. */
  onWarning?: (message: string) => void;
}

/** Reads unknown audio files somewhere where that harms nobody. */
export interface AudioDecoder {
  /**
   * Reads format, tags, cover and hash.
   * @throws AudioError for every fault of the file; `signal.reason` on abort; Error when nothing can be read here
   */
  probe(path: string, signal: AbortSignal): Promise<ProbeResult>;
  /**
   * Decodes to mono at `sampleRate`, in pieces of varying length. A slow reader slows the decoder down; leaving the loop
   * early ends it.
   * @throws AudioError for every fault of the file; `signal.reason` within 100 ms of an abort; Error when nothing can be
   * decoded here
   */
  decode(path: string, options: DecodeOptions): AsyncGenerator<Float32Array, void>;
}
