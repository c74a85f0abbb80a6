import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedSignal, fixture } from '../fixtures/audio/signal.ts';

/** A file of `tests/fixtures/odd-audio`. */
export function oddFixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures/odd-audio', name));
}

export function plainFixture(name: string): Buffer {
  return readFileSync(fixture(name));
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export interface WavOptions {
  magic?: 'RIFF' | 'RIFX' | 'RF64' | 'BW64';
  sampleRate?: number;
  channels?: number;
  /** Of the integers that are written. */
  bits?: 16 | 24 | 32;
  float?: boolean;
  /** What the header says instead of the truth. */
  header?: { blockAlign?: number; byteRate?: number; bits?: number; dataSize?: number; tag?: number };
  /** Raw bytes of chunks, with or without their pad byte. */
  before?: Buffer;
  after?: Buffer;
  /** Interleaved, −1 to 1; the mono signal of the fixtures by default. */
  samples?: Float32Array;
}

/** Chunk of any size; `pad` false leaves out the byte that an odd size asks for. */
export function chunk(id: string, content: Buffer, { pad = true, bigEndian = false } = {}): Buffer {
  const size = Buffer.alloc(4);
  if (bigEndian) size.writeUInt32BE(content.length);
  else size.writeUInt32LE(content.length);
  return Buffer.concat([ascii(id), size, content, Buffer.alloc(pad ? content.length % 2 : 0)]);
}

/** A WAV file, right or wrong in one point. */
export function wav(options: WavOptions = {}): Buffer {
  const {
    magic = 'RIFF',
    sampleRate = 24_000,
    channels = 1,
    bits = 16,
    float = false,
    header = {},
  } = options;
  const samples = options.samples ?? expectedSignal(sampleRate).mono;
  const bigEndian = magic === 'RIFX';
  const bytes = float ? 4 : bits / 8;
  const data = Buffer.alloc(samples.length * bytes);
  samples.forEach((sample, i) => {
    const value = Math.max(
      -(2 ** (bits - 1)),
      Math.min(2 ** (bits - 1) - 1, Math.round(sample * 2 ** (bits - 1))),
    );
    if (float && bigEndian) data.writeFloatBE(sample, i * bytes);
    else if (float) data.writeFloatLE(sample, i * bytes);
    else if (bigEndian) data.writeIntBE(value, i * bytes, bytes);
    else data.writeIntLE(value, i * bytes, bytes);
  });
  const format = Buffer.alloc(16);
  const short = (value: number, at: number): number =>
    bigEndian ? format.writeUInt16BE(value, at) : format.writeUInt16LE(value, at);
  const long = (value: number, at: number): number =>
    bigEndian ? format.writeUInt32BE(value, at) : format.writeUInt32LE(value, at);
  short(header.tag ?? (float ? 3 : 1), 0);
  short(channels, 2);
  long(sampleRate, 4);
  long(header.byteRate ?? sampleRate * channels * bytes, 8);
  short(header.blockAlign ?? channels * bytes, 12);
  short(header.bits ?? bytes * 8, 14);
  const wide = magic === 'RF64' || magic === 'BW64';
  const sizes = Buffer.alloc(28);
  sizes.writeBigUInt64LE(BigInt(data.length), 8);
  const body = chunk('data', data, { bigEndian });
  const told = header.dataSize ?? (wide ? 0xffffffff : data.length);
  if (bigEndian) body.writeUInt32BE(told, 4);
  else body.writeUInt32LE(told, 4);
  const content = Buffer.concat([
    ascii('WAVE'),
    wide ? chunk('ds64', sizes) : Buffer.alloc(0),
    options.before ?? Buffer.alloc(0),
    chunk('fmt ', format, { bigEndian }),
    body,
    options.after ?? Buffer.alloc(0),
  ]);
  const riff = chunk(magic, content, { bigEndian });
  if (wide) riff.writeUInt32LE(0xffffffff, 4);
  return riff;
}

/** A Sun/NeXT file of the mono signal. */
export function au(
  encoding: 'float' | 'int16' | 'ulaw-silence',
  { littleEndian = false, size = -1 } = {},
): Buffer {
  const { mono } = expectedSignal(24_000);
  const bytes = { float: 4, int16: 2, 'ulaw-silence': 1 }[encoding];
  const data = Buffer.alloc(mono.length * bytes, encoding === 'ulaw-silence' ? 0xff : 0);
  mono.forEach((sample, i) => {
    if (encoding === 'float') data.writeFloatBE(sample, i * 4);
    if (encoding === 'int16' && littleEndian) data.writeInt16LE(Math.round(sample * 32767), i * 2);
    if (encoding === 'int16' && !littleEndian) data.writeInt16BE(Math.round(sample * 32767), i * 2);
  });
  const head = Buffer.alloc(28);
  const fields = [
    0x2e736e64,
    28,
    size < 0 ? data.length : size,
    { float: 6, int16: 3, 'ulaw-silence': 1 }[encoding],
  ];
  [...fields, 24_000, 1].forEach((value, i) =>
    littleEndian ? head.writeUInt32LE(value, i * 4) : head.writeUInt32BE(value, i * 4),
  );
  return Buffer.concat([head, data]);
}

/** An ID3v2.3 tag that holds `bytes` of padding, and what its header says of it. */
export function id3(bytes: number, told: { size?: number; plain?: boolean } = {}): Buffer {
  const size = told.size ?? bytes;
  const head = Buffer.from([0x49, 0x44, 0x33, 3, 0, 0, 0, 0, 0, 0]);
  if (told.plain === true) head.writeUInt32BE(size, 6);
  else for (let i = 0; i < 4; i++) head[6 + i] = (size >> (7 * (3 - i))) & 0x7f;
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}

// CRC-32 of Ogg, bit by bit: slow and plainly right.
function oggChecksum(page: Buffer): number {
  let crc = 0;
  for (const byte of page) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80000000) !== 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** The pages of an Ogg file, each as its bytes. */
export function oggPages(file: Buffer): Buffer[] {
  const pages: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const segments = file[at + 26] ?? 0;
    const size = file.subarray(at + 27, at + 27 + segments).reduce((sum, part) => sum + part, 27 + segments);
    pages.push(Buffer.from(file.subarray(at, at + size)));
    at += size;
  }
  return pages;
}

/** The same pages under another serial number. */
export function withSerial(pages: readonly Buffer[], serial: number): Buffer[] {
  return pages.map((page) => {
    const copy = Buffer.from(page);
    copy.writeUInt32LE(serial, 14);
    copy.writeUInt32LE(0, 22);
    copy.writeUInt32LE(oggChecksum(copy), 22);
    return copy;
  });
}

/** A page that begins a stream which is no music: a skeleton, a cover, subtitles. */
export function otherStream(head: string, serial: number, flags = 2): Buffer {
  const body = ascii(head);
  const page = Buffer.alloc(28 + body.length);
  page.write('OggS', 0, 'latin1');
  page[5] = flags;
  page.writeUInt32LE(serial, 14);
  page[26] = 1;
  page[27] = body.length;
  body.copy(page, 28);
  page.writeUInt32LE(oggChecksum(page), 22);
  return page;
}

/** Bytes that are no audio, the same for the same seed. */
export function noise(bytes: number, seed = 1): Buffer {
  let state = seed;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

function crc(bytes: Buffer, bits: 8 | 16, polynomial: number): number {
  const top = 1 << (bits - 1);
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) value = (value & top) === 0 ? value << 1 : (value << 1) ^ polynomial;
    value &= 2 ** bits - 1;
  }
  return value;
}

/** Mono FLAC of digital silence, 8 kHz, up to 120 hours: 14 bytes for every 65,535 samples (RFC 9639 §9: frames of one constant). */
export function silentFlac(seconds: number): Buffer {
  const [rate, block] = [8000, 65_535];
  const frames = Math.ceil((seconds * rate) / block);
  const info = Buffer.alloc(42);
  info.write('fLaC');
  info.writeUInt32BE(0x80000022, 4);
  info.writeUInt16BE(block, 8);
  info.writeUInt16BE(block, 10);
  info.writeUInt32BE(rate * 2 ** 12 + (15 << 4), 18);
  info.writeUInt32BE(frames * block, 22);
  const parts = [info];
  for (let frame = 0; frame < frames; frame++) {
    const number = [...Buffer.from(String.fromCodePoint(frame))];
    const head = Buffer.from([0xff, 0xf8, 0x74, 0x08, ...number, (block - 1) >> 8, (block - 1) & 0xff]);
    const body = Buffer.concat([head, Buffer.from([crc(head, 8, 0x07), 0, 0, 0])]);
    const check = Buffer.alloc(2);
    check.writeUInt16BE(crc(body, 16, 0x8005));
    parts.push(body, check);
  }
  return Buffer.concat(parts);
}

/** The frames of the ADTS fixture, one by one (ISO/IEC 13818-7 §6.2: 13 bits tell the length of each). */
export function adtsFrames(): Buffer[] {
  const file = plainFixture('stereo.aac');
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 <= file.length;) {
    const length = ((file.readUInt32BE(at + 3) >>> 13) & 0x1fff) >>> 0;
    frames.push(file.subarray(at, at + length));
    at += Math.max(7, length);
  }
  return frames;
}
