import { AudioError } from './errors.ts';
import { checkLayout, type PcmLayout } from './pcm.ts';
import { walkChunks } from './riff.ts';
import type { FileSource } from './source.ts';

const EXTENSIBLE = 0xfffe;
const encodings: Readonly<Record<number, PcmLayout['encoding']>> = {
  1: 'signed',
  3: 'float',
  6: 'alaw',
  7: 'ulaw',
};

interface Format {
  tag: number;
  channels: number;
  sampleRate: number;
  blockAlign: number;
}

function parseFormat(bytes: Uint8Array): Format | null {
  if (bytes.length < 16) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let tag = view.getUint16(0, true);
  // WAVE_FORMAT_EXTENSIBLE: the codec is in the first two bytes of the sub-format GUID.
  if (tag === EXTENSIBLE && bytes.length >= 26) tag = view.getUint16(24, true);
  return {
    tag,
    channels: view.getUint16(2, true),
    sampleRate: view.getUint32(4, true),
    blockAlign: view.getUint16(12, true),
  };
}

/**
 * Layout of a WAV or RF64 file: PCM of 8, 16, 24 and 32 bits, float of 32 and 64 bits, A-law, µ-law.
 * @throws AudioError corrupt; needs-external-decoder for compressed codecs such as ADPCM
 */
export async function parseWav(source: FileSource, start: number): Promise<PcmLayout> {
  let format: Format | null = null;
  let data: { start: number; size: number } | null = null;
  let size64: number | null = null;
  for await (const chunk of walkChunks(source, start, true)) {
    if (chunk.id === 'ds64') {
      const bytes = await source.read(chunk.start, 16);
      if (bytes.length === 16)
        size64 = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8, true));
    } else if (chunk.id === 'fmt ') {
      format ??= parseFormat(await source.read(chunk.start, Math.min(chunk.size, 40)));
    } else if (chunk.id === 'data') {
      data ??= { start: chunk.start, size: chunk.size };
    }
    if (format !== null && data !== null) break;
  }
  if (format === null || data === null) {
    throw new AudioError(
      'corrupt',
      `The WAV header is damaged (no ${format === null ? 'format' : 'data'}): ${source.path}`,
    );
  }
  const encoding = encodings[format.tag];
  if (encoding === undefined) {
    throw new AudioError(
      'needs-external-decoder',
      `WAV codec ${format.tag} needs another decoder: ${source.path}`,
    );
  }
  const available = source.size - data.start;
  // 0 and 2^32−1 are left behind by programs that write to a pipe: the data go to the end of the file.
  const streamed = data.size === 0xffffffff || data.size === 0;
  const declaredBytes =
    data.size === 0xffffffff && size64 !== null ? size64 : streamed ? available : data.size;
  const bytesPerSample = format.blockAlign / format.channels;
  return checkLayout(
    {
      sampleRate: format.sampleRate,
      channels: format.channels,
      encoding: encoding === 'signed' && bytesPerSample === 1 ? 'unsigned' : encoding,
      bytesPerSample,
      littleEndian: true,
      dataStart: data.start,
      dataBytes: Math.min(available, declaredBytes),
      declaredBytes,
    },
    source.path,
  );
}
