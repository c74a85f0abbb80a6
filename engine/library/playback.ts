import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { AudioError, encodeWav, fileToOpen, isPlain } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';
import type { MediaTokens } from '../media.ts';
import type { Library } from './library.ts';
import { limitFolder, touch } from '../files/limit-folder.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { storageError } from '../storage/errors.ts';

/** What Chromium plays by itself, by what the file is, else by how it is called. */
const playable: Record<string, string> = {
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  m4a: 'audio/mp4',
};
/** Folder of the copies inside a library's data folder. */
export const COPIES_FOLDER = 'transcodes';
/** Of copies of files whose own rate nobody noted. */
const UNKNOWN_RATE = 44_100;
const WAV_HEADER_BYTES = 44;
const LARGEST_WAV_SAMPLES = (0xffffffff - WAV_HEADER_BYTES) / 2;

/**
 * Gives tracks to the player. What it cannot play, or would play otherwise than it was heard here (files put together,
 * headers that are wrong, damage), is decoded once into a WAV file beside the library's cache.
 */
export class Playback {
  readonly #decode: AudioDecoder;
  readonly #media: MediaTokens;
  readonly #limit: () => number;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  /** @param limit bytes that the copies of one library may take, asked whenever one was made */
  constructor(decode: AudioDecoder, media: MediaTokens, limit: () => number) {
    this.#decode = decode;
    this.#limit = limit;
    this.#media = media;
  }

  /** @throws EngineError `not-found`, `unreadable`, `audio`, `disk-full` */
  async urlOf(library: Library, trackId: string): Promise<string> {
    const row = library.tracks.file(trackId);
    const path = library.absolutePath(row.path);
    if (!existsSync(fileToOpen(path))) {
      throw new EngineError(
        'unreadable',
        `${path} is not there.`,
        'Connect its drive, or import the library again if the file moved.',
      );
    }
    const format = row.format ?? extname(row.path).slice(1).toLowerCase();
    const mime = playable[format];
    if (mime !== undefined && row.note === null && (await playsAlike(path))) {
      return this.#media.urlFor(path, mime);
    }
    const copy = join(library.cacheFolder, COPIES_FOLDER, `${row.contentHash ?? trackId}.wav`);
    await this.#copyOnce(path, copy, row.sampleRate ?? UNKNOWN_RATE);
    return this.#media.urlFor(copy, 'audio/wav');
  }

  /**
   * The same of a file that is in no library.
   * @param folder of the copies, named by what they are made of
   * @throws EngineError `unreadable`, `audio`, `disk-full`
   */
  async urlOfFile(path: string, folder: string): Promise<string> {
    const facts = await stat(fileToOpen(path)).catch(() => null);
    if (!facts?.isFile())
      throw new EngineError('unreadable', `${path} is not there.`, 'Connect its drive, or put it back.');
    const mime = playable[extname(path).slice(1).toLowerCase()];
    if (mime !== undefined && (await playsAlike(path))) return this.#media.urlFor(path, mime);
    // Nobody tells when it changes: the copy is of what it is now.
    const version = `${path}\n${String(facts.size)}\n${String(facts.mtimeMs)}`;
    const copy = join(folder, `${createHash('sha256').update(version).digest('hex').slice(0, 32)}.wav`);
    await this.#copyOnce(path, copy, UNKNOWN_RATE);
    return this.#media.urlFor(copy, 'audio/wav');
  }

  /** Stops what is being decoded. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #copyOnce(path: string, copy: string, sampleRate: number): Promise<void> {
    if (existsSync(copy)) return touch(copy);
    const running = this.#running.get(copy) ?? this.#transcode(path, copy, sampleRate);
    this.#running.set(copy, running);
    try {
      await running;
    } finally {
      this.#running.delete(copy);
    }
  }

  async #transcode(path: string, copy: string, sampleRate: number): Promise<void> {
    const draft = `${copy}.part`;
    try {
      await mkdir(join(copy, '..'), { recursive: true });
      await this.#writeWav(path, draft, Math.min(sampleRate, 48_000));
      await rename(draft, copy);
      await limitFolder(dirname(copy), this.#limit(), copy);
    } catch (thrown) {
      await rm(draft, { force: true });
      if (thrown instanceof AudioError) {
        throw new EngineError('audio', thrown.message, thrown.hint, { cause: thrown });
      }
      throw storageError(thrown, copy);
    }
  }

  /** Streams: an hour of sound must not lie in memory. The header is written last, when the length is known. */
  async #writeWav(path: string, draft: string, sampleRate: number): Promise<void> {
    const file = await open(draft, 'w');
    try {
      let samples = 0;
      await file.write(new Uint8Array(WAV_HEADER_BYTES));
      for await (const chunk of this.#decode.decode(path, { sampleRate, signal: this.#stop.signal })) {
        const part = chunk.subarray(0, Math.max(0, LARGEST_WAV_SAMPLES - samples));
        await file.write(encodeWav(part, sampleRate, 'pcm16').subarray(WAV_HEADER_BYTES));
        samples += part.length;
      }
      const header = encodeWav(new Float32Array(0), sampleRate, 'pcm16');
      const view = new DataView(header.buffer, header.byteOffset);
      view.setUint32(4, WAV_HEADER_BYTES - 8 + samples * 2, true);
      view.setUint32(WAV_HEADER_BYTES - 4, samples * 2, true);
      await file.write(header, 0, WAV_HEADER_BYTES, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Whether Chromium plays the file as it was decoded here. */
async function playsAlike(path: string): Promise<boolean> {
  try {
    return await isPlain(path);
  } catch (thrown) {
    if (thrown instanceof AudioError) return false;
    throw thrown;
  }
}
