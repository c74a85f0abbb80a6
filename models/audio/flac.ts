import type { FLACDecoder } from '@wasm-audio-decoders/flac';
import type { Damage } from './damage.ts';
import { giveFlacDecoder, takeFlacDecoder } from './flac-decoder.ts';
import { flacScale } from './flac-scale.ts';
import { audioLimits, isPossible } from './limits.ts';
import type { FileSource } from './source.ts';
import { endWithoutTags } from './tag-blocks.ts';
import type { DecodeOptions, PcmChunk } from './types.ts';

/** `fLaC`, then a block of type 0 (last or not) with the 34 bytes of STREAMINFO (RFC 9639 §8.2). */
const MARKER = Buffer.from('fLaC');
const INFO_START = 8;
const HEAD_BYTES = INFO_START + 34;

/** Bytes given to the decoder at a time. */
const FEED_BYTES = 32 * 1024;
/**
 * Frames given to it at a time: digital silence compresses to a dozen bytes per 65,535 samples, so what one step can become
 * is bounded by the frames that may begin in it.
 */
const FEED_FRAMES = 4;

export interface StreamInfo {
  /** Hz. */
  sampleRate: number;
  channels: number;
  /** Samples per channel; null when the encoder did not know. */
  samples: number | null;
}

/** STREAMINFO at the beginning of a FLAC file or part of one; null when there is none. */
export function parseStreamInfo(bytes: Uint8Array): StreamInfo | null {
  if (bytes.length < HEAD_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x664c6143 || (view.getUint32(4) & 0x7fffffff) !== 34) return null;
  // 20 bits of rate, 3 of channels less one, 5 of depth less one, 36 of length.
  const packed = view.getUint32(INFO_START + 10);
  const samples = (packed & 15) * 2 ** 32 + view.getUint32(INFO_START + 14);
  return {
    sampleRate: packed >>> 12,
    channels: ((packed >> 9) & 7) + 1,
    samples: samples > 0 ? samples : null,
  };
}

/** The bytes of the file, cut where another FLAC file begins in it. */
async function* readParts(
  source: FileSource,
  start: number,
  signal: AbortSignal,
): AsyncGenerator<{ bytes: Uint8Array; info: StreamInfo | null; begins: boolean }, void> {
  let held = Buffer.alloc(0);
  let begins = true;
  for await (const more of source.chunks(start, await endWithoutTags(source), signal)) {
    let bytes = Buffer.concat([held, more]);
    // What was held back may be the beginning of a part just as it ends before its head does.
    for (let at = bytes.indexOf(MARKER, begins ? 1 : 0); at >= 0; at = bytes.indexOf(MARKER, at + 1)) {
      if (parseStreamInfo(bytes.subarray(at)) === null) continue;
      yield { bytes: bytes.subarray(0, at), info: parseStreamInfo(bytes), begins };
      begins = true;
      bytes = bytes.subarray(at);
      at = 0;
    }
    // The beginning of the next part may lie across the end.
    const keep = Math.min(bytes.length, HEAD_BYTES - 1);
    if (bytes.length > keep)
      yield {
        bytes: bytes.subarray(0, bytes.length - keep),
        info: begins ? parseStreamInfo(bytes) : null,
        begins,
      };
    begins = begins && bytes.length <= keep;
    held = bytes.subarray(bytes.length - keep);
  }
  yield { bytes: held, info: null, begins };
}

/** The part of `bytes` before the frame after {@link FEED_FRAMES}, by the marks that frames begin with (RFC 9639 §9.1). */
function fewFrames(bytes: Uint8Array): Uint8Array {
  let frames = 0;
  for (let at = bytes.indexOf(0xff, 1); at >= 0; at = bytes.indexOf(0xff, at + 1))
    if (((bytes[at + 1] ?? 0) & 0xfe) === 0xf8 && ++frames === FEED_FRAMES) return bytes.subarray(0, at);
  return bytes;
}

/** One FLAC file, or one of several that were put together. */
class Part {
  readonly #decoder: FLACDecoder;
  readonly #info: StreamInfo | null;
  readonly #damage: Damage;
  #rate = 0;
  #samples = 0;
  #damaged = false;
  #flushed = false;

  constructor(decoder: FLACDecoder, info: StreamInfo | null, damage: Damage) {
    this.#decoder = decoder;
    this.#info = info;
    this.#damage = damage;
  }

  async *push(bytes: Uint8Array, signal: AbortSignal): AsyncGenerator<PcmChunk, void> {
    for (let offset = 0; offset < bytes.length;) {
      signal.throwIfAborted();
      const piece = fewFrames(bytes.subarray(offset, offset + FEED_BYTES));
      offset += piece.length;
      yield* this.#take(await this.#decoder.decode(piece));
    }
  }

  async *finish(): AsyncGenerator<PcmChunk, void> {
    const rest = await this.#decoder.flush();
    yield* this.#take(rest);
    this.#flushed = true;
    const announced = this.#info?.samples ?? null;
    const rate = this.#rate || (this.#info?.sampleRate ?? 0);
    if (announced !== null && rate > 0) this.#damage.missing((announced - this.#samples) / rate);
    this.#damaged ||= announced !== null && announced !== this.#samples;
  }

  free(): void {
    giveFlacDecoder(this.#decoder, this.#flushed && !this.#damaged);
  }

  *#take(block: Awaited<ReturnType<FLACDecoder['decode']>>): Generator<PcmChunk, void> {
    this.#damage.piece(block.errors.length);
    this.#damaged ||= block.errors.length > 0;
    const { sampleRate, channelData } = block;
    if (block.samplesDecoded === 0 || channelData.length === 0) return;
    if (!isPossible({ sampleRate, channels: channelData.length })) {
      this.#damage.piece();
      this.#damaged = true;
      return;
    }
    this.#rate = sampleRate;
    this.#samples += block.samplesDecoded;
    this.#damage.decoded(block.samplesDecoded / sampleRate);
    yield { sampleRate, channelData: flacScale(channelData, block.bitDepth) };
  }
}

/** Decodes FLAC; of several files in one, each with a decoder of its own. */
export async function* decodeFlac(
  source: FileSource,
  start: number,
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  const { signal } = options;
  let part: Part | null = null;
  let parts = 0;
  try {
    for await (const { bytes, info, begins } of readParts(source, start, signal)) {
      if (begins && part !== null) {
        yield* part.finish();
        part.free();
        part = null;
      }
      if (part === null) {
        if (parts++ === audioLimits.parts) {
          damage.note(`Only the first ${audioLimits.parts} parts of the file were read.`);
          return;
        }
        part = new Part(await takeFlacDecoder(), info, damage);
      }
      yield* part.push(bytes, signal);
    }
    if (part !== null) yield* part.finish();
  } finally {
    part?.free();
  }
}
