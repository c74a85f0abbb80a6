import { parseAiff } from './aiff.ts';
import { parseAu } from './au.ts';
import { AudioError } from './errors.ts';
import { findFrames, parseFrameHeader, type FrameHeader } from './mp3/header.ts';
import { parseInfoFrame } from './mp3/info-frame.ts';
import { lastOggPage } from './ogg/last-page.ts';
import type { PacketDecoder } from './ogg/packet-decoder.ts';
import { readPages } from './ogg/pages.ts';
import { blockSamples, type PcmLayout } from './pcm.ts';
import type { Sniffed } from './sniff.ts';
import type { FileSource } from './source.ts';
import type { AudioInfo } from './types.ts';
import { parseWav } from './wav.ts';

type Info = Omit<AudioInfo, 'format'>;
type Reader = (source: FileSource, sniffed: Sniffed) => Promise<Info | null>;

/** What a tag reader found out besides the tags. */
export interface TagFormat {
  sampleRate?: number | undefined;
  numberOfChannels?: number | undefined;
  duration?: number | undefined;
}

function fromLayout({ sampleRate, channels, bytesPerSample, dataBytes }: PcmLayout): Info {
  const frames = Math.floor(dataBytes / (channels * bytesPerSample));
  return { sampleRate, channels, durationSeconds: frames / sampleRate };
}

async function wavInfo(source: FileSource, { start }: Sniffed): Promise<Info | null> {
  const content = await parseWav(source, start);
  if (content.kind === 'pcm') return fromLayout(content.layout);
  if (content.kind === 'mpeg') return mpegInfo(source, content.start, content.end);
  const { codec, sampleRate } = content;
  return { sampleRate, channels: codec.channels, durationSeconds: blockSamples(content) / sampleRate };
}

/** Places in an mp3 that are looked at where no header tells its length. */
const SAMPLES_OF_MP3 = 16;
const SAMPLE_BYTES = 16 * 1024;

/** Mean bytes per second of the frames in `bytes`; null where there are none. */
function byteRate(bytes: Uint8Array, complete: boolean): number | null {
  const found = findFrames(bytes, complete);
  if (found === null) return null;
  let length = 0;
  let seconds = 0;
  let header: FrameHeader | null = found.header;
  while (header?.key === found.header.key) {
    length += header.length;
    seconds += header.samples / header.sampleRate;
    header = parseFrameHeader(bytes, found.offset + length, found.header.freeBytes ?? null);
  }
  return length / seconds;
}

/** From the information frame, or from the mean bitrate at some places: counting all frames of a long file takes minutes. */
async function mpegInfo(source: FileSource, start: number, end: number): Promise<Info | null> {
  const head = await source.read(start, SAMPLE_BYTES);
  const first = findFrames(head, start + head.length >= end);
  if (first === null) return null;
  const { header, offset } = first;
  const { sampleRate, channels } = header;
  const announced = parseInfoFrame(head.subarray(offset, offset + header.length))?.samples ?? null;
  if (announced !== null) return { sampleRate, channels, durationSeconds: announced / sampleRate };
  const rates: number[] = [];
  for (let place = 0; place < SAMPLES_OF_MP3; place++) {
    const at = start + Math.floor(((end - start) * place) / SAMPLES_OF_MP3);
    const bytes = await source.read(at, Math.min(SAMPLE_BYTES, end - at));
    const rate = byteRate(bytes, at + bytes.length >= end);
    if (rate !== null) rates.push(rate);
  }
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
  return mean > 0 ? { sampleRate, channels, durationSeconds: (end - start) / mean } : null;
}

/** What the first packet of a stream tells; null when it is no audio or damaged, which decoding tells in words. */
async function headOf(
  packet: Uint8Array,
): Promise<Pick<PacketDecoder, 'sampleRate' | 'channels' | 'preSkip'> | null> {
  const { openPackets } = await import('./ogg/codecs.ts');
  try {
    const decoder = openPackets(packet);
    decoder?.free();
    return decoder;
  } catch {
    return null;
  }
}

/** The length of an Ogg file of one link; of several the length is known when they are decoded. */
async function oggInfo(source: FileSource, { start }: Sniffed): Promise<Info | null> {
  const last = await lastOggPage(source);
  for await (const page of readPages(source, start, new AbortController().signal)) {
    if (!page.beginsStream) return null;
    const head = await headOf(page.parts[0] ?? new Uint8Array(0));
    if (head === null) continue;
    const { sampleRate, channels, preSkip } = head;
    if (last === null || last.serial !== page.serial || sampleRate <= 0) return null;
    if (last.granule < 0) return null; // No packet ends in the last page of a file that is cut short.
    return { sampleRate, channels, durationSeconds: Math.max(0, last.granule - preSkip) / sampleRate };
  }
  return null;
}

const readers: Partial<Record<Sniffed['container'], Reader>> = {
  wav: wavInfo,
  aiff: async (source, { start }) => fromLayout(await parseAiff(source, start)),
  au: async (source, { start }) => fromLayout(await parseAu(source, start)),
  flac: async (source, { start }) => {
    const { parseStreamInfo } = await import('./flac.ts');
    const info = parseStreamInfo(await source.read(start, 64));
    if (info === null || info.samples === null || info.sampleRate === 0) return null;
    return { ...info, durationSeconds: info.samples / info.sampleRate };
  },
  mp3: (source, { start }) => mpegInfo(source, start, source.size),
  aac: (source, { start }) => mpegInfo(source, start, source.size),
  ogg: oggInfo,
};

function positive(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : null;
}

/**
 * Rate, channels and length by the headers of the file, which tell them more reliably than a tag reader; by the tag
 * reader for the other kinds.
 */
export async function readInfo(
  source: FileSource,
  sniffed: Sniffed,
  tags: TagFormat | null,
): Promise<AudioInfo | null> {
  const { format, container } = sniffed;
  try {
    const info = (sniffed.foreign === undefined && (await readers[container]?.(source, sniffed))) || null;
    if (info !== null) {
      const { sampleRate, channels, durationSeconds } = info;
      return { format, sampleRate, channels, durationSeconds };
    }
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
  }
  const sampleRate = positive(tags?.sampleRate) ?? sniffed.frame?.sampleRate ?? null;
  const channels = positive(tags?.numberOfChannels) ?? sniffed.frame?.channels ?? null;
  const durationSeconds = positive(tags?.duration);
  if (sampleRate === null || channels === null || durationSeconds === null) return null;
  return { format, sampleRate, channels, durationSeconds };
}
