import { imaAdpcm, msAdpcm, MS_COEFFICIENTS } from './adpcm.ts';
import { AudioError } from './errors.ts';
import { checkLayout, checkSignal, type BlockContent, type PcmLayout } from './pcm.ts';
import { walkChunks } from './riff.ts';
import type { FileSource } from './source.ts';

const EXTENSIBLE = 0xfffe;
/** A file of more parts is no recording. */
const MAX_PARTS = 2000;
const PCM = 1;
const MS_ADPCM = 0x02;
const IMA_ADPCM = 0x11;
const MPEG_LAYER_12 = 0x50;
const MPEG_LAYER_3 = 0x55;
const encodings: Readonly<Record<number, PcmLayout['encoding']>> = {
  [PCM]: 'signed',
  3: 'float',
  6: 'alaw',
  7: 'ulaw',
};

/** What a WAV file holds. */
export type WavContent =
  | { kind: 'pcm'; layout: PcmLayout }
  | ({ kind: 'adpcm' } & BlockContent)
  | { kind: 'mpeg'; start: number; end: number };

interface Format {
  tag: number;
  channels: number;
  sampleRate: number;
  byteRate: number;
  blockAlign: number;
  bits: number;
  /** Predictors of Microsoft ADPCM. */
  coefficients: [number, number][];
}

function parseFormat(bytes: Uint8Array, littleEndian: boolean): Format | null {
  if (bytes.length < 14) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = (offset: number): number =>
    bytes.length >= offset + 2 ? view.getUint16(offset, littleEndian) : 0;
  let tag = short(0);
  const ownPredictors = tag === MS_ADPCM;
  // WAVE_FORMAT_EXTENSIBLE: the codec is in the first two bytes of the sub-format GUID.
  if (tag === EXTENSIBLE) tag = bytes.length >= 26 ? short(24) : PCM;
  const coefficients: [number, number][] = [];
  for (
    let offset = 22;
    ownPredictors && offset + 4 <= Math.min(bytes.length, 22 + 4 * short(20));
    offset += 4
  )
    coefficients.push([view.getInt16(offset, littleEndian), view.getInt16(offset + 2, littleEndian)]);
  return {
    tag,
    channels: short(2),
    sampleRate: view.getUint32(4, littleEndian),
    byteRate: view.getUint32(8, littleEndian),
    blockAlign: short(12),
    bits: short(14),
    coefficients,
  };
}

/**
 * Bytes of one sample. The header tells it three times (bits, block, bytes per second); where they contradict one
 * another a block that is too small for the bits is wrong, and a larger one is believed when the bytes per second agree
 * (24 bits in 32, for one).
 */
function sampleBytes({ bits, blockAlign, byteRate, sampleRate, channels }: Format): number {
  const byBits = Math.ceil(bits / 8);
  const byBlock = blockAlign / channels;
  const byRate = byteRate / (sampleRate * channels);
  if (byBits === 0) return byBlock;
  if (Number.isInteger(byBlock) && byBlock >= byBits && (byBlock === byBits || byBlock === byRate))
    return byBlock;
  return byBits;
}

/** Sizes left behind by programs that write to a pipe: 0, and the largest numbers of 31 and 32 bits, or nearly. */
function sizeUnknown(size: number, available: number): boolean {
  if (size === 0) return true;
  return size > available && (size >= 0xfffff000 || (size >= 0x7ffff000 && size <= 0x80000000));
}

interface Found {
  format: Format | null;
  data: { start: number; size: number } | null;
  size64: number | null;
  facts: number | null;
}

async function findChunks(source: FileSource, start: number, littleEndian: boolean): Promise<Found> {
  const found: Found = { format: null, data: null, size64: null, facts: null };
  for await (const chunk of walkChunks(source, start, littleEndian)) {
    if (chunk.id === 'ds64') {
      const bytes = await source.read(chunk.start, 16);
      if (bytes.length === 16)
        found.size64 = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8, littleEndian));
    } else if (chunk.id === 'fmt ') {
      const bytes = await source.read(chunk.start, Math.min(chunk.size, 256));
      found.format ??= parseFormat(bytes, littleEndian);
    } else if (chunk.id === 'fact') {
      const bytes = await source.read(chunk.start, 4);
      if (bytes.length === 4)
        found.facts = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, littleEndian);
    } else if (chunk.id === 'data') {
      found.data ??= { start: chunk.start, size: chunk.size };
    }
    if (found.format !== null && found.data !== null) break;
  }
  return found;
}

/**
 * What a WAV file (RIFF, RIFX, RF64 or BW64) holds: PCM of 8 to 32 bits, float of 32 and 64 bits, A-law, µ-law, IMA and
 * Microsoft ADPCM, MPEG audio.
 * @throws AudioError corrupt; needs-external-decoder for other codecs
 */
export async function parseWav(source: FileSource, start: number): Promise<WavContent> {
  const littleEndian = String.fromCharCode(...(await source.read(start, 4))) !== 'RIFX';
  const { format, data, size64, facts } = await findChunks(source, start, littleEndian);
  if (format === null || data === null) {
    throw new AudioError(
      'corrupt',
      `The WAV header is damaged (no ${format === null ? 'format' : 'data'}): ${source.path}`,
    );
  }
  const available = source.size - data.start;
  // Longer files than 32 bits can tell: what RF64 is for, and what some programs write all the same.
  const beyond = data.size === 0xffffffff && size64 !== null && size64 > 0 ? size64 : null;
  const wrapped = source.size > 2 ** 32 && size64 === null;
  const unknown = sizeUnknown(data.size, available) || wrapped;
  const declaredBytes = beyond ?? (unknown ? available : data.size);
  const dataBytes = Math.min(available, declaredBytes);
  const { tag, sampleRate, channels, blockAlign } = format;
  const span = { dataStart: data.start, dataBytes, declaredBytes };

  if (tag === MPEG_LAYER_3 || tag === MPEG_LAYER_12)
    return { kind: 'mpeg', start: data.start, end: data.start + dataBytes };
  if (tag === MS_ADPCM || tag === IMA_ADPCM) {
    checkSignal(format, source.path);
    const codec =
      tag === IMA_ADPCM
        ? imaAdpcm(channels, blockAlign)
        : msAdpcm(
            channels,
            blockAlign,
            format.coefficients.length > 0 ? format.coefficients : MS_COEFFICIENTS,
          );
    if (codec.samplesIn(blockAlign) === 0)
      throw new AudioError('corrupt', `Impossible block of ${blockAlign} bytes in ${source.path}`);
    return { kind: 'adpcm', codec, sampleRate, ...span, samples: facts };
  }
  const encoding = encodings[tag];
  if (encoding === undefined) {
    throw new AudioError('needs-external-decoder', `WAV codec ${tag} needs another decoder: ${source.path}`, {
      container: 'wav',
    });
  }
  checkSignal(format, source.path);
  const companded = encoding === 'alaw' || encoding === 'ulaw';
  const bytesPerSample = companded ? 1 : sampleBytes(format);
  const layout = checkLayout(
    {
      sampleRate,
      channels,
      encoding: encoding === 'signed' && bytesPerSample === 1 ? 'unsigned' : encoding,
      bytesPerSample,
      littleEndian,
      ...span,
    },
    source.path,
  );
  return { kind: 'pcm', layout };
}

/** Magic numbers of the kinds of WAV. */
export const WAV_MAGICS: readonly string[] = ['RIFF', 'RIFX', 'RF64', 'BW64'];

const dataOf = (content: WavContent): { start: number; end: number } => {
  if (content.kind === 'mpeg') return content;
  const { dataStart, dataBytes } = content.kind === 'pcm' ? content.layout : content;
  return { start: dataStart, end: dataStart + dataBytes };
};

/**
 * What is played one after the other: the WAV file at `start`, and behind its samples further ones of the same kind (a list
 * of data chunks) and other files that were put together with it.
 * @throws AudioError when the first cannot be read
 */
export async function* wavParts(source: FileSource, start: number): AsyncGenerator<WavContent, void> {
  let content = await parseWav(source, start);
  let fileStart = start;
  for (let part = 0; part < MAX_PARTS; part++) {
    yield content;
    const next = await nextPart(source, fileStart, content);
    if (next === null) return;
    ({ content, fileStart } = next);
  }
}

async function nextPart(
  source: FileSource,
  fileStart: number,
  content: WavContent,
): Promise<{ content: WavContent; fileStart: number } | null> {
  const littleEndian = content.kind !== 'pcm' || content.layout.littleEndian;
  const { start, end } = dataOf(content);
  if (end >= source.size) return null;
  // From the chunk of the samples on; the walk begins twelve bytes behind the place it is given.
  for await (const chunk of walkChunks(source, start - 20, littleEndian)) {
    if (chunk.start <= start) {
      // Its size was not believed, or is counted elsewhere: what follows is found nowhere.
      if (chunk.start + chunk.size !== end) return null;
      continue;
    }
    if (WAV_MAGICS.includes(chunk.id)) {
      const at = chunk.start - 8;
      const form = String.fromCharCode(...(await source.read(at + 8, 4)));
      return form === 'WAVE' ? { content: await parseWav(source, at), fileStart: at } : null;
    }
    const bytes = Math.min(chunk.size, source.size - chunk.start);
    if (chunk.id === 'data' && content.kind === 'pcm' && bytes > 0)
      return {
        fileStart,
        content: {
          kind: 'pcm',
          layout: { ...content.layout, dataStart: chunk.start, dataBytes: bytes, declaredBytes: chunk.size },
        },
      };
  }
  return null;
}

/**
 * Whether a WAV file is one that every program reads alike: little-endian PCM of up to 32 bits a sample, whose header
 * neither contradicts itself nor leaves its length open.
 * @throws AudioError corrupt; needs-external-decoder
 */
export async function wavIsPlain(source: FileSource, start: number): Promise<boolean> {
  const content = await parseWav(source, start);
  if (content.kind !== 'pcm' || start > 0) return false;
  const { littleEndian, bytesPerSample, channels, encoding } = content.layout;
  const { format, data } = await findChunks(source, start, littleEndian);
  const companded = encoding === 'alaw' || encoding === 'ulaw';
  return (
    littleEndian &&
    bytesPerSample <= 4 &&
    format !== null &&
    format.blockAlign === bytesPerSample * channels &&
    (companded || format.bits === bytesPerSample * 8) &&
    data !== null &&
    !sizeUnknown(data.size, source.size - data.start) &&
    (await nextPart(source, start, content)) === null
  );
}
