import { AudioError } from './errors.ts';
import { checkLayout, type PcmLayout } from './pcm.ts';
import type { FileSource } from './source.ts';

/** Encodings of Sun/NeXT audio; the others are compressed. */
const encodings: Readonly<Record<number, [encoding: PcmLayout['encoding'], bytesPerSample: number]>> = {
  1: ['ulaw', 1],
  2: ['signed', 1],
  3: ['signed', 2],
  4: ['signed', 3],
  5: ['signed', 4],
  6: ['float', 4],
  7: ['float', 8],
  27: ['alaw', 1],
};

const UNKNOWN_SIZE = 0xffffffff;
const HEADER_BYTES = 24;

/**
 * Layout of an `.au` or `.snd` file (Sun, 1992): magic, offset of the data, their size, encoding, rate, channels; each
 * 32 bits, big-endian. The same header with its bytes turned round (`dns.`) holds little-endian samples.
 * @throws AudioError corrupt; needs-external-decoder for G.72x
 */
export async function parseAu(source: FileSource, start: number): Promise<PcmLayout> {
  const head = await source.read(start, HEADER_BYTES);
  if (head.length < HEADER_BYTES)
    throw new AudioError('corrupt', `The AU header is cut short: ${source.path}`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const littleEndian = view.getUint8(0) === 0x64;
  const field = (index: number): number => view.getUint32(4 * index, littleEndian);
  const kind = encodings[field(3)];
  if (kind === undefined) {
    throw new AudioError(
      'needs-external-decoder',
      `AU encoding ${field(3)} needs another decoder: ${source.path}`,
      { container: 'au' },
    );
  }
  const dataStart = start + Math.max(HEADER_BYTES, field(1));
  const available = Math.max(0, source.size - dataStart);
  const announced = field(2);
  const declaredBytes = announced === UNKNOWN_SIZE || announced === 0 ? available : announced;
  return checkLayout(
    {
      sampleRate: field(4),
      channels: field(5),
      encoding: kind[0],
      bytesPerSample: kind[1],
      littleEndian,
      dataStart,
      dataBytes: Math.min(available, declaredBytes),
      declaredBytes,
    },
    source.path,
  );
}
