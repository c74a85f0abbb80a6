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

/** The MPEG audio (layers I to III) or ADTS header at `offset`, or null. Free-format streams are not recognised. */
export function parseFrameHeader(bytes: Uint8Array, offset: number): FrameHeader | null {
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
  const kilobits = table?.[(third >> 4) - 1];
  if (version === 1 || baseRate === undefined || kilobits === undefined) return null;
  const sampleRate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const length =
    layer === 1
      ? (Math.floor((12_000 * kilobits) / sampleRate) + padding) * 4
      : Math.floor((samples * 125 * kilobits) / sampleRate) + padding;
  const channels = at(bytes, offset + 3) >> 6 === 3 ? 1 : 2;
  return { kind: 'mp3', length, sampleRate, channels, samples, key: ((second & 0xfe) << 8) | (third & 0x0c) };
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
  };
}

/** Frames in a row that must agree: two sync words in a row occur by chance in random bytes, three hardly ever. */
const FRAMES_IN_A_ROW = 3;

/**
 * First place where frames follow one another as announced.
 * @param complete whether `bytes` reaches the end of the file; then fewer frames suffice if they end exactly there.
 */
export function findFrames(
  bytes: Uint8Array,
  complete: boolean,
): { offset: number; header: FrameHeader } | null {
  for (let start = 0; start + 7 <= bytes.length; start++) {
    const header = parseFrameHeader(bytes, start);
    if (header === null) continue;
    let position = start;
    let next: FrameHeader | null = header;
    let count = 0;
    while (next?.key === header.key && count < FRAMES_IN_A_ROW) {
      count++;
      position += next.length;
      next = parseFrameHeader(bytes, position);
    }
    const endsHere =
      complete && count >= 1 && (position === bytes.length || (count >= 2 && position > bytes.length));
    if (count >= FRAMES_IN_A_ROW || endsHere) return { offset: start, header };
  }
  return null;
}

/**
 * Samples per channel that a Xing or Info header announces (frames × samples per frame, less the delay and padding of a
 * LAME extension), or null without one.
 * @param frame the first frame of the stream
 */
export function xingSamples(frame: Uint8Array): number | null {
  const header = parseFrameHeader(frame, 0);
  if (header?.kind !== 'mp3') return null;
  for (const offset of [13, 21, 36]) {
    const tag = String.fromCharCode(...frame.subarray(offset, offset + 4));
    if (tag !== 'Xing' && tag !== 'Info') continue;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (frame.byteLength < offset + 12 || (view.getUint32(offset + 4) & 1) === 0) return null;
    const total = view.getUint32(offset + 8) * header.samples;
    // Two numbers of twelve bits; zero where the encoder wrote no extension.
    const trimmed =
      (at(frame, offset + 141) << 16) | (at(frame, offset + 142) << 8) | at(frame, offset + 143);
    return Math.max(0, total - (trimmed >> 12) - (trimmed & 0xfff));
  }
  return null;
}
