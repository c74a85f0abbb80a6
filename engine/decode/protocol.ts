import * as z from 'zod';
import {
  AudioError,
  type AudioContainer,
  type AudioErrorCode,
  type AudioInfo,
  type Cover,
  type Tags,
} from '../../models/audio/index.ts';
import { EngineError } from '../wire/errors.ts';
import { query, stream } from '../wire/contract.ts';

/** What is known of a file without decoding it. */
export interface ProbeResult {
  /** Null where the headers do not tell rate, channels and length. */
  info: AudioInfo | null;
  tags: Tags;
  cover: Cover | null;
  /** Why a cover that is there was not taken. */
  coverProblem: string | null;
  /** SHA-256 of the whole file, lower-case hex. */
  contentHash: string;
  /** Size of the file. */
  bytes: number;
}

/** One more piece of a file, mono, or what is wrong with a file that still gives audio. */
export type Decoded = { samples: Float32Array } | { warning: string };

/** What a decode worker does, one call at a time. Both begin with a sign of life, which tells that the thread came up. */
export const decodeContract = {
  probe: query<ProbeResult>()(z.strictObject({ path: z.string() })),
  decode: stream<Decoded>({ credit: 4 })(z.strictObject({ path: z.string(), sampleRate: z.number() })),
};
export type DecodeContract = typeof decodeContract;

/** Handed to a new worker. */
export interface DecodeWorkerData {
  memoryMb: number;
}

/** What a decoder threw, for the wire; its code and container go along. */
export function decodeErrorCoding(thrown: unknown): EngineError {
  if (!(thrown instanceof AudioError)) return EngineError.from(thrown);
  const { code, container, message, hint } = thrown;
  return new EngineError('audio', message, hint, { detail: { code, container } });
}

/** Written by {@link decodeErrorCoding} of the same build, nobody else. */
const detailSchema = z.object({
  code: z.custom<AudioErrorCode>((value) => typeof value === 'string'),
  container: z.custom<AudioContainer>((value) => typeof value === 'string').nullable(),
});

/** The inverse of {@link decodeErrorCoding}; what is no error of a file stays as it is. */
export function asAudioError(thrown: unknown): unknown {
  if (!(thrown instanceof EngineError) || thrown.code !== 'audio') return thrown;
  const { code, container } = detailSchema.parse(thrown.detail);
  return new AudioError(code, thrown.message, {
    hint: thrown.hint,
    ...(container === null ? {} : { container }),
  });
}
