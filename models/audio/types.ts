/** Containers and codecs that are told apart by their content. */
export type AudioFormat = 'wav' | 'aiff' | 'flac' | 'mp3' | 'ogg' | 'opus' | 'm4a' | 'aac';

/** What is known of a file before it is decoded. */
export interface AudioInfo {
  format: AudioFormat;
  /** Hz. */
  sampleRate: number;
  /** At least 1. */
  channels: number;
  /** Seconds, at least 0. */
  durationSeconds: number;
}

/** Decoded audio, in order and without gaps. Iterate `chunks` once. */
export interface PcmStream {
  /** Hz. */
  sampleRate: number;
  channels: number;
  /** One Float32Array per channel, equal lengths, full scale ±1. */
  chunks: AsyncIterable<Float32Array[]>;
}

/**
 * A decoder outside this package, for what cannot be shipped under a free licence (AAC) or is too rare to carry.
 * @throws AudioError
 */
export type ExternalDecoder = (path: string, signal: AbortSignal) => Promise<PcmStream>;

/** Options of every decoding function. */
export interface DecodeOptions {
  /** Aborting rejects with `signal.reason` and closes the file. */
  signal: AbortSignal;
  /** Used for m4a, AAC and rare codecs inside WAV and AIFF-C. */
  external?: ExternalDecoder;
  /** Told when a file is damaged but still gives audio: cut short, or with frames that do not decode. */
  onWarning?: (message: string) => void;
}

/** File-name endings worth offering to the decoder (lower case, with dot). The content decides, not the name. */
export const AUDIO_EXTENSIONS: readonly string[] = [
  '.wav',
  '.wave',
  '.aif',
  '.aiff',
  '.aifc',
  '.flac',
  '.mp3',
  '.mp2',
  '.ogg',
  '.oga',
  '.opus',
  '.m4a',
  '.mp4',
  '.aac',
];
