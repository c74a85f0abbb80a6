import {
  AudioError,
  type AudioContainer,
  type AudioErrorCode,
  type AudioInfo,
  type Cover,
  type Tags,
} from '../../models/audio/index.ts';

/** What is known of a file without decoding it. */
export interface ProbeResult {
  /** Null where the headers do not tell rate, channels and length. */
  info: AudioInfo | null;
  tags: Tags;
  cover: Cover | null;
  /** SHA-256 of the whole file, lower-case hex. */
  contentHash: string;
  /** Size of the file. */
  bytes: number;
}

/** Host to worker. One job at a time; `id` tells late messages of an earlier job apart. */
export type DecodeRequest =
  | { type: 'probe'; id: number; path: string }
  | { type: 'decode'; id: number; path: string; sampleRate: number; credits: number }
  | { type: 'credit'; id: number }
  | { type: 'cancel'; id: number };

export interface WireError {
  code: AudioErrorCode | 'cancelled';
  message: string;
  hint: string;
  /** What the file was recognised as, where another decoder is needed. */
  container: AudioContainer | null;
}

/** Worker to host. Every job ends with exactly one of `probed`, `end` and `failed`. */
export type DecodeReply =
  | { type: 'ready' }
  | { type: 'progress'; id: number }
  | { type: 'warning'; id: number; message: string }
  | { type: 'chunk'; id: number; samples: Float32Array }
  | { type: 'probed'; id: number; result: ProbeResult }
  | { type: 'end'; id: number }
  | { type: 'failed'; id: number; error: WireError };

/** Handed to a new worker. */
export interface DecodeWorkerData {
  memoryMb: number;
}

/** Anything that a decoder threw, in a form that crosses threads: a fault that is not named is damage of the file. */
export function toWireError(error: unknown, path: string): WireError {
  const named =
    error instanceof AudioError
      ? error
      : new AudioError(
          'corrupt',
          `Decoding failed (${error instanceof Error ? error.message : String(error)}): ${path}`,
        );
  const { code, message, hint, container } = named;
  return { code, message, hint, container };
}

/** The inverse of {@link toWireError}. */
export function fromWireError(error: WireError): Error {
  if (error.code === 'cancelled') return new DOMException(error.message, 'AbortError');
  const { code, message, hint, container } = error;
  return new AudioError(code, message, { hint, ...(container === null ? {} : { container }) });
}
