import { openAsBlob } from 'node:fs';
import { parseBlob, parseBuffer, type IAudioMetadata } from 'music-metadata';
import { fileToOpen } from './file-name.ts';
import { pictureKind } from './picture.ts';
import { readInfo } from './info.ts';
import { hasTooManyChunks } from './riff.ts';
import { sniff, type Sniffed } from './sniff.ts';
import { FileSource, READ_BYTES } from './source.ts';
import type { AudioFormat, AudioInfo } from './types.ts';

/** What the tags of a file say; null or empty where they say nothing. */
export interface Tags {
  title: string | null;
  artist: string | null;
  album: string | null;
  year: number | null;
  genre: string[];
  track: number | null;
  /** Beats per minute, above 0. */
  bpm: number | null;
  /** Musical key as written in the tag, such as `Am`. */
  key: string | null;
  comment: string | null;
}

/** An embedded picture. */
export interface Cover {
  /** For example `image/png`. */
  mime: string;
  data: Uint8Array;
}

/** Larger pictures are left out: a thumbnail does not need them, and a thousand of them fill the memory. */
export const MAX_COVER_BYTES = 4 * 1024 * 1024;

/** A cover, or why one that is there was not taken; neither where there is none. */
export interface FoundCover {
  cover: Cover | null;
  /** A sentence for people. */
  problem: string | null;
}

/** What is said of covers that are not taken, behind what they are. */
export const noPicture = 'is no JPEG, PNG, WebP or GIF.';
export const tooLarge = (bytes: number): string =>
  `has ${(bytes / 2 ** 20).toFixed(1)} MiB; covers of up to ${MAX_COVER_BYTES / 2 ** 20} MiB are taken.`;
/** Longer texts are cut: no real title or comment needs more, and tags of unknown files may hold anything. */
const MAX_TEXT = 2000;
const MAX_GENRES = 32;

/** What the tag reader knows; the other kinds are recognised, but their tags are not read. */
const mimes: Partial<Record<AudioFormat, string>> = {
  wav: 'audio/wav',
  aiff: 'audio/aiff',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  m4a: 'audio/mp4',
  aac: 'audio/aacp',
  wma: 'audio/x-ms-wma',
  ape: 'audio/ape',
  wavpack: 'audio/wavpack',
  musepack7: 'audio/musepack',
  musepack8: 'audio/musepack',
  dsf: 'audio/dsf',
  dff: 'audio/dsdiff',
  matroska: 'audio/matroska',
};

function text(value: string | undefined): string | null {
  const trimmed = value?.replaceAll('\0', ' ').trim().slice(0, MAX_TEXT) ?? '';
  return trimmed === '' ? null : trimmed;
}

function positive(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** Artists of ID3v2.2 and 2.3 by the name of their frame. */
const ARTIST_FRAMES: Readonly<Record<string, string>> = { 'ID3v2.2': 'TP1', 'ID3v2.3': 'TPE1' };

/**
 * The artist as written. ID3v2.3 says that a slash parts artists, so the reader splits there; but nobody writes it so, and
 * AC/DC is one. Where the file has zeros between artists, those part them.
 */
function artistOf({ common, native, quality }: IAudioMetadata): string | undefined {
  for (const [version, frame] of Object.entries(ARTIST_FRAMES)) {
    const values = (native[version] ?? []).flatMap(({ id, value }) =>
      id === frame && typeof value === 'string' ? [value] : [],
    );
    const isParted = quality.warnings.some(({ message }) => message.includes(`${frame} uses non standard`));
    if (values.length > 1 && !isParted && common.artists?.includes(values[0] ?? '')) return values.join('/');
  }
  return common.artist;
}

function toTags(metadata: IAudioMetadata): Tags {
  const { common } = metadata;
  const genres = (common.genre ?? []).flatMap((genre) => genre.split(/[;\0]/)).map((genre) => text(genre));
  return {
    title: text(common.title),
    artist: text(artistOf(metadata)),
    album: text(common.album),
    year: positive(common.year),
    genre: [...new Set(genres.filter((genre) => genre !== null))].slice(0, MAX_GENRES),
    track: positive(common.track.no),
    bpm: positive(common.bpm),
    key: text(common.key),
    comment: text(common.comment?.find((comment) => text(comment.text) !== null)?.text),
  };
}

function toCover(common: IAudioMetadata['common']): FoundCover {
  const pictures = (common.picture ?? []).filter(({ data }) => data.length > 0);
  const fitting = pictures.filter(({ data }) => data.length <= MAX_COVER_BYTES);
  const picture = fitting.find(({ data }) => pictureKind(data) !== null);
  if (picture) return { cover: { mime: picture.format, data: Uint8Array.from(picture.data) }, problem: null };
  const [first] = pictures;
  if (first === undefined) return { cover: null, problem: null };
  const problem = fitting.length > 0 ? noPicture : tooLarge(first.data.length);
  return { cover: null, problem: `The cover in its tags ${problem}` };
}

async function parseTags(source: FileSource, { format, container }: Sniffed): Promise<IAudioMetadata | null> {
  const type = container === 'ogg' ? 'audio/ogg' : mimes[format];
  if (type === undefined) return null;
  // The tag reader goes through all of them, one by one.
  if ((format === 'wav' || format === 'aiff') && (await hasTooManyChunks(source))) return null;
  try {
    // Each of the many small reads from a blob is a trip to another thread.
    if (source.size <= READ_BYTES)
      return await parseBuffer(await source.read(0, source.size), { mimeType: type, size: source.size });
    return await parseBlob(await openAsBlob(fileToOpen(source.path), { type }));
  } catch {
    return null; // Broken tags do not make a file unplayable.
  }
}

const noTags: Tags = {
  title: null,
  artist: null,
  album: null,
  year: null,
  genre: [],
  track: null,
  bpm: null,
  key: null,
  comment: null,
};

/**
 * Reads format, tags and cover of a file without decoding it. Run it where it can be stopped: tag readers have had
 * endless loops on hostile files.
 * @returns `coverProblem` why a cover that is there was not taken; `info` null where the headers do not tell rate, channels and
 * length; empty tags where they are broken
 * @throws AudioError missing, unreadable, empty, not-audio, unsupported
 */
export async function readTags(
  path: string,
): Promise<{ info: AudioInfo | null; tags: Tags; cover: Cover | null; coverProblem: string | null }> {
  const source = await FileSource.open(path);
  try {
    const sniffed = await sniff(source);
    const parsed = await parseTags(source, sniffed);
    const info = await readInfo(source, sniffed, parsed?.format ?? null);
    if (parsed === null) return { info, tags: { ...noTags, genre: [] }, cover: null, coverProblem: null };
    const { cover, problem } = toCover(parsed.common);
    return { info, tags: toTags(parsed), cover, coverProblem: problem };
  } finally {
    await source.close();
  }
}
