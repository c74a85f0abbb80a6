import type { Damage } from '../damage.ts';
import { audioLimits } from '../limits.ts';
import type { FileSource } from '../source.ts';

/** Size of a page header before its table of segments (RFC 3533 §6). */
const HEADER_BYTES = 27;
/** A page is at most 65 307 bytes. */
const MAX_PAGE_BYTES = HEADER_BYTES + 255 + 255 * 255;
const CAPTURE = Buffer.from('OggS');
/** Read at a time while looking for pages. */
const BLOCK_BYTES = 128 * 1024;
/** No damage looks like a page more often than this; each false one costs the checksum of 64 KiB. */
const MAX_FALSE_PAGES = 4096;

/** One page of an Ogg file whose checksum is right. */
export interface OggPage {
  serial: number;
  sequence: number;
  /** Samples up to the end of the last packet that ends here, as the codec counts them; null when none ends here. */
  granule: number | null;
  beginsStream: boolean;
  endsStream: boolean;
  /** The first segment goes on with a packet of the page before. */
  continued: boolean;
  /** Content, cut into packets; the last one may go on in the next page. */
  parts: Uint8Array[];
  /** Whether the last part ends its packet. */
  complete: boolean;
  /** Size of the whole page in bytes. */
  bytes: number;
}

// CRC-32 with the polynomial 0x04c11db7, neither reflected nor inverted.
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80000000) !== 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** Checksum of a page; its own field (bytes 22 to 25) counts as zero. */
function pageChecksum(page: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (page[i] ?? 0);
    crc = ((crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  }
  return crc;
}

/** The page at the beginning of `bytes`; null when none is there, or when it is cut short or damaged. */
function parsePage(bytes: Uint8Array): OggPage | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x4f676753 || view.getUint8(4) !== 0) return null;
  const segments = view.getUint8(26);
  const table = bytes.subarray(HEADER_BYTES, HEADER_BYTES + segments);
  const start = HEADER_BYTES + segments;
  const end = table.reduce((sum, size) => sum + size, start);
  if (end > bytes.length || pageChecksum(bytes.subarray(0, end)) !== view.getUint32(22, true)) return null;
  const parts: Uint8Array[] = [];
  let from = start;
  let to = start;
  for (const size of table) {
    to += size;
    if (size === 255) continue;
    parts.push(bytes.subarray(from, to));
    from = to;
  }
  const complete = segments === 0 || table[segments - 1] !== 255;
  if (!complete) parts.push(bytes.subarray(from, to));
  const flags = view.getUint8(5);
  const granule = view.getBigInt64(6, true);
  return {
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    granule: granule < 0n ? null : Number(granule),
    beginsStream: (flags & 2) !== 0,
    endsStream: (flags & 4) !== 0,
    continued: (flags & 1) !== 0,
    parts,
    complete,
    bytes: end,
  };
}

/** The pages of a file from `start` on, in order; what is no page is skipped and counted as damage. */
export async function* readPages(
  source: FileSource,
  start: number,
  signal: AbortSignal,
  damage?: Damage,
): AsyncGenerator<OggPage, void> {
  let buffer = Buffer.alloc(0);
  let offset = 0;
  let position = start;
  let skipped = 0;
  let falsePages = 0;
  const found = (): void => {
    if (skipped > 0) damage?.skip(skipped);
    skipped = 0;
  };
  const giveUp = (why: string): void => {
    damage?.note(why);
    damage?.skip(skipped + buffer.length - offset + source.size - position);
  };
  for (;;) {
    // The next page is whole in the buffer, or the file ends.
    if (buffer.length - offset < MAX_PAGE_BYTES && position < source.size) {
      signal.throwIfAborted();
      const more = await source.read(position, BLOCK_BYTES);
      signal.throwIfAborted();
      position = more.length === 0 ? source.size : position + more.length;
      // Not in place: pages that were handed out point into the old buffer.
      buffer = Buffer.concat([buffer.subarray(offset), more]);
      offset = 0;
      continue;
    }
    if (offset >= buffer.length) break;
    const page = parsePage(buffer.subarray(offset));
    if (page !== null) {
      found();
      offset += page.bytes;
      damage?.read(page.bytes);
      yield page;
      continue;
    }
    if (buffer.subarray(offset, offset + 4).equals(CAPTURE) && ++falsePages > MAX_FALSE_PAGES) {
      giveUp('Reading stopped: too many pages are damaged.');
      return;
    }
    if (skipped > audioLimits.gapBytes) {
      giveUp(`Reading stopped after ${Math.floor(skipped / 2 ** 20)} MB without audio.`);
      return;
    }
    const next = buffer.indexOf(CAPTURE, offset + 1);
    // The pattern may lie across the end of the buffer.
    const to = next >= 0 ? next : position < source.size ? buffer.length - 3 : buffer.length;
    skipped += to - offset;
    offset = to;
  }
  // A page that is cut off at the end is told by the missing mark of the last page.
  if (skipped > MAX_PAGE_BYTES) damage?.skip(skipped);
}
