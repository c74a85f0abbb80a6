import { AudioError, type AudioContainer, type ExternalDecoder } from '../../models/audio/index.ts';
import { ffmpegDecoder } from './ffmpeg.ts';

/** What Chromium's decoder is asked for. */
const forBrowser: ReadonlySet<AudioContainer> = new Set<AudioContainer>(['m4a', 'aac']);

/**
 * The decoder of the application: Chromium's own for AAC, which needs nothing installed, and a system ffmpeg for all the
 * rest, also for what lies in MP4 and Chromium does not know (ALAC, for one).
 */
export function browserThenFfmpeg(
  browser: ExternalDecoder,
  ffmpeg: ExternalDecoder = ffmpegDecoder,
): ExternalDecoder {
  return async (path, options) => {
    if (!forBrowser.has(options.container)) return ffmpeg(path, options);
    try {
      return await browser(path, options);
    } catch (thrown) {
      options.signal.throwIfAborted();
      try {
        return await ffmpeg(path, options);
      } catch (second) {
        // What ffmpeg says of a file counts; that it is not there does not.
        const missing = second instanceof AudioError && second.code === 'needs-external-decoder';
        throw missing ? thrown : second;
      }
    }
  };
}
