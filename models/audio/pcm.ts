import type { BlockCodec } from './adpcm.ts';
import type { Damage } from './damage.ts';
import { AudioError } from './errors.ts';
import { isPossible, isPossibleRate } from './limits.ts';
import { READ_BYTES, type FileSource } from './source.ts';
import type { DecodeOptions, PcmChunk } from './types.ts';

/** How uncompressed samples lie in a file. */
export interface PcmLayout {
  sampleRate: number;
  channels: number;
  encoding: 'signed' | 'unsigned' | 'float' | 'alaw' | 'ulaw';
  /** 1, 2, 3, 4 or 8; samples of fewer valid bits are left-justified in these bytes. */
  bytesPerSample: number;
  littleEndian: boolean;
  /** Position of the first sample. */
  dataStart: number;
  /** Bytes that are in the file. */
  dataBytes: number;
  /** Bytes that the header announces; more than `dataBytes` in a truncated file. */
  declaredBytes: number;
}

/** @throws AudioError corrupt for rates and channel counts that cannot be */
export function checkSignal(signal: { sampleRate: number; channels: number }, path: string): void {
  const { sampleRate, channels } = signal;
  if (!isPossibleRate(sampleRate)) {
    throw new AudioError('corrupt', `Impossible sample rate of ${sampleRate} Hz in ${path}`);
  }
  if (!isPossible(signal)) {
    throw new AudioError('corrupt', `Impossible channel count of ${channels} in ${path}`);
  }
}

/** @throws AudioError corrupt for rates, channel counts or sample sizes that cannot be */
export function checkLayout(layout: PcmLayout, path: string): PcmLayout {
  const { bytesPerSample, encoding } = layout;
  checkSignal(layout, path);
  const sizes = encoding === 'float' ? [4, 8] : encoding === 'signed' ? [1, 2, 3, 4, 8] : [1];
  if (!sizes.includes(bytesPerSample)) {
    throw new AudioError('corrupt', `Impossible sample size of ${bytesPerSample * 8} bits in ${path}`);
  }
  return layout;
}

type ReadSample = (view: DataView, offset: number) => number;

function alaw(code: number): number {
  const value = code ^ 0x55;
  const segment = (value >> 4) & 7;
  const base = ((value & 15) << 4) + 8;
  const magnitude = segment === 0 ? base : (base + 256) << (segment - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

function ulaw(code: number): number {
  const value = ~code & 0xff;
  const magnitude = ((((value & 15) << 3) + 132) << ((value >> 4) & 7)) - 132;
  return (value & 0x80) !== 0 ? -magnitude : magnitude;
}

/** Integers are divided by 2^(bits−1), so that every sample lies in [−1, 1). */
function sampleReader({ encoding, bytesPerSample, littleEndian: le }: PcmLayout): ReadSample {
  if (encoding === 'alaw' || encoding === 'ulaw') {
    const expand = encoding === 'alaw' ? alaw : ulaw;
    const table = Float32Array.from({ length: 256 }, (_, code) => expand(code) / 32768);
    return (view, offset) => table[view.getUint8(offset)] ?? 0;
  }
  if (encoding === 'unsigned') return (view, offset) => (view.getUint8(offset) - 128) / 128;
  if (encoding === 'float') {
    return bytesPerSample === 8
      ? (view, offset) => view.getFloat64(offset, le)
      : (view, offset) => view.getFloat32(offset, le);
  }
  if (bytesPerSample === 1) return (view, offset) => view.getInt8(offset) / 2 ** 7;
  if (bytesPerSample === 2) return (view, offset) => view.getInt16(offset, le) / 2 ** 15;
  if (bytesPerSample === 4) return (view, offset) => view.getInt32(offset, le) / 2 ** 31;
  if (bytesPerSample === 8) return (view, offset) => Number(view.getBigInt64(offset, le)) / 2 ** 63;
  return le
    ? (view, offset) => (view.getUint16(offset, true) | (view.getInt8(offset + 2) << 16)) / 2 ** 23
    : (view, offset) => ((view.getInt8(offset) << 16) | view.getUint16(offset + 1, false)) / 2 ** 23;
}

/** Whether 16 bits lie in memory as they do in most files. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** 16-bit samples as they lie in most files, without a call for each. */
function split16(bytes: Uint8Array, channels: number): Float32Array[] {
  // A copy where the bytes begin at an odd address.
  const even = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const frames = Math.floor(even.byteLength / (2 * channels));
  const all = new Int16Array(even.buffer, even.byteOffset, frames * channels);
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let i = 0, at = channel; i < frames; i++, at += channels) samples[i] = (all[at] ?? 0) / 2 ** 15;
    return samples;
  });
}

/** Interleaved bytes (whole frames) to one array per channel. */
function deinterleaver(layout: PcmLayout): (bytes: Uint8Array) => Float32Array[] {
  const { encoding, littleEndian } = layout;
  if (encoding === 'signed' && layout.bytesPerSample === 2 && littleEndian && LITTLE_ENDIAN)
    return (bytes) => split16(bytes, layout.channels);
  const read = sampleReader(layout);
  const { channels, bytesPerSample } = layout;
  const frameBytes = channels * bytesPerSample;
  return (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames = Math.floor(bytes.byteLength / frameBytes);
    return Array.from({ length: channels }, (_, channel) => {
      const samples = new Float32Array(frames);
      for (let i = 0, offset = channel * bytesPerSample; i < frames; i++, offset += frameBytes) {
        samples[i] = read(view, offset);
      }
      return samples;
    });
  };
}

/** Streams the samples that `layout` describes. */
export async function* readPcm(
  source: FileSource,
  layout: PcmLayout,
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  const { sampleRate, dataStart, dataBytes, declaredBytes } = layout;
  const frameBytes = layout.channels * layout.bytesPerSample;
  const usable = dataBytes - (dataBytes % frameBytes);
  if (usable <= 0) throw new AudioError('empty', `The file holds no audio samples: ${source.path}`);
  damage.missing(Math.floor((declaredBytes - usable) / frameBytes) / sampleRate);
  const split = deinterleaver(layout);
  const step = Math.max(1, Math.floor(READ_BYTES / frameBytes)) * frameBytes;
  for await (const bytes of source.chunks(dataStart, dataStart + usable, options.signal, step)) {
    const channelData = split(bytes);
    damage.decoded((channelData[0]?.length ?? 0) / sampleRate);
    yield { sampleRate, channelData };
  }
}

/** Samples in blocks, and where they lie in a file. */
export interface BlockContent {
  codec: BlockCodec;
  /** Hz. */
  sampleRate: number;
  dataStart: number;
  /** Bytes that are in the file. */
  dataBytes: number;
  /** Bytes that the header announces. */
  declaredBytes: number;
  /** Samples per channel that the header tells; null when it does not. */
  samples: number | null;
}

function samplesIn(bytes: number, codec: BlockCodec): number {
  const { blockBytes } = codec;
  return Math.floor(bytes / blockBytes) * codec.samplesIn(blockBytes) + codec.samplesIn(bytes % blockBytes);
}

/** Samples per channel. The last block is filled up; how much of it counts, the header tells if it can be true. */
export function blockSamples({ codec, dataBytes, samples }: BlockContent): number {
  const there = samplesIn(dataBytes, codec);
  const isTrue = samples !== null && samples > there - codec.samplesIn(codec.blockBytes);
  return isTrue ? Math.min(samples, there) : there;
}

/** Streams samples that lie in blocks. */
export async function* readBlocks(
  source: FileSource,
  content: BlockContent,
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  const { codec, sampleRate, dataStart, dataBytes } = content;
  const { blockBytes } = codec;
  const there = samplesIn(dataBytes, codec);
  if (there === 0) throw new AudioError('empty', `The file holds no audio samples: ${source.path}`);
  damage.missing((samplesIn(content.declaredBytes, codec) - there) / sampleRate);
  let left = blockSamples(content);
  const step = Math.max(1, Math.floor(READ_BYTES / blockBytes)) * blockBytes;
  for await (const bytes of source.chunks(dataStart, dataStart + dataBytes, options.signal, step)) {
    for (let offset = 0; offset < bytes.length && left > 0; offset += blockBytes) {
      const channelData = codec.decode(bytes.subarray(offset, offset + blockBytes));
      const length = Math.min(left, channelData[0]?.length ?? 0);
      left -= length;
      damage.decoded(length / sampleRate);
      if (length > 0)
        yield { sampleRate, channelData: channelData.map((channel) => channel.subarray(0, length)) };
    }
  }
}
