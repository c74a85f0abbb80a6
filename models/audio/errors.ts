import type { AudioContainer } from './types.ts';

/** Why a file gives no audio. */
export type AudioErrorCode =
  'missing' | 'unreadable' | 'empty' | 'not-audio' | 'unsupported' | 'corrupt' | 'needs-external-decoder';

const hints: Record<AudioErrorCode, string> = {
  missing: 'Check that the file was not moved or renamed, and that its drive is connected.',
  unreadable: 'Check the permissions of the file and that its drive is connected.',
  empty: 'The file may not have been copied completely: copy it again.',
  'not-audio':
    'Only the content counts, not the name: if another program plays it, convert it there to FLAC or WAV; otherwise get a fresh copy.',
  unsupported: 'Convert the file to FLAC, WAV, MP3, Ogg or Opus.',
  corrupt: 'Play the file in another program; if it fails there too, get a fresh copy.',
  'needs-external-decoder':
    'Install ffmpeg (ffmpeg.org, or your package manager) so that it is found on the PATH and import again, or convert the file to FLAC or WAV.',
};

/** A file that cannot be decoded: `message` says what happened, `hint` what to do next. */
export class AudioError extends Error {
  readonly code: AudioErrorCode;
  readonly hint: string;
  /** What the file was recognised as; set with `needs-external-decoder`, for the decoder that follows. */
  readonly container: AudioContainer | null;

  constructor(
    code: AudioErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; container?: AudioContainer } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AudioError';
    this.code = code;
    this.hint = options.hint ?? hints[code];
    this.container = options.container ?? null;
  }
}

/** Maps an operating-system error on `path` to an AudioError; AudioErrors pass through. */
export function fromSystemError(error: unknown, path: string): AudioError {
  if (error instanceof AudioError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new AudioError('missing', `File not found: ${path}`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM') {
    return new AudioError('unreadable', `No permission to read ${path}`, { cause: error });
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new AudioError('unreadable', `Cannot read ${path}: ${detail}`, { cause: error });
}
