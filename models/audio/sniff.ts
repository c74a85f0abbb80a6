import { AudioError } from './errors.ts';
import { foreignContainer, otherKind } from './foreign.ts';
import { audioLimits } from './limits.ts';
import { findFrames, type FrameHeader } from './mp3/header.ts';
import { foreignOggCodec, oggCodec, type OggCodec } from './ogg/codec-names.ts';
import { readPages } from './ogg/pages.ts';
import type { FileSource } from './source.ts';
import { id3Lengths, tagLength, TAG_HEAD_BYTES } from './tag-blocks.ts';
import type { AudioContainer, AudioFormat } from './types.ts';
import { WAV_MAGICS } from './wav.ts';

/** What a file is, by its content. */
export interface Sniffed {
  format: AudioFormat;
  /** What opens it. */
  container: AudioContainer | 'flac';
  /** First byte after leading tags, padding and, for mp3 and ADTS, junk before the first frame. */
  start: number;
  /** First frame of an mp3 or ADTS stream. */
  frame?: FrameHeader;
  /** Why it is left to another decoder. */
  foreign?: string;
}

/** Junk of this size before the first frame is looked through. */
const SEARCH_BYTES = 1024 * 1024;
const ID3_HEAD_BYTES = 10;
/** Holds three frames of any kind. */
const EXACT_BYTES = 32 * 1024;
/** Holds three packets of a transport stream. */
const HEAD_BYTES = 512;
/** Of tags that can be counted in two ways. */
const MAX_STARTS = 8;

function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

const oggFormats: Record<OggCodec, AudioFormat> = { vorbis: 'ogg', opus: 'opus', flac: 'flac' };

type Recogniser = (
  source: FileSource,
  head: Uint8Array,
  start: number,
) => Sniffed | null | Promise<Sniffed | null>;

/** Kinds with a magic number; the first that knows the head decides. */
const recognisers: readonly Recogniser[] = [
  (_source, head, start) =>
    WAV_MAGICS.includes(ascii(head, 0, 4)) && ascii(head, 8, 4) === 'WAVE'
      ? { format: 'wav', container: 'wav', start }
      : null,
  (_source, head, start) =>
    ascii(head, 0, 4) === 'FORM' && ['AIFF', 'AIFC'].includes(ascii(head, 8, 4))
      ? { format: 'aiff', container: 'aiff', start }
      : null,
  (_source, head, start) =>
    ['.snd', 'dns.'].includes(ascii(head, 0, 4)) ? { format: 'au', container: 'au', start } : null,
  (_source, head, start) =>
    ascii(head, 0, 4) === 'fLaC' ? { format: 'flac', container: 'flac', start } : null,
  (source, head, start) => (ascii(head, 0, 4) === 'OggS' ? sniffOgg(source, start) : null),
  (_source, head, start) =>
    ['ftyp', 'moov', 'mdat', 'wide'].includes(ascii(head, 4, 4)) && (head[0] ?? 1) < 2
      ? { format: 'm4a', container: 'm4a', start }
      : null,
  (_source, head, start) => {
    const found = foreignContainer(head);
    return found && { format: found.container, container: found.container, start, foreign: found.name };
  },
];

async function byMagic(source: FileSource, start: number): Promise<Sniffed | null> {
  const head = await source.read(start, HEAD_BYTES);
  for (const recognise of recognisers) {
    const found = await recognise(source, head, start);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Recognises a file by its content; the name plays no part.
 * @throws AudioError not-audio, corrupt
 */
export async function sniff(source: FileSource): Promise<Sniffed> {
  const starts = await musicStarts(source);
  for (const start of starts) {
    const found = await byMagic(source, start);
    if (found !== null) return found;
  }
  // Right behind the tags, as it should be; otherwise the tags count themselves wrongly, and the music may begin in what
  // they call theirs.
  for (const start of starts) {
    const found = await searchFrames(source, start, EXACT_BYTES);
    if (found?.start === start) return found;
  }
  const tagged = starts.some((start) => start > 0);
  const found = await searchFrames(
    source,
    tagged ? ID3_HEAD_BYTES : 0,
    Math.max(0, ...starts.filter((start) => start < audioLimits.searchedTagBytes)) + SEARCH_BYTES,
  );
  if (found !== null) return found;
  const kind = otherKind(await source.read(starts[0] ?? 0, HEAD_BYTES));
  throw new AudioError(
    'not-audio',
    kind === null
      ? `No audio was recognised in ${source.path}`
      : `The file is ${kind}, whatever its name says: ${source.path}`,
  );
}

/**
 * Where the music may begin: behind the tags, by every way in which their lengths may be meant, the standard's first.
 */
async function musicStarts(source: FileSource): Promise<number[]> {
  const starts = new Set<number>();
  const follow = async (position: number, tags: number): Promise<void> => {
    const head = await source.read(position, TAG_HEAD_BYTES);
    const lengths = id3Lengths(head);
    // Another kind of tag in front of an mp3 counts itself in one way only.
    if (lengths.length === 0 && ascii(head, 0, 8) === 'APETAGEX') lengths.push(tagLength(head));
    if (lengths.length === 0 && position < source.size)
      starts.add(position).add(position + (await zerosAt(source, position)));
    if (tags === audioLimits.tagsInARow || starts.size > MAX_STARTS) return;
    for (const length of lengths) await follow(position + length, tags + 1);
  };
  await follow(0, 0);
  // Nothing behind the tag: it reaches beyond the end of the file.
  if (starts.size === 0) starts.add(Math.min(ID3_HEAD_BYTES, source.size));
  return [...starts];
}

/** Zeros from `position` on, which are padding that a tag did not count; 0 when they do not end. */
async function zerosAt(source: FileSource, position: number): Promise<number> {
  let zeros = 0;
  for (let step = 4096; zeros < audioLimits.gapBytes; step = SEARCH_BYTES) {
    const bytes = await source.read(position + zeros, step);
    if (bytes.length === 0) return 0;
    const end = bytes.findIndex((byte) => byte !== 0);
    if (end >= 0) return zeros + end;
    zeros += bytes.length;
  }
  return 0;
}

/** The first frames of MPEG audio or ADTS within `limit` bytes. */
async function searchFrames(source: FileSource, start: number, limit: number): Promise<Sniffed | null> {
  // Blocks overlap, so that frames across their border are seen.
  const overlap = 32 * 1024;
  for (let from = start; from < Math.min(start + limit, source.size); from += SEARCH_BYTES) {
    const bytes = await source.read(from, Math.min(SEARCH_BYTES, limit) + overlap);
    const frames = findFrames(bytes, from + bytes.length >= source.size);
    if (frames === null) continue;
    const { kind } = frames.header;
    return { format: kind, container: kind, start: from + frames.offset, frame: frames.header };
  }
  return null;
}

/** The first stream that is audio among those that begin together (RFC 3533 §4); others are covers, video, skeletons. */
async function sniffOgg(source: FileSource, start: number): Promise<Sniffed> {
  const never = new AbortController().signal;
  let foreign: string | null = null;
  let pages = 0;
  for await (const page of readPages(source, start, never)) {
    if (!page.beginsStream && pages > 0) break;
    pages++;
    const head = page.parts[0] ?? new Uint8Array(0);
    const codec = oggCodec(head);
    if (codec !== null) return { format: oggFormats[codec], container: 'ogg', start };
    foreign ??= foreignOggCodec(head);
  }
  if (foreign !== null) return { format: 'ogg', container: 'ogg', start, foreign };
  throw new AudioError(
    'unsupported',
    pages === 0
      ? `The first page of this Ogg file is damaged: ${source.path}`
      : `This kind of Ogg file is not supported (it holds no Vorbis, Opus, FLAC or Speex): ${source.path}`,
  );
}
