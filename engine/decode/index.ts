/** Decoding of unknown files in workers that can be killed. */
export type { AudioDecoder, DecodeOptions } from './audio-decoder.ts';
export { createFfmpegDecoder, ffmpegDecoder, isContainer } from './ffmpeg.ts';
export { DecodePool, type DecodePoolOptions } from './pool.ts';
export type { ProbeResult } from './protocol.ts';
export { decodeLimits, type DecodeLimits } from './limits.ts';
