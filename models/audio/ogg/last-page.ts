import type { FileSource } from '../source.ts';

/** A page is at most 65 307 bytes (RFC 3533 §6). */
const MAX_PAGE_BYTES = 65_307;
const HEADER_BYTES = 27;

/** The last page header of an Ogg file. */
export interface LastPage {
  /** Where the page starts in the file. */
  start: number;
  /** Whether all of it is in the file. */
  complete: boolean;
  endOfStream: boolean;
  /** Tells streams apart. */
  serial: number;
  /** Samples up to the end of this page, as the codec counts them. */
  granule: number;
}

/** The last page of an Ogg file, complete or not; null when no page starts near the end. */
export async function lastOggPage(source: FileSource): Promise<LastPage | null> {
  const from = Math.max(0, source.size - MAX_PAGE_BYTES);
  const tail = await source.read(from, MAX_PAGE_BYTES);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let i = tail.length - HEADER_BYTES; i >= 0; i--) {
    if (view.getUint32(i) !== 0x4f676753) continue; // “OggS”
    const segments = view.getUint8(i + 26);
    const body = tail
      .subarray(i + HEADER_BYTES, i + HEADER_BYTES + segments)
      .reduce((sum, size) => sum + size, 0);
    return {
      start: from + i,
      complete: i + HEADER_BYTES + segments + body <= tail.length,
      endOfStream: (view.getUint8(i + 5) & 4) !== 0,
      serial: view.getUint32(i + 14, true),
      granule: Number(view.getBigInt64(i + 6, true)),
    };
  }
  return null;
}
