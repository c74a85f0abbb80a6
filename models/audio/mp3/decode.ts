import { MPEGDecoder } from 'mpg123-decoder';
import { audioLimits } from '../limits.ts';
import type { Damage } from '../damage.ts';
import { freeQuietly } from '../free-quietly.ts';
import type { FileSource } from '../source.ts';
import type { DecodeOptions, PcmChunk } from '../types.ts';
import { FreeFormatRepacker, repackInfoFrame } from './free-format.ts';
import { readFrames, type Frame } from './frames.ts';
import type { FrameHeader } from './header.ts';
import { parseInfoFrame, type InfoFrame } from './info-frame.ts';

/** Frames given to the decoder at a time. */
const BATCH = 16;
/** Samples by which a complete part may fall short of its header: encoders differ in how they count the first frame. */
const TOLERANCE = 2 * 1152;

/** Fields that a decoder cannot change on its way: version, layer, rate. */
function streamKey({ key }: FrameHeader): number {
  return key & ~1;
}

/** Whether a layer III frame needs no data of the frames before it (ISO/IEC 11172-3 §2.4.1.7: main_data_begin is 0). */
function standsAlone({ bytes, header }: Frame): boolean {
  if (header.layer !== 3) return true;
  const start = ((bytes[1] ?? 0) & 1) === 0 ? 6 : 4;
  // Nine bits in MPEG-1, eight in MPEG-2.
  return bytes[start] === 0 && (header.samples !== 1152 || ((bytes[start + 1] ?? 0) & 0x80) === 0);
}

/** What one encoder wrote: frames of one rate, behind at most one information frame. */
class Part {
  readonly #key: number;
  readonly #rate: number;
  readonly #info: InfoFrame | null;
  readonly #damage: Damage;
  readonly #decoder = new MPEGDecoder();
  readonly #repacker = new FreeFormatRepacker();
  #batch: Uint8Array[] = [];
  #channels = 1;
  #channelsOfLast: number;
  #frames = 0;
  #samples = 0;

  constructor(first: Frame, info: InfoFrame | null, damage: Damage) {
    this.#key = streamKey(first.header);
    this.#rate = first.header.sampleRate;
    this.#channelsOfLast = first.header.channels;
    this.#info = info;
    this.#damage = damage;
    // The information frame itself is not counted among them.
    this.#frames = info === null ? 0 : -1;
  }

  /** Whether `frame` was written by another encoder than this part. */
  endsBefore(frame: Frame, info: InfoFrame | null): boolean {
    if (streamKey(frame.header) !== this.#key || info !== null) return true;
    if (!standsAlone(frame)) return false;
    const announced = this.#info?.frames ?? null;
    const complete = announced !== null && this.#frames >= announced;
    return complete || frame.header.channels !== this.#channelsOfLast;
  }

  async push(frame: Frame): Promise<PcmChunk | null> {
    this.#frames++;
    this.#channelsOfLast = frame.header.channels;
    // It tells the decoder what to trim.
    const info =
      this.#frames === 0 && this.#info !== null ? repackInfoFrame(frame.bytes, frame.header) : null;
    if (frame.header.freeBytes === undefined) {
      this.#batch.push(frame.bytes);
    } else if (info !== null) {
      this.#batch.push(info);
    } else if (frame.header.layer === 3) {
      const { bytes, why } = this.#repacker.repack(frame.bytes, frame.header);
      this.#batch.push(bytes);
      if (why !== null) this.#lose(frame, why);
    } else {
      this.#lose(frame, 'Free-format frames of layers I and II cannot be read.');
      return null;
    }
    // A mono signal comes out twice; stereo once begun stays stereo, the decoder may lag a frame behind.
    if (frame.header.channels === 2) this.#channels = 2;
    return this.#batch.length < BATCH ? null : this.#decode();
  }

  /** The rest. */
  async finish(): Promise<PcmChunk | null> {
    const chunk = await this.#decode();
    const announced = this.#info?.samples ?? null;
    if (announced !== null && this.#samples < announced - TOLERANCE)
      this.#damage.missing((announced - this.#samples) / this.#rate);
    return chunk;
  }

  free(): void {
    freeQuietly(this.#decoder);
  }

  #lose(frame: Frame, why: string): void {
    this.#damage.note(why);
    this.#damage.piece();
    this.#damage.lost(frame.bytes.length);
  }

  async #decode(): Promise<PcmChunk | null> {
    if (this.#batch.length === 0) return null;
    await this.#decoder.ready;
    const block = this.#decoder.decode(Buffer.concat(this.#batch));
    this.#batch = [];
    this.#damage.piece(block.errors.length);
    const samples = block.channelData[0]?.length ?? 0;
    if (samples === 0) return null;
    this.#samples += samples;
    this.#damage.decoded(samples / this.#rate);
    return { sampleRate: this.#rate, channelData: block.channelData.slice(0, this.#channels) };
  }
}

/** Decodes MPEG audio of layers I to III in `range`, with a decoder for each part that another encoder wrote. */
export async function* decodeMpeg(
  source: FileSource,
  range: { start: number; end: number },
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  let part = null as Part | null;
  let parts = 0;
  try {
    for await (const frame of readFrames(source, range, options.signal, damage)) {
      const info = parseInfoFrame(frame.bytes);
      if (part !== null && part.endsBefore(frame, info)) {
        const rest = await part.finish();
        if (rest !== null) yield rest;
        part.free();
        part = null;
        if (parts === audioLimits.parts) {
          damage.note(`Only the first ${audioLimits.parts} parts of the file were read.`);
          return;
        }
      }
      if (part === null) {
        part = new Part(frame, info, damage);
        parts++;
      }
      const chunk = await part.push(frame);
      if (chunk !== null) yield chunk;
    }
    const rest = (await part?.finish()) ?? null;
    if (rest !== null) yield rest;
  } finally {
    part?.free();
  }
}
