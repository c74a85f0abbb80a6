import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { MPEGDecoder } from 'mpg123-decoder';
import { OggOpusDecoder } from 'ogg-opus-decoder';
import { AudioError } from './errors.ts';
import { lastOggPage } from './ogg.ts';
import { MAX_CHANNELS, RATE_RANGE } from './pcm.ts';
import type { Sniffed } from './sniff.ts';
import type { FileSource } from './source.ts';
import type { DecodeOptions, PcmStream } from './types.ts';

interface Block {
  channelData: Float32Array[];
  samplesDecoded: number;
  sampleRate: number;
  errors: { message: string }[];
}

/** What the four WebAssembly decoders have in common. */
interface BlockDecoder {
  ready: Promise<void>;
  decode(bytes: Uint8Array): Block | Promise<Block>;
  flush?(): Promise<Block>;
  free(): void;
}

type CompressedCodec = 'flac' | 'mp3' | 'vorbis' | 'opus';

const decoders: Record<CompressedCodec, () => BlockDecoder> = {
  flac: () => new FLACDecoder(),
  mp3: () => new MPEGDecoder(),
  vorbis: () => new OggVorbisDecoder(),
  opus: () => new OggOpusDecoder(),
};

/**
 * Bytes given to a decoder at a time. Digital silence compresses to a few bytes per thousand samples, so this bounds
 * the memory that one step can take: 64 KiB of silent FLAC would become 150 MB of samples.
 */
const FEED_BYTES = 16 * 1024;

/** Samples by which a complete MP3 may fall short of its header: encoders differ in how they count the first frame. */
const MP3_TOLERANCE = 2 * 1152;

async function* feed(
  decoder: BlockDecoder,
  source: FileSource,
  sniffed: Sniffed,
  options: DecodeOptions,
): AsyncGenerator<Block, void> {
  // The page parser takes half a page for a whole one and makes noise of it.
  const page = isOgg(sniffed) ? await lastOggPage(source) : null;
  const end = page?.complete === false ? page.start : source.size;
  for await (const bytes of source.chunks(sniffed.start, end, options.signal)) {
    for (let offset = 0; offset < bytes.length; offset += FEED_BYTES) {
      options.signal.throwIfAborted();
      yield await decoder.decode(bytes.subarray(offset, offset + FEED_BYTES));
    }
  }
  if (decoder.flush) yield await decoder.flush();
}

function isOgg({ codec }: Sniffed): boolean {
  return codec === 'vorbis' || codec === 'opus';
}

/** The last page of a complete stream carries the end-of-stream flag (RFC 3533 §6). */
async function oggEndsProperly(source: FileSource): Promise<boolean> {
  const page = await lastOggPage(source);
  return page !== null && page.complete && page.endOfStream;
}

/** Collects what went wrong in a file that still gives audio. */
class Damage {
  failed = 0;
  samples = 0;
  stopped: string | null = null;

  async report(source: FileSource, sniffed: Sniffed, options: DecodeOptions): Promise<void> {
    const { onWarning } = options;
    if (!onWarning) return;
    if (this.stopped !== null) onWarning(this.stopped);
    if (this.failed > 0) onWarning(`${this.failed} damaged piece(s) were skipped.`);
    const { expectedSamples, codec } = sniffed;
    if (
      expectedSamples !== undefined &&
      this.samples < expectedSamples - (codec === 'mp3' ? MP3_TOLERANCE : 0)
    ) {
      onWarning(`The file ends early: ${this.samples} of ${expectedSamples} samples are there.`);
    } else if (isOgg(sniffed) && !(await oggEndsProperly(source))) {
      onWarning('The file ends early: its last page is missing.');
    }
  }
}

function usable(block: Block): boolean {
  return block.samplesDecoded > 0 && block.channelData.length > 0 && block.channelData.length <= MAX_CHANNELS;
}

async function* decodeBlocks(
  source: FileSource,
  sniffed: Sniffed,
  options: DecodeOptions,
): AsyncGenerator<Block, void> {
  const decoder = decoders[sniffed.codec as CompressedCodec]();
  const damage = new Damage();
  let rate: number | null = null;
  try {
    await decoder.ready;
    for await (const block of feed(decoder, source, sniffed, options)) {
      damage.failed += block.errors.length;
      if (!usable(block)) continue;
      rate ??= block.sampleRate;
      if (block.sampleRate !== rate || rate < RATE_RANGE[0] || rate > RATE_RANGE[1]) {
        damage.stopped = `Stopped where the sample rate changes from ${rate} to ${block.sampleRate} Hz.`;
        break;
      }
      damage.samples += block.samplesDecoded;
      // mpg123 always gives two channels; a mono file has the same signal in both.
      yield sniffed.frame?.channels === 1 ? { ...block, channelData: block.channelData.slice(0, 1) } : block;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof AudioError) throw error;
    damage.stopped = `Decoding stopped at damage: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    free(decoder);
  }
  if (damage.samples > 0) await damage.report(source, sniffed, options);
}

function free(decoder: BlockDecoder): void {
  try {
    decoder.free();
  } catch {
    // A decoder that failed in the middle cannot always be freed; its memory goes with its worker.
  }
}

/**
 * Streams FLAC, MP3, Ogg Vorbis or Ogg Opus.
 * @throws AudioError corrupt when nothing decodes
 */
export async function openCompressed(
  source: FileSource,
  sniffed: Sniffed,
  options: DecodeOptions,
): Promise<PcmStream> {
  const blocks = decodeBlocks(source, sniffed, options);
  const first = await blocks.next();
  if (first.done === true) {
    throw new AudioError(
      'corrupt',
      `No audio could be decoded from this ${sniffed.format} file: ${source.path}`,
    );
  }
  const { sampleRate, channelData } = first.value;
  async function* chunks(): AsyncGenerator<Float32Array[], void> {
    try {
      yield channelData;
      for await (const block of blocks) yield block.channelData;
    } finally {
      await blocks.return(undefined);
    }
  }
  return { sampleRate, channels: channelData.length, chunks: chunks() };
}
