export { audioLimits } from '../../models/audio/limits.ts';

/** How far the decoding of one file may go; what may be in the file is `audioLimits`. */
export interface DecodeLimits {
  /** Milliseconds of work on one file; the time in which nobody wants the next chunk does not count. */
  timeoutMs: number;
  /** Milliseconds of work without any sign of life. */
  idleTimeoutMs: number;
  /** Megabytes of memory of one worker. */
  memoryMb: number;
}

/** An hour of MP3 decodes in well under a minute; what takes longer than this is broken or meant to be. */
export const decodeLimits: DecodeLimits = { timeoutMs: 10 * 60_000, idleTimeoutMs: 30_000, memoryMb: 512 };
