/** Decoding of unknown files in workers that can be killed. */
export { browserThenFfmpeg } from './choose-external.ts';
export { createFfmpegDecoder, ffmpegDecoder } from './ffmpeg.ts';
export { DecodePool, type DecodePoolOptions, type PoolDecodeOptions } from './pool.ts';
export type { ProbeResult } from './protocol.ts';
export { decodeLimits, type DecodeLimits } from './limits.ts';
