import type { FrameHeader } from './header.ts';

/** Reads bits from the most significant one on. */
class Bits {
  #position = 0;

  constructor(private readonly bytes: Uint8Array) {}

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#position++) {
      value = value * 2 + (((this.bytes[this.#position >> 3] ?? 0) >> (7 - (this.#position & 7))) & 1);
    }
    return value;
  }
}

/** kbit/s of MPEG-1 and of MPEG-2/2.5 layer III, index 1 to 14. */
const BITRATES = {
  1: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** Bitrate of frames without music: the side information of every kind of frame fits. */
const SILENT_INDEX = 3;
/** Bytes of main data that a frame may use from the frames before it. */
const RESERVOIR_BYTES = 511;

/**
 * Puts the frames of a free-format layer III stream into frames of ordinary bitrates, without touching the music: the
 * decoder at hand knows only those. Every frame gets its main data from its own bytes and from the bit reservoir before
 * it (ISO/IEC 11172-3 §2.4.1.7, §2.4.2.7), and the smallest bitrate in which all of it fits.
 */
export class FreeFormatRepacker {
  #reservoir = new Uint8Array(0);

  /** @returns an ordinary frame; `why` tells what was lost when it is one of silence, which keeps the others in time */
  repack(frame: Uint8Array, header: FrameHeader): { bytes: Uint8Array; why: string | null } {
    const mpeg1 = header.samples === 1152;
    const sideBytes = mpeg1 ? (header.channels === 1 ? 17 : 32) : header.channels === 1 ? 9 : 17;
    // A clear protection bit means that a checksum of two bytes follows the header; it is left out below.
    const sideStart = ((frame[1] ?? 0) & 1) === 0 ? 6 : 4;
    const side = frame.slice(sideStart, sideStart + sideBytes);
    const bits = new Bits(side);
    const begin = bits.take(mpeg1 ? 9 : 8);
    bits.take(mpeg1 ? (header.channels === 1 ? 5 : 3) + 4 * header.channels : header.channels);
    let mainBits = 0;
    for (let part = 0; part < (mpeg1 ? 2 : 1) * header.channels; part++) {
      mainBits += bits.take(12);
      bits.take((mpeg1 ? 59 : 63) - 12);
    }
    const own = frame.subarray(sideStart + sideBytes);
    const before = this.#reservoir.subarray(Math.max(0, this.#reservoir.length - begin));
    const lost = this.#reservoir.length < begin;
    const all = new Uint8Array(this.#reservoir.length + own.length);
    all.set(this.#reservoir);
    all.set(own, this.#reservoir.length);
    this.#reservoir = all.slice(-RESERVOIR_BYTES);
    const mainBytes = Math.ceil(mainBits / 8);
    const sizes = ordinarySizes(header);
    // Without side information there is nothing to be played.
    const silent = (why: string): { bytes: Uint8Array; why: string } => ({
      bytes: ordinary(frame, new Uint8Array(sideBytes), SILENT_INDEX, sizes[SILENT_INDEX - 1] ?? 0),
      why,
    });
    const needed = 4 + sideBytes + mainBytes;
    if (lost || mainBytes > before.length + own.length) return silent('Frames lack their beginning.');
    const index = sizes.findIndex((size) => size >= needed);
    const size = sizes[index];
    if (size === undefined) return silent('Frames of more than 320 kbit/s in free format cannot be read.');
    // Main data begin right behind the side information: its first bits, 8 or 9, become zero.
    side[0] = 0;
    if (mpeg1) side[1] = (side[1] ?? 0) & 0x7f;
    const bytes = ordinary(frame, side, index + 1, size);
    const main = new Uint8Array(before.length + own.length);
    main.set(before);
    main.set(own, before.length);
    bytes.set(main.subarray(0, mainBytes), 4 + sideBytes);
    return { bytes, why: null };
  }
}

/** An information frame of a free-format stream as a frame of an ordinary bitrate; null where none is large enough. */
export function repackInfoFrame(frame: Uint8Array, header: FrameHeader): Uint8Array | null {
  const sizes = ordinarySizes(header);
  const index = sizes.findIndex((size) => size >= frame.length);
  const size = sizes[index];
  if (size === undefined) return null;
  const bytes = ordinary(frame, new Uint8Array(0), index + 1, size);
  bytes.set(frame.subarray(4), 4);
  return bytes;
}

/** Bytes of an unpadded frame by bitrate, from the lowest on. */
function ordinarySizes({ samples, sampleRate }: FrameHeader): number[] {
  return BITRATES[samples === 1152 ? 1 : 2].map((kilobits) =>
    Math.floor((samples * 125 * kilobits) / sampleRate),
  );
}

/** A frame of an ordinary bitrate with this side information: no checksum, no padding, main data still empty. */
function ordinary(frame: Uint8Array, side: Uint8Array, bitrateIndex: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set([0xff, (frame[1] ?? 0) | 1, (bitrateIndex << 4) | ((frame[2] ?? 0) & 0x0d), frame[3] ?? 0]);
  bytes.set(side, 4);
  return bytes;
}
