import { AudioError } from './errors.ts';
import { checkLayout, type PcmLayout } from './pcm.ts';
import { walkChunks } from './riff.ts';
import type { FileSource } from './source.ts';

/** Encodings of AIFF-C (compression type → samples); `size` overrides the sample size of the header. */
const encodings: Readonly<
  Record<string, { encoding: PcmLayout['encoding']; littleEndian?: boolean; size?: number }>
> = {
  NONE: { encoding: 'signed' },
  twos: { encoding: 'signed' },
  in24: { encoding: 'signed', size: 3 },
  in32: { encoding: 'signed', size: 4 },
  '42ni': { encoding: 'signed', littleEndian: true, size: 3 },
  '23ni': { encoding: 'signed', littleEndian: true, size: 4 },
  sowt: { encoding: 'signed', littleEndian: true },
  'raw ': { encoding: 'unsigned', size: 1 },
  fl32: { encoding: 'float', size: 4 },
  FL32: { encoding: 'float', size: 4 },
  fl64: { encoding: 'float', size: 8 },
  FL64: { encoding: 'float', size: 8 },
  alaw: { encoding: 'alaw', size: 1 },
  ALAW: { encoding: 'alaw', size: 1 },
  ulaw: { encoding: 'ulaw', size: 1 },
  ULAW: { encoding: 'ulaw', size: 1 },
};

interface Common {
  channels: number;
  frames: number;
  bits: number;
  sampleRate: number;
  compression: string;
}

/** 80-bit extended float: 15-bit exponent and 64-bit mantissa with explicit leading one. */
function readExtended(view: DataView, offset: number): number {
  const exponent = (view.getUint16(offset) & 0x7fff) - 16383;
  const mantissa = view.getUint32(offset + 2) * 2 ** 32 + view.getUint32(offset + 6);
  return mantissa * 2 ** (exponent - 63);
}

function parseCommon(bytes: Uint8Array): Common | null {
  if (bytes.length < 18) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    channels: view.getUint16(0),
    frames: view.getUint32(2),
    bits: view.getUint16(6),
    // Old Macintosh rates are fractional (22254.545 Hz); the error of rounding is below 0.003 %.
    sampleRate: Math.round(readExtended(view, 8)),
    compression: bytes.length >= 22 ? String.fromCharCode(...bytes.subarray(18, 22)) : 'NONE',
  };
}

/**
 * Layout of an AIFF or AIFF-C file. The chunks may come in any order.
 * @throws AudioError corrupt; needs-external-decoder for compressed codecs such as IMA4
 */
export async function parseAiff(source: FileSource, start: number): Promise<PcmLayout> {
  const form = String.fromCharCode(...(await source.read(start + 8, 4)));
  let common: Common | null = null;
  let sound: { start: number; size: number } | null = null;
  for await (const chunk of walkChunks(source, start, false)) {
    if (chunk.id === 'COMM') {
      common ??= parseCommon(await source.read(chunk.start, Math.min(chunk.size, form === 'AIFC' ? 22 : 18)));
    } else if (chunk.id === 'SSND') {
      const head = await source.read(chunk.start, 8);
      const offset = head.length === 8 ? new DataView(head.buffer, head.byteOffset).getUint32(0) : 0;
      sound ??= { start: chunk.start + 8 + offset, size: Math.max(0, chunk.size - 8 - offset) };
    }
    if (common !== null && sound !== null) break;
  }
  if (common === null || sound === null) {
    throw new AudioError(
      'corrupt',
      `The AIFF header is damaged (no ${common === null ? 'format' : 'sound data'}): ${source.path}`,
    );
  }
  const kind = encodings[common.compression];
  if (kind === undefined) {
    throw new AudioError(
      'needs-external-decoder',
      `AIFF-C codec “${common.compression}” needs another decoder: ${source.path}`,
      { container: 'aiff' },
    );
  }
  const bytesPerSample = kind.size ?? Math.ceil(common.bits / 8);
  const announced = common.frames * common.channels * bytesPerSample;
  const declaredBytes =
    announced > 0 && sound.size > 0 ? Math.min(announced, sound.size) : Math.max(announced, sound.size);
  return checkLayout(
    {
      sampleRate: common.sampleRate,
      channels: common.channels,
      encoding: kind.encoding,
      bytesPerSample,
      littleEndian: kind.littleEndian ?? false,
      dataStart: sound.start,
      dataBytes: Math.max(0, Math.min(source.size - sound.start, declaredBytes)),
      declaredBytes,
    },
    source.path,
  );
}
