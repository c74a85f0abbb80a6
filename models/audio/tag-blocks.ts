import { audioLimits } from './limits.ts';
import type { FileSource } from './source.ts';

/** Tags around and between the frames of MPEG audio: how far they reach, so that they can be skipped. */

function begins(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

function size32(bytes: Uint8Array, offset: number, bits: 7 | 8): number {
  let size = 0;
  for (let i = 0; i < 4; i++) size = size * 2 ** bits + ((bytes[offset + i] ?? 0) & (2 ** bits - 1));
  return size;
}

/**
 * Lengths that an ID3v2 tag at the beginning of `bytes` may have: as the standard counts (ID3v2.4 §3.1: four digits of
 * seven bits, footer apart) and as some programs write it (plain 32 bits). Empty when there is none.
 */
export function id3Lengths(bytes: Uint8Array): number[] {
  if (bytes.length < 10 || !begins(bytes, 'ID3')) return [];
  const footer = ((bytes[5] ?? 0) & 0x10) !== 0 ? 10 : 0;
  const proper = 10 + size32(bytes, 6, 7) + footer;
  const plain = 10 + size32(bytes, 6, 8) + footer;
  return plain === proper ? [proper] : [proper, plain];
}

const APE_BYTES = 32;

/** Lyrics3: text up to its end mark, as far as `bytes` reach. */
function lyricsLength(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ends = ['LYRICSEND', 'LYRICS200'].map((mark) => text.indexOf(mark)).filter((at) => at >= 0);
  return ends.length === 0 ? 11 : Math.min(...ends) + 9;
}

const kinds: readonly [magic: string, length: (bytes: Uint8Array) => number][] = [
  ['ID3', (bytes) => id3Lengths(bytes)[0] ?? 10],
  ['TAG+', () => 227],
  ['TAG', () => 128],
  // Little-endian size of items and footer, without the header.
  ['APETAGEX', (bytes) => APE_BYTES + size32(bytes.slice(12, 16).reverse(), 0, 8)],
  ['LYRICSBEGIN', lyricsLength],
];

/** Where the file ends without the tags behind the music (ID3v1, APE). */
export async function endWithoutTags(source: FileSource): Promise<number> {
  let end = source.size;
  for (let tags = 0; tags < 4; tags++) {
    const tail = await source.read(Math.max(0, end - 128), Math.min(128, end));
    const footer = tail.subarray(-APE_BYTES);
    if (tail.length === 128 && begins(tail, 'TAG')) end -= 128;
    // The size in the footer counts items and footer; a flag tells whether there is a header of the same size, too.
    else if (begins(footer, 'APETAGEX'))
      end -=
        size32(footer.slice(12, 16).reverse(), 0, 8) + (((footer[23] ?? 0) & 0x80) !== 0 ? APE_BYTES : 0);
    else break;
    if (end <= 0) return source.size;
  }
  return end;
}

/** Bytes from which {@link tagLength} tells that there is a tag; lyrics end further on. */
export const TAG_HEAD_BYTES = 32;

/** Length of the tag at the beginning of `bytes`; 0 when there is none. */
export function tagLength(bytes: Uint8Array): number {
  const kind = kinds.find(([magic]) => begins(bytes, magic));
  const length = kind?.[1](bytes) ?? 0;
  return length > audioLimits.tagBytes ? TAG_HEAD_BYTES : length;
}
