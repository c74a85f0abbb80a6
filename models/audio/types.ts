import type { ForeignContainer } from './foreign.ts';

/** Containers and codecs that are told apart by their content. */
export type AudioFormat =
  'wav' | 'aiff' | 'au' | 'flac' | 'mp3' | 'ogg' | 'opus' | 'm4a' | 'aac' | ForeignContainer;

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

/** A piece of decoded audio. */
export interface PcmChunk {
  /** Hz. */
  sampleRate: number;
  /** One array per channel, equal lengths, full scale ±1. */
  channelData: Float32Array[];
}

/** Decoded audio. */
export interface PcmStream {
  /** Of the first piece, Hz. */
  sampleRate: number;
  /** Of the first piece. */
  channels: number;
  /**
   * In order and without gaps; iterate once. Rate and number of channels change where files were put together: every
   * piece tells its own.
   */
  chunks: AsyncIterable<PcmChunk>;
}

/** What a decoder outside this package is told. */
export interface ExternalDecodeOptions {
  /** Aborting ends the decoder. */
  signal: AbortSignal;
  /** What the file was recognised as. */
  container: AudioContainer;
  /** Told of damage in a file that still gives audio. */
  onWarning?: (message: string) => void;
}

/** Containers whose content may need a decoder outside this package. */
export type AudioContainer = 'wav' | 'aiff' | 'au' | 'm4a' | 'aac' | 'ogg' | 'mp3' | ForeignContainer;

/**
 * A decoder outside this package, for what cannot be shipped under a free licence (AAC) or is too rare to carry.
 * @throws AudioError
 */
export type ExternalDecoder = (path: string, options: ExternalDecodeOptions) => Promise<PcmStream>;

/** Options of every decoding function. */
export interface DecodeOptions {
  /** Aborting rejects with `signal.reason` and closes the file. */
  signal: AbortSignal;
  /** Used for m4a, AAC and everything that is not decoded here. */
  external?: ExternalDecoder;
  /** Told when a file is damaged but still gives audio: cut short, or with frames that do not decode. */
  onWarning?: (message: string) => void;
}

/** File-name endings worth offering to the decoder (lower case, with dot). The content decides, not the name. */
export const AUDIO_EXTENSIONS: readonly string[] = [
  ...['.wav', '.wave', '.bwf', '.rf64', '.w64', '.aif', '.aiff', '.aifc', '.au', '.snd', '.caf'],
  ...['.flac', '.ape', '.wv', '.tta', '.tak', '.shn', '.dsf', '.dff'],
  ...[
    '.mp3',
    '.mp2',
    '.mp1',
    '.mpga',
    '.mpc',
    '.wma',
    '.ac3',
    '.dts',
    '.amr',
    '.ra',
    '.voc',
    '.sph',
    '.nist',
  ],
  ...['.ogg', '.oga', '.opus', '.spx', '.m4a', '.m4b', '.mp4', '.aac', '.mka', '.weba'],
];
