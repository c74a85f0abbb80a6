import { randomBytes } from 'node:crypto';

/** For who streams the file behind a token. */
export { fileToOpen } from '../models/audio/file-name.ts';
/** For who asks for a file. */
export { AUDIO_EXTENSIONS } from '../models/audio/types.ts';

/**
 * Unguessable names for files that a shell may play or show; nothing else of the file system can be asked for. They live
 * as long as the engine; a shell that restarts asks again.
 */
export class MediaTokens {
  readonly #files = new Map<string, { path: string; mime: string }>();
  readonly #tokens = new Map<string, string>();
  readonly #url: (token: string) => string;

  constructor(url: (token: string) => string = (token) => `archetone://audio/${token}`) {
    this.#url = url;
  }

  /** The same file always gets the same token. */
  urlFor(path: string, mime: string): string {
    const key = `${mime}\n${path}`;
    let token = this.#tokens.get(key);
    if (token === undefined) {
      token = randomBytes(16).toString('hex');
      this.#tokens.set(key, token);
      this.#files.set(token, { path, mime });
    }
    return this.#url(token);
  }

  resolve(token: string): { path: string; mime: string } | null {
    return this.#files.get(token) ?? null;
  }
}
