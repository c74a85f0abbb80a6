import { AudioError } from './errors.ts';
import { findFrames, xingSamples, type FrameHeader } from './mpeg.ts';
import type { FileSource } from './source.ts';
import type { AudioFormat } from './types.ts';

/** What a file is, by its first bytes. */
export interface Sniffed {
  format: AudioFormat;
  /** Codec inside an Ogg container; otherwise the format itself. */
  codec: AudioFormat | 'vorbis';
  /** First byte after leading ID3v2 tags and, for mp3 and ADTS, after junk before the first frame. */
  start: number;
  /** First frame of an mp3 or ADTS stream. */
  frame?: FrameHeader;
  /** Samples per channel that the stream says it has. */
  expectedSamples?: number;
}

const HEAD_BYTES = 64 * 1024;
/** Nested tags are a mistake of tagging programs; more than a few is not a music file. */
const MAX_TAGS = 8;

function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

/** Known kinds of files that this program does not decode, so that the message can name them. */
const foreign: readonly [name: string, matches: (head: Uint8Array) => boolean][] = [
  ['Matroska or WebM', (h) => ascii(h, 0, 4) === '\x1aE\xdf\xa3'],
  ['Windows Media', (h) => ascii(h, 0, 4) === '0&\xb2u'],
  ['Core Audio Format', (h) => ascii(h, 0, 4) === 'caff'],
  ['Monkey’s Audio', (h) => ascii(h, 0, 4) === 'MAC '],
  ['WavPack', (h) => ascii(h, 0, 4) === 'wvpk'],
  ['Musepack', (h) => ascii(h, 0, 3) === 'MP+' || ascii(h, 0, 4) === 'MPCK'],
  ['True Audio', (h) => ascii(h, 0, 4) === 'TTA1'],
  ['DSD', (h) => ascii(h, 0, 4) === 'DSD ' || ascii(h, 0, 4) === 'FRM8'],
  ['MIDI', (h) => ascii(h, 0, 4) === 'MThd'],
  ['AMR', (h) => ascii(h, 0, 5) === '#!AMR'],
  ['AU', (h) => ascii(h, 0, 4) === '.snd'],
  ['AVI', (h) => ascii(h, 0, 4) === 'RIFF' && ascii(h, 8, 4) === 'AVI '],
  ['Wave64', (h) => ascii(h, 0, 4) === 'riff'],
];

/**
 * Recognises a file by its content; the name plays no part.
 * @throws AudioError not-audio, unsupported
 */
export async function sniff(source: FileSource): Promise<Sniffed> {
  const start = await skipId3(source);
  const head = await source.read(start, HEAD_BYTES);
  const magic = ascii(head, 0, 4);
  const kind = ascii(head, 8, 4);
  if ((magic === 'RIFF' || magic === 'RF64') && kind === 'WAVE')
    return { format: 'wav', codec: 'wav', start };
  if (magic === 'FORM' && (kind === 'AIFF' || kind === 'AIFC'))
    return { format: 'aiff', codec: 'aiff', start };
  if (magic === 'fLaC') return { format: 'flac', codec: 'flac', start, ...flacSamples(head) };
  if (magic === 'OggS') return sniffOgg(source, head, start);
  if (ascii(head, 4, 4) === 'ftyp') return { format: 'm4a', codec: 'm4a', start };
  const name = foreign.find(([, matches]) => matches(head))?.[0];
  if (name !== undefined)
    throw new AudioError('unsupported', `${name} files are not supported: ${source.path}`);
  const frames = findFrames(head, start + head.length >= source.size);
  if (frames === null) throw new AudioError('not-audio', `No audio was recognised in ${source.path}`);
  const { offset, header } = frames;
  const expectedSamples =
    header.kind === 'mp3' ? xingSamples(head.subarray(offset, offset + header.length)) : null;
  const found: Sniffed = { format: header.kind, codec: header.kind, start: start + offset, frame: header };
  return expectedSamples === null ? found : { ...found, expectedSamples };
}

/** ID3v2 §3.1: ten bytes of header, size as four 7-bit digits, optional footer. */
async function skipId3(source: FileSource): Promise<number> {
  let position = 0;
  for (let tags = 0; tags < MAX_TAGS; tags++) {
    const head = await source.read(position, 10);
    if (head.length < 10 || ascii(head, 0, 3) !== 'ID3') break;
    let size = 0;
    for (const byte of head.subarray(6, 10)) size = size * 128 + (byte & 0x7f);
    position += 10 + size + (((head[5] ?? 0) & 0x10) !== 0 ? 10 : 0);
  }
  return position;
}

/** STREAMINFO: 36-bit count of samples at byte 21.5 of the file; 0 means unknown. */
function flacSamples(head: Uint8Array): { expectedSamples?: number } {
  if (head.length < 26) return {};
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const count = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
  return count > 0 ? { expectedSamples: count } : {};
}

function sniffOgg(source: FileSource, head: Uint8Array, start: number): Sniffed {
  const body = 27 + (head[26] ?? 0);
  if (ascii(head, body, 8) === 'OpusHead') return { format: 'opus', codec: 'opus', start };
  if (ascii(head, body, 7) === '\x01vorbis') return { format: 'ogg', codec: 'vorbis', start };
  if (ascii(head, body, 5) === '\x7fFLAC') return { format: 'flac', codec: 'flac', start };
  throw new AudioError(
    'unsupported',
    `This kind of Ogg file is not supported (only Vorbis, Opus and FLAC): ${source.path}`,
  );
}
