import { Damage } from '../damage.ts';
import { audioLimits, isPossible } from '../limits.ts';
import type { FileSource } from '../source.ts';
import type { DecodeOptions, PcmChunk } from '../types.ts';
import { foreignOggCodec } from './codec-names.ts';
import { openPackets } from './codecs.ts';
import type { PacketDecoder } from './packet-decoder.ts';
import { PacketJoiner } from './packets.ts';
import { readPages, type OggPage } from './pages.ts';

/** Packets decoded at a time: 16 of the longest, with the most channels, are 34 MB of samples. */
const PACKETS = 16;

/** One link of a chain: the pages of one stream from its first page on. */
class Link {
  readonly serial: number;
  readonly #decoder: PacketDecoder;
  readonly #joiner: PacketJoiner;
  readonly #damage: Damage;
  /** Samples that came out of the decoder so far. */
  #produced = 0;
  /** Position of the first sample that came out, as granules count; null until the first page with audio. */
  #base: number | null = null;
  #toSkip: number;
  ended = false;
  /** The decoder gave up; the rest of the link is skipped. */
  #failed = false;

  constructor(page: OggPage, decoder: PacketDecoder, damage: Damage) {
    this.serial = page.serial;
    this.#decoder = decoder;
    this.#damage = damage;
    this.#joiner = new PacketJoiner(damage);
    this.#joiner.push(page);
    this.#toSkip = decoder.preSkip;
  }

  /** Decodes the packets that end in a page, trimmed to what its granule position says (RFC 7845 §4, Vorbis I §A.2). */
  async *push(page: OggPage): AsyncGenerator<PcmChunk, void> {
    const packets = this.#joiner.push(page);
    if (page.endsStream) this.ended = true;
    if (this.#failed || packets.length === 0) return;
    // Only the last samples of the last page are cut: its groups wait until their number is known.
    const held: Float32Array[][] = [];
    let heldSamples = 0;
    for (let from = 0; from < packets.length; from += PACKETS) {
      const channelData = await this.#decode(packets.slice(from, from + PACKETS));
      const length = channelData[0]?.length ?? 0;
      if (length === 0) continue;
      this.#produced += length;
      if (this.#base !== null && !page.endsStream) {
        yield* this.#out(channelData, length);
      } else {
        held.push(channelData);
        heldSamples += length;
      }
    }
    const surplus = this.#anchor(page);
    let left = heldSamples - Math.min(heldSamples, surplus);
    for (const channelData of held) {
      const length = Math.min(left, channelData[0]?.length ?? 0);
      left -= length;
      yield* this.#out(channelData, length);
    }
  }

  free(): void {
    this.#decoder.free();
  }

  async #decode(packets: Uint8Array[]): Promise<Float32Array[]> {
    try {
      const { channelData, damaged } = await this.#decoder.decode(packets);
      if (damaged > 0) this.#damage.piece(damaged);
      return channelData;
    } catch (error) {
      this.#failed = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.#damage.note(`Part of the file could not be decoded (${reason}).`);
      return [];
    }
  }

  /** Compares what was decoded with the granule position. @returns samples at the end that are padding */
  #anchor(page: OggPage): number {
    const { granule } = page;
    if (granule === null || this.#produced === 0) return 0;
    if (this.#base === null) {
      // A first page that counts less than it holds means that its beginning is left out, or its end if it is the last.
      this.#base = page.endsStream ? Math.max(0, granule - this.#produced) : granule - this.#produced;
      if (this.#base < 0) this.#toSkip = Math.max(this.#toSkip, -this.#base);
    }
    const surplus = this.#produced - (granule - this.#base);
    if (surplus < 0) this.#base -= surplus; // Samples were lost on the way.
    return page.endsStream ? Math.max(0, surplus) : 0;
  }

  *#out(channelData: Float32Array[], length: number): Generator<PcmChunk, void> {
    const from = Math.min(length, this.#toSkip);
    this.#toSkip -= from;
    if (length <= from) return;
    const { sampleRate } = this.#decoder;
    this.#damage.decoded((length - from) / sampleRate);
    yield { sampleRate, channelData: channelData.map((samples) => samples.subarray(from, length)) };
  }
}

function openLink(page: OggPage, damage: Damage): Link | null {
  const head = page.parts[0] ?? new Uint8Array(0);
  const foreign = foreignOggCodec(head);
  if (foreign !== null) damage.note(`A part in ${foreign} was left out.`);
  try {
    const decoder = openPackets(head);
    if (decoder === null) return null;
    const { sampleRate, channels } = decoder;
    if (isPossible(decoder)) return new Link(page, decoder, damage);
    decoder.free();
    damage.note(`A part with ${channels} channels at ${sampleRate} Hz cannot be and was left out.`);
  } catch (error) {
    damage.note(`A part could not be decoded (${error instanceof Error ? error.message : String(error)}).`);
  }
  return null;
}

/**
 * Decodes an Ogg file: of every link (RFC 3533 §4: streams may follow one another) the first stream that is audio.
 * Rate, channels and codec may change from link to link.
 */
export async function* decodeOgg(
  source: FileSource,
  start: number,
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  let link: Link | null = null;
  let links = 0;
  let inHeaders = false;
  try {
    for await (const page of readPages(source, start, options.signal, damage)) {
      if (page.beginsStream) {
        // All streams of a link begin before any of them goes on.
        if (!inHeaders || link?.serial === page.serial) {
          if (link?.ended === false)
            damage.note('A part of the file is incomplete: its last page is missing.');
          link?.free();
          link = null;
        }
        inHeaders = true;
        if (link === null && links < audioLimits.parts) link = openLink(page, damage);
        if (link !== null && link.serial === page.serial && ++links === audioLimits.parts)
          damage.note(`Only the first ${audioLimits.parts} parts of the file were read.`);
        continue;
      }
      inHeaders = false;
      if (link?.serial === page.serial) yield* link.push(page);
    }
    if (link?.ended === false) damage.note('The file is incomplete: its last page is missing.');
  } finally {
    link?.free();
  }
}
