/** Audio front-end: decoding, mono mix, resampling, windows, peaks, tags and WAV output. */
export { decodeMono, decodePcm, toMono } from './decode.ts';
export { encodeWav } from './encode-wav.ts';
export { AudioError, fromSystemError, type AudioErrorCode } from './errors.ts';
export { audioLimits } from './limits.ts';
export { escapedName, fileToOpen } from './file-name.ts';
export { mixToMono } from './mono.ts';
export { PeakAccumulator } from './peaks.ts';
export { isPlain } from './plain.ts';
export { Resampler } from './resampler.ts';
export { coverBeside } from './cover-beside.ts';
export { pictureKind, type PictureKind } from './picture.ts';
export { MAX_COVER_BYTES, readTags, type Cover, type Tags } from './tags.ts';
export {
  AUDIO_EXTENSIONS,
  type AudioContainer,
  type AudioFormat,
  type AudioInfo,
  type DecodeOptions,
  type ExternalDecodeOptions,
  type ExternalDecoder,
  type PcmChunk,
  type PcmStream,
} from './types.ts';
export { cutWindows, type AudioWindow } from './windows.ts';
