/** MPEG audio and ADTS frame headers (ISO/IEC 11172-3 §2.4.1, 13818-3, 13818-7 §6.2). */

/** A frame header that passed every check. */
export interface FrameHeader {
  kind: 'mp3' | 'aac';
  /** Bytes to the next frame header. */
  length: number;
  sampleRate: number;
  channels: number;
  /** Samples per channel in the frame. */
  samples: number;
  /** Fields that stay the same in one stream; equal keys mean that two headers belong together. */
  key: number;
  /** 1, 2 or 3; 0 for ADTS. */
  layer: number;
  /** Bytes of a frame without padding, where the header does not tell them (“free format”, bitrate index 0). */
  freeBytes?: number;
}

// kbit/s by bitrate index 1..14.
const V1_L1 = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const V1_L2 = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const V1_L3 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const V2_L1 = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const V2_L23 = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

/**
 * The MPEG audio (layers I to III) or ADTS header at `offset`, or null.
 * @param freeBytes of a free-format stream, as {@link measureFree} found it; without it such headers count as none
 */
export function parseFrameHeader(
  bytes: Uint8Array,
  offset: number,
  freeBytes: number | null = null,
): FrameHeader | null {
  if (offset + 7 > bytes.length || at(bytes, offset) !== 0xff || (at(bytes, offset + 1) & 0xe0) !== 0xe0)
    return null;
  const second = at(bytes, offset + 1);
  const layerBits = (second >> 1) & 3;
  if (layerBits === 0) return (second & 0xf0) === 0xf0 ? parseAdts(bytes, offset) : null;
  const version = (second >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5, 1: reserved
  const third = at(bytes, offset + 2);
  const baseRate = [44100, 48000, 32000][(third >> 2) & 3];
  const layer = 4 - layerBits;
  const table = version === 3 ? [V1_L1, V1_L2, V1_L3][layer - 1] : layer === 1 ? V2_L1 : V2_L23;
  const free = third >> 4 === 0;
  const kilobits = free ? 0 : table?.[(third >> 4) - 1];
  if (version === 1 || baseRate === undefined || kilobits === undefined) return null;
  if (free && freeBytes === null) return null;
  const sampleRate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const slot = layer === 1 ? 4 : 1;
  const unpadded =
    layer === 1
      ? Math.floor((12_000 * kilobits) / sampleRate) * 4
      : Math.floor((samples * 125 * kilobits) / sampleRate);
  const channels = at(bytes, offset + 3) >> 6 === 3 ? 1 : 2;
  // Free format is a stream of its own kind: it never mixes with the other one.
  const key = ((second & 0xfe) << 8) | (third & 0x0c) | (free ? 1 : 0);
  const length = (free ? (freeBytes ?? 0) : unpadded) + padding * slot;
  const header: FrameHeader = { kind: 'mp3', length, sampleRate, channels, samples, key, layer };
  return free ? { ...header, freeBytes: freeBytes ?? 0 } : header;
}

/** Longest frame of a free-format stream: 640 kbit/s, the most that encoders offer, at the lowest rate. */
const MAX_FREE_BYTES = 6000;

/**
 * Bytes of a free-format frame without padding, found as the distance between equal headers; null when there is no such
 * stream at `offset`.
 */
function measureFree(bytes: Uint8Array, offset: number): number | null {
  const first = parseFrameHeader(bytes, offset, 0);
  if (first?.freeBytes === undefined) return null;
  const last = Math.min(bytes.length, offset + MAX_FREE_BYTES);
  for (
    let next = bytes.indexOf(0xff, offset + 24);
    next >= 0 && next < last;
    next = bytes.indexOf(0xff, next + 1)
  ) {
    if (parseFrameHeader(bytes, next, 0)?.key !== first.key) continue;
    const freeBytes = next - offset - first.length;
    let position = next;
    let count = 1;
    for (; count < FREE_FRAMES_IN_A_ROW; count++) {
      const header = parseFrameHeader(bytes, position, freeBytes);
      if (header?.key !== first.key) break;
      position += header.length;
    }
    if (count === FREE_FRAMES_IN_A_ROW) return freeBytes;
  }
  return null;
}

function parseAdts(bytes: Uint8Array, offset: number): FrameHeader | null {
  const third = at(bytes, offset + 2);
  const fourth = at(bytes, offset + 3);
  const sampleRate = AAC_RATES[(third >> 2) & 15];
  const length = ((fourth & 3) << 11) | (at(bytes, offset + 4) << 3) | (at(bytes, offset + 5) >> 5);
  if (sampleRate === undefined || length < 7) return null;
  const channels = ((third & 1) << 2) | (fourth >> 6);
  const samples = 1024 * ((at(bytes, offset + 6) & 3) + 1);
  return {
    kind: 'aac',
    length,
    sampleRate,
    channels: Math.max(1, channels),
    samples,
    key: (third & 0xfd) | 0x100,
    layer: 0,
  };
}

/** Frames in a row that must agree: two sync words in a row occur by chance in random bytes, three hardly ever. */
const FRAMES_IN_A_ROW = 3;
/** Free-format headers say less, and their distance is a guess. */
const FREE_FRAMES_IN_A_ROW = 4;
/** Places in one search that are tried as the beginning of a free-format stream; random megabytes hold about twenty. */
const MAX_FREE_TRIES = 64;

/**
 * First place where frames follow one another as announced.
 * @param complete whether `bytes` reaches the end of the file; then fewer frames suffice if they end exactly there.
 */
export function findFrames(
  bytes: Uint8Array,
  complete: boolean,
): { offset: number; header: FrameHeader } | null {
  let freeTries = 0;
  for (let start = bytes.indexOf(0xff); start >= 0; start = bytes.indexOf(0xff, start + 1)) {
    const plain = parseFrameHeader(bytes, start);
    const mayBeFree = plain === null && parseFrameHeader(bytes, start, 0) !== null;
    const freeBytes = mayBeFree && ++freeTries <= MAX_FREE_TRIES ? measureFree(bytes, start) : null;
    if (freeBytes !== null) {
      const header = parseFrameHeader(bytes, start, freeBytes);
      if (header !== null) return { offset: start, header };
    }
    if (plain !== null && framesFollow(bytes, start, plain, complete))
      return { offset: start, header: plain };
  }
  return null;
}

function framesFollow(bytes: Uint8Array, start: number, header: FrameHeader, complete: boolean): boolean {
  let position = start;
  let next: FrameHeader | null = header;
  let count = 0;
  while (next?.key === header.key && count < FRAMES_IN_A_ROW) {
    count++;
    position += next.length;
    next = parseFrameHeader(bytes, position);
  }
  if (count >= FRAMES_IN_A_ROW) return true;
  // An information frame of ordinary bitrate in front of a free-format stream.
  if (
    count === 1 &&
    next === null &&
    sameButFree(bytes, position, header) &&
    measureFree(bytes, position) !== null
  )
    return true;
  return complete && (position === bytes.length || (count >= 2 && position > bytes.length));
}

/** Whether a free-format header of the same kind of stream as `header` stands at `offset`. */
function sameButFree(bytes: Uint8Array, offset: number, header: FrameHeader): boolean {
  const free = parseFrameHeader(bytes, offset, 0);
  return free?.freeBytes !== undefined && (free.key & ~1) === (header.key & ~1);
}
