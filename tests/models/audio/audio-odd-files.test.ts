import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFfmpegDecoder, ffmpegDecoder } from '../../../engine/decode/index.ts';
import { evenChunks } from '../../../models/audio/chunks.ts';
import { AudioError, decodeMono, decodePcm, readTags } from '../../../models/audio/index.ts';
import { collect, compare, expectedSignal, fixture, hasFfmpeg, never } from '../../fixtures/audio/signal.ts';
import {
  au,
  chunk,
  id3,
  noise,
  oddFixture,
  oggPages,
  otherStream,
  plainFixture,
  wav,
  withSerial,
} from '../../support/odd-audio.ts';

const RATE = 24_000;
let folder = '';
let files = 0;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'archetone-odd-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.audio`);
  await writeFile(path, bytes);
  return path;
}

interface Decoded {
  samples: Float32Array;
  warnings: string[];
}

async function decode(bytes: Uint8Array): Promise<Decoded> {
  const warnings: string[] = [];
  const onWarning = (text: string): void => void warnings.push(text);
  const path = await write(bytes);
  return {
    samples: await collect(decodeMono(path, { sampleRate: RATE, signal: never, onWarning })),
    warnings,
  };
}

async function refusal(bytes: Uint8Array): Promise<AudioError> {
  try {
    await decode(bytes);
  } catch (error) {
    if (error instanceof AudioError) return error;
    throw error;
  }
  throw new Error('decoded, but should not');
}

const { mono } = expectedSignal(RATE);

/** Correlation with the fixtures' signal at the best of small shifts: encoders delay, and nobody says by how much. */
function likeness(samples: Float32Array, from = 0): number {
  let best = -1;
  for (let lag = 0; lag <= 4000; lag += 2)
    best = Math.max(best, compare(samples.subarray(from), mono, lag).correlation);
  return best;
}

function expectSignal({ samples, warnings }: Decoded, least = 0.98): void {
  expect(warnings).toEqual([]);
  expect(samples.length).toBeGreaterThanOrEqual(mono.length);
  expect(samples.length).toBeLessThan(mono.length + 4500);
  expect(likeness(samples)).toBeGreaterThan(least);
}

const joined = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);

describe('streams whose parameters change', () => {
  /** Length of each part by itself and of the whole, and that every part sounds as it does alone. */
  async function expectSum(parts: readonly Buffer[]): Promise<void> {
    const alone = await Promise.all(parts.map((part) => decode(part)));
    const { samples, warnings } = await decode(joined(...parts));
    expect(warnings).toEqual([]);
    let at = 0;
    for (const part of alone) {
      const { maxDifference } = compare(samples.subarray(at, at + part.samples.length), part.samples);
      // Where one rate goes on across the border the filter sees both sides: the ends may differ there.
      const inner = compare(
        samples.subarray(at + 100, at + part.samples.length - 100),
        part.samples.subarray(100, -100),
      );
      expect(Math.min(maxDifference, inner.maxDifference)).toBeLessThan(1e-4);
      at += part.samples.length;
    }
    expect(Math.abs(samples.length - at)).toBeLessThanOrEqual(parts.length);
  }
  const ogg = plainFixture('stereo.ogg');
  const opus = plainFixture('stereo.opus');

  it('Vorbis links of other rate and channels', () => expectSum([oddFixture('mono-16000.ogg'), ogg]));
  it('Vorbis links the other way round, three of them', () =>
    expectSum([ogg, oddFixture('mono-16000.ogg'), joined(...withSerial(oggPages(ogg), 77))]));
  it('Vorbis links of the same serial number', () => expectSum([ogg, ogg]));
  it('Opus links', () => expectSum([opus, oddFixture('mono.opus')]));
  it('links of other codecs', () => expectSum([opus, ogg, plainFixture('stereo-flac.oga')]));
  it('mp3 of other rates and versions', () =>
    expectSum([oddFixture('mono-44100.mp3'), oddFixture('mono-22050.mp3'), oddFixture('mono-8000.mp3')]));
  it('mp3 with information headers of the same rate', () =>
    expectSum([plainFixture('stereo-vbr-tagged.mp3'), plainFixture('stereo-vbr-tagged.mp3')]));
  it('mp3 behind one with an information header', () =>
    expectSum([plainFixture('stereo-vbr-tagged.mp3'), oddFixture('mono-8000.mp3')]));
  it('FLAC with tags behind it is whole', async () => {
    const ape = Buffer.alloc(64);
    for (const at of [0, 32]) ape.write('APETAGEX', at, 'latin1');
    ape[44] = 32;
    ape[55] = 0x80;
    const id3v1 = joined(Buffer.from('TAG'), Buffer.alloc(125, 0x20));
    const { samples, warnings } = await decode(joined(plainFixture('stereo.flac'), ape, id3v1));
    expect(warnings).toEqual([]);
    expect(samples.length).toBe(mono.length);
  });
  it('FLAC files put together', () => expectSum([plainFixture('stereo.flac'), plainFixture('stereo.flac')]));
  it('WAV files of other rate and depth, and samples in several chunks', async () => {
    await expectSum([wav(), wav({ sampleRate: 44_100, bits: 24 }), wav({ float: true })]);
    const half = Math.floor(mono.length / 2);
    const rest = wav({ samples: mono.subarray(half) });
    const behind = joined(Buffer.from('LIST\x04\0\0\0INFO'), rest.subarray(rest.indexOf('data')));
    const { samples, warnings } = await decode(wav({ samples: mono.subarray(0, half), after: behind }));
    expect(warnings).toEqual([]);
    expect(samples.length).toBe(mono.length);
    expect(compare(samples, mono).maxDifference).toBeLessThan(1e-4);
  });
  it('Ogg of whose first link the last page is missing: both are heard, and that is said', async () => {
    for (const name of ['stereo.ogg', 'stereo.opus']) {
      const cut = joined(...oggPages(plainFixture(name)).slice(0, -1));
      const { samples, warnings } = await decode(joined(cut, plainFixture('stereo.ogg')));
      expect(samples.length).toBeGreaterThan(1.5 * mono.length);
      expect(warnings).toEqual(['A part of the file is incomplete: its last page is missing.']);
    }
  });
  it('FLAC files put together where the second begins 41 bytes, one less than its head, before a block read ends', () => {
    const flac = plainFixture('stereo.flac');
    const padding = Buffer.alloc(64 * 1024 - 41 - flac.length);
    padding.writeUInt32BE((1 << 24) | (padding.length - 4));
    return expectSum([joined(flac.subarray(0, 42), padding, flac.subarray(42)), flac]);
  });

  it('mono then stereo mp3: both channels are heard', async () => {
    const file = joined(oddFixture('mono-44100.mp3'), plainFixture('stereo-cbr.mp3'));
    const stream = await decodePcm(await write(file), { signal: never });
    const channels = new Set<number>();
    let [left, right] = [0, 0];
    for await (const { channelData } of stream.chunks) {
      channels.add(channelData.length);
      for (const sample of channelData[1] ?? []) right += sample * sample;
      for (const sample of channelData[1] ? (channelData[0] ?? []) : []) left += sample * sample;
    }
    expect([...channels]).toEqual([1, 2]);
    expect(right / left).toBeGreaterThan(0.8);
    // Not sample by sample: one rate goes on, and the second part begins between two samples of the output.
    const { samples, warnings } = await decode(file);
    const first = await decode(oddFixture('mono-44100.mp3'));
    expect(warnings).toEqual([]);
    expect(likeness(samples)).toBeGreaterThan(0.98);
    expect(likeness(samples, first.samples.length)).toBeGreaterThan(0.98);
  });
});

describe('what a file is', () => {
  const mp3 = oddFixture('mono-22050.mp3');
  const ogg = plainFixture('stereo.ogg');
  const [firstPage = Buffer.alloc(0), ...otherPages] = oggPages(ogg);
  const skeleton = otherStream('fishead\0\x03\0', 5);
  const theora = otherStream('\x80theora\x03\x02\x01', 6);

  it.each<[string, Buffer]>([
    ['RF64', wav({ magic: 'RF64' })],
    ['BW64', wav({ magic: 'BW64' })],
    ['RIFX, 16 bits', wav({ magic: 'RIFX' })],
    ['RIFX, 24 bits', wav({ magic: 'RIFX', bits: 24 })],
    ['RIFX, float', wav({ magic: 'RIFX', float: true })],
    ['AU, 16 bits', au('int16')],
    ['AU, float, of unknown size', au('float', { size: 0xffffffff })],
    ['AU, little-endian', au('int16', { littleEndian: true })],
    ['Ogg with a skeleton first', joined(skeleton, firstPage, ...otherPages)],
    [
      'Ogg with a cover as Theora first',
      joined(theora, firstPage, otherStream('cover', 6, 0), ...otherPages),
    ],
    ['Ogg with a skeleton behind', joined(firstPage, skeleton, otherStream('fisbone', 5, 0), ...otherPages)],
    ['mp3 behind zeros', joined(Buffer.alloc(72_000), mp3)],
    ['mp3 behind zeros that its tag does not count', joined(id3(100), Buffer.alloc(300_000), mp3)],
    ['mp3 behind a tag of 2 MB', joined(id3(2_000_000), mp3)],
    ['mp3 behind several tags', joined(id3(10), id3(5000), id3(0), mp3)],
    ['mp3 whose tag counts in eight bits', joined(id3(40_000, { plain: true }), mp3)],
    ['mp3 whose tag counts too little', joined(id3(3000, { size: 20 }), mp3)],
    ['mp3 whose tag counts too much', joined(id3(3000, { size: 4000 }), mp3)],
    ['mp3 whose tag reaches beyond the file', joined(id3(3000, { size: 200_000_000 }), mp3)],
    ['mp3 in the middle of a frame', mp3.subarray(57)],
    ['mp3 behind half a megabyte of something', joined(noise(500_000), mp3)],
    ['MPEG-2.5', oddFixture('mono-8000.mp3')],
    ['free-format mp3', oddFixture('mono-free-format.mp3')],
    ['free-format mp3 behind a tag', joined(id3(1000), oddFixture('mono-free-format.mp3'))],
    ['mp3 in WAV', wavAround(mp3)],
    [
      'mp3 with lyrics behind',
      joined(mp3, Buffer.from(`LYRICSBEGIN${'la '.repeat(60)}000191LYRICS200`), id3v1()),
    ],
  ])('%s', async (kind, file) => {
    expectSignal(await decode(file), kind === 'MPEG-2.5' ? 0.95 : 0.98);
    const { info } = await readTags(await write(file));
    expect(Math.abs((info?.durationSeconds ?? 0) - 1.5)).toBeLessThan(0.25);
  });

  function id3v1(): Buffer {
    return joined(Buffer.from('TAG'), Buffer.alloc(125, 0x20));
  }

  /** A WAV file whose codec is MPEG layer III. */
  function wavAround(content: Buffer): Buffer {
    const format = Buffer.alloc(30);
    format.writeUInt16LE(0x55, 0);
    format.writeUInt16LE(1, 2);
    format.writeUInt32LE(22_050, 4);
    return chunk('RIFF', joined(Buffer.from('WAVE'), chunk('fmt ', format), chunk('data', content)));
  }

  it('trims a free-format mp3 by its information frame', async () => {
    const { samples, warnings } = await decode(oddFixture('mono-free-format-info.mp3'));
    expect(warnings).toEqual([]);
    expect(samples.length).toBe(mono.length);
    expect(compare(samples, mono).correlation).toBeGreaterThan(0.99);
  });

  it('names what is no audio', async () => {
    expect((await refusal(Buffer.from('%PDF-1.7 and more'))).message).toContain('PDF');
    expect((await refusal(noise(2_000_000))).code).toBe('not-audio');
    expect((await refusal(otherStream('\x80theora', 3))).code).toBe('unsupported');
  });
});

describe('WAV headers', () => {
  const stereo = expectedSignal(RATE);
  const interleaved = new Float32Array(stereo.left.length * 2).map((_, i) =>
    i % 2 === 0 ? (stereo.left[i >> 1] ?? 0) : (stereo.right[i >> 1] ?? 0),
  );
  const list = chunk('LIST', Buffer.from('INFOICMT\x05\0\0\0hello'));
  const cue = chunk('cue ', Buffer.alloc(28, 1));

  it.each<[string, Buffer]>([
    ['block of one channel', wav({ channels: 2, samples: interleaved, header: { blockAlign: 2 } })],
    ['block of 0', wav({ header: { blockAlign: 0 } })],
    ['block too large', wav({ header: { blockAlign: 4 } })],
    ['block and bytes per second of 0', wav({ header: { blockAlign: 0, byteRate: 0 } })],
    ['bits of 0', wav({ header: { bits: 0 } })],
    ['64 bits', inSixtyFourBits()],
    ['24 bits in 32', wav({ bits: 32, header: { bits: 24 } })],
    ['20 bits in 24', wav({ bits: 24, header: { bits: 20 } })],
    ['size 0', wav({ header: { dataSize: 0 } })],
    ['size 0xFFFFFFFF', wav({ header: { dataSize: 0xffffffff } })],
    ['size 0x7FFFFFFF', wav({ header: { dataSize: 0x7fffffff } })],
    ['size 0x7FFFF000, as sox writes to a pipe', wav({ header: { dataSize: 0x7ffff000 } })],
    ['odd chunk with its pad', wav({ before: chunk('LIST', Buffer.alloc(17)) })],
    ['odd chunk without its pad', wav({ before: chunk('LIST', Buffer.alloc(17), { pad: false }) })],
    [
      'two odd chunks without pad',
      wav({ before: joined(...[17, 5].map((n) => chunk('JUNK', Buffer.alloc(n, 0x20), { pad: false }))) }),
    ],
    ['cue and list behind the data', wav({ after: joined(cue, list) })],
    ['cue and list before the data', wav({ before: joined(cue, list) })],
  ])('%s', async (_, bytes) => {
    const { samples, warnings } = await decode(bytes);
    expect(warnings).toEqual([]);
    expect(samples.length).toBe(mono.length);
    expect(compare(samples, mono).maxDifference).toBeLessThan(1e-4);
  });

  function inSixtyFourBits(): Buffer {
    const samples = Buffer.alloc(mono.length * 8);
    mono.forEach((sample, i) => samples.writeBigInt64LE(BigInt(Math.round(sample * 2 ** 31)) << 32n, i * 8));
    const format = Buffer.from(wav().subarray(20, 36));
    format.writeUInt16LE(8, 12);
    format.writeUInt16LE(64, 14);
    return chunk('RIFF', joined(Buffer.from('WAVE'), chunk('fmt ', format), chunk('data', samples)));
  }

  it('IMA and Microsoft ADPCM', async () => {
    for (const bytes of [plainFixture('stereo-adpcm.wav'), oddFixture('stereo-ms-adpcm.wav')])
      expectSignal(await decode(bytes), 0.99);
  });

  it('ADPCM whose header tells no length has the length of its blocks, decoded and in the list', async () => {
    const bytes = Buffer.from(plainFixture('stereo-adpcm.wav'));
    bytes.writeUInt32LE(0, bytes.indexOf('fact') + 8);
    const stream = await decodePcm(await write(bytes), { signal: never });
    let samples = 0;
    for await (const { channelData } of stream.chunks) samples += channelData[0]?.length ?? 0;
    const { info } = await readTags(await write(bytes));
    expect(info?.durationSeconds).toBeCloseTo(1.5, 1);
    expect(info?.durationSeconds).toBe(samples / stream.sampleRate);
  });

  it('Microsoft ADPCM behind an extensible header, whose GUID is no table of predictors', async () => {
    const plain = oddFixture('stereo-ms-adpcm.wav');
    const format = plain.indexOf('fmt ') + 8;
    const extensible = Buffer.alloc(40);
    plain.copy(extensible, 0, format, format + 16);
    extensible.writeUInt16LE(0xfffe, 0);
    extensible.writeUInt16LE(22, 16);
    extensible.writeUInt32LE(3, 20);
    extensible.write('\x02\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71', 24, 'latin1');
    const data = plain.indexOf('data');
    const size = plain.readUInt32LE(data + 4);
    const content = chunk('data', plain.subarray(data + 8, data + 8 + size));
    const bytes = chunk('RIFF', joined(Buffer.from('WAVE'), chunk('fmt ', extensible), content));
    expectSignal(await decode(bytes), 0.99);
  });
});

describe('damage', () => {
  const mp3 = plainFixture('stereo-vbr-tagged.mp3');
  const endOfTag = mp3.indexOf('Info') > 0 ? mp3.indexOf('Info') - 36 : mp3.indexOf('Xing') - 36;

  it('an mp3 whose encoder was killed before it told the number of frames has its length', async () => {
    const bytes = Buffer.from(mp3);
    bytes.writeUInt32BE(0, bytes.indexOf('Xing') + 8);
    const { samples } = await decode(bytes);
    const { info } = await readTags(await write(bytes));
    expect(samples.length / RATE).toBeCloseTo(1.5, 0);
    expect(info?.durationSeconds).toBeGreaterThan(1);
  });

  it('an Opus header that cannot be is told when the file is decoded, and leaves its tags readable', async () => {
    const [first = Buffer.alloc(0), ...rest] = oggPages(plainFixture('stereo.opus'));
    const head = Buffer.from(first);
    head[head.indexOf('OpusHead') + 9] = 6; // Six channels, and no word on how they lie in the streams.
    const bytes = joined(...withSerial([head, ...rest], 5));
    expect(await refusal(bytes)).toMatchObject({ code: 'corrupt' });
    await expect(readTags(await write(bytes))).resolves.toHaveProperty('tags');
  });

  it('what came before a fault is heard, however short it is', async () => {
    const samples = Float32Array.of(1, 2, 3);
    const chunks = evenChunks(
      (async function* () {
        yield await Promise.resolve({ sampleRate: RATE, channelData: [samples] });
        throw new Error('a fault');
      })(),
    );
    expect((await chunks.next()).value?.channelData).toEqual([samples]);
    await expect(chunks.next()).rejects.toThrow('a fault');
  });

  it.each<[string, Buffer, RegExp]>([
    ['half an mp3', mp3.subarray(0, mp3.length * 0.6), /incomplete: 0\.\d+ of 1\.5/],
    ['half a WAV', wav().subarray(0, 30_000), /incomplete/],
    ['junk in an mp3', joined(mp3.subarray(0, 5000), noise(3000), mp3.subarray(5000)), /no audio/],
    ['a FLAC with a hole', holed(plainFixture('stereo.flac'), 20_000, 3000), /damaged|incomplete/],
    [
      'an Ogg with a lost page',
      joined(...oggPages(plainFixture('stereo.ogg')).filter((_, i) => i !== 4)),
      /damaged/,
    ],
    ['an Ogg with a page of wrong checksum', holed(plainFixture('stereo.ogg'), 6000, 10), /damaged|no audio/],
    [
      'NaN in a WAV',
      wav({ float: true, samples: mono.map((v, i) => (i % 10 === 0 ? NaN : v)) }),
      /no numbers/,
    ],
    [
      '±Inf in a WAV',
      wav({ float: true, samples: mono.map((v, i) => (i === 7 ? -Infinity : v)) }),
      /1 of .* no numbers/,
    ],
  ])('%s gives what is there and says so', async (_, bytes, words) => {
    const { samples, warnings } = await decode(bytes);
    expect(samples.length).toBeGreaterThan(5000);
    expect(samples.every(Number.isFinite)).toBe(true);
    expect(warnings.join(' ')).toMatch(words);
  });

  it.each<[string, Buffer]>([
    ['a WAV of which a twentieth is there', wav().subarray(0, 3600)],
    [
      'an Ogg behind which there are more false pages than are looked at',
      joined(plainFixture('stereo.ogg'), ...Array<Buffer>(10_000).fill(Buffer.from('OggS'.padEnd(64, '\0')))),
    ],
    ['an mp3 of which a twentieth is there', mp3.subarray(0, endOfTag + 900)],
    ['an mp3 of which all but the ends is noise', joined(mp3.subarray(0, 4000), noise(300_000))],
    ['a WAV of NaN', wav({ float: true, samples: new Float32Array(24_000).fill(NaN) })],
  ])('%s is refused', async (_, bytes) => {
    const error = await refusal(bytes);
    expect(error.code).toBe('corrupt');
    expect(error.hint.length).toBeGreaterThan(20);
  });

  function holed(bytes: Buffer, at: number, length: number): Buffer {
    const copy = Buffer.from(bytes);
    copy.fill(0x55, at, at + length);
    return copy;
  }
});

describe('what a system ffmpeg reads', () => {
  it('says what to do without ffmpeg', async () => {
    const error = await refusal(oddFixture('mono.wv'));
    expect(error).toMatchObject({ code: 'needs-external-decoder', container: 'wavpack' });
    expect(error.message).toContain('WavPack');
    expect(error.hint).toContain('ffmpeg');
  });

  it.skipIf(!hasFfmpeg)('decodes WavPack with ffmpeg', async () => {
    const path = await write(oddFixture('mono.wv'));
    const options = { sampleRate: RATE, signal: never, external: ffmpegDecoder };
    const samples = await collect(decodeMono(path, options));
    expect(compare(samples, mono).correlation).toBeGreaterThan(0.99);
  });

  it.each([
    ['Flash Video', Buffer.from('FLV\x01\x05')],
    ['MPEG video', Buffer.from([0, 0, 1, 0xba, 0x44])],
    ['an MPEG transport stream', Buffer.alloc(188 * 4).map((_, i) => (i % 188 === 0 ? 0x47 : 0xff))],
    ['an MPEG transport stream', Buffer.alloc(192 * 4).map((_, i) => (i % 192 === 4 ? 0x47 : 0xff))],
  ])('is told for %s, whose sound is none of the formats read here', async (name, bytes) => {
    const error = await refusal(joined(bytes, noise(4000)));
    expect(error.code).toBe('needs-external-decoder');
    expect(error.message).toContain(name);
  });

  it.skipIf(!hasFfmpeg)('reads a file only as what it was recognised as', async () => {
    // A play list that names another file must not be followed, whatever demuxer ffmpeg would choose.
    const path = await write(Buffer.from(`ffconcat version 1.0\nfile '${fixture('stereo.m4a')}'\n`));
    const decoding = createFfmpegDecoder()(path, { signal: never, container: 'wavpack' });
    await expect(decoding).rejects.toMatchObject({ code: 'corrupt' });
  });

  it.skipIf(!hasFfmpeg)('tells of the damage that ffmpeg finds', async () => {
    const bytes = Buffer.from(await readFile(fixture('stereo.m4a')));
    bytes.fill(0x55, 8000, 9000);
    const warnings: string[] = [];
    const path = await write(bytes);
    const onWarning = (text: string): void => void warnings.push(text);
    await collect(decodeMono(path, { sampleRate: RATE, signal: never, external: ffmpegDecoder, onWarning }));
    expect(warnings.join()).toContain('ffmpeg reports damage');
  });
});
