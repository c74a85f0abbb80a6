import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFfmpegDecoder, ffmpegDecoder } from '../../../engine/decode/index.ts';
import {
  AudioError,
  decodeMono,
  decodePcm,
  fromSystemError,
  type AudioFormat,
} from '../../../models/audio/index.ts';
import { giveFlacDecoder, takeFlacDecoder } from '../../../models/audio/flac-decoder.ts';
import { collect, compare, expectedSignal, fixture, hasFfmpeg, never } from '../../fixtures/audio/signal.ts';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'archetone-audio-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function failure(path: string): Promise<AudioError> {
  try {
    await collect(decodeMono(path, { sampleRate: 24000, signal: never }));
  } catch (error) {
    if (error instanceof AudioError) return error;
    throw error;
  }
  throw new Error('decoded, but should not');
}

/** Per fixture: format, rate, channels, largest allowed difference from the signal (lossy: correlation only). */
const lossless: [string, AudioFormat, number, number, number][] = [
  ['mono-8.wav', 'wav', 22050, 1, 1 / 128],
  ['mono-float64.wav', 'wav', 4000, 1, 1e-6],
  ['mono-mulaw.wav', 'wav', 8000, 1, 0.02],
  ['stereo-16.wav', 'wav', 8000, 2, 1e-4],
  ['stereo-16-rf64.wav', 'wav', 8000, 2, 1e-4],
  ['stereo-24-extensible.wav', 'wav', 6000, 2, 1e-6],
  ['stereo-32.wav', 'wav', 4000, 2, 1e-6],
  ['stereo-float32.wav', 'wav', 4000, 2, 1e-6],
  ['mono-8.aiff', 'aiff', 8000, 1, 1 / 128],
  ['stereo-16.aiff', 'aiff', 8000, 2, 1e-4],
  ['stereo-16-sowt.aifc', 'aiff', 8000, 2, 1e-4],
  ['stereo.flac', 'flac', 44100, 2, 1e-4],
  ['stereo-flac.oga', 'flac', 8000, 2, 1e-4],
];

describe('decodePcm', () => {
  it.each(lossless)('gives the samples of %s', async (name, format, rate, channels, tolerance) => {
    const warnings: string[] = [];
    const stream = await decodePcm(fixture(name), {
      signal: never,
      onWarning: (text) => warnings.push(text),
    });
    expect(stream).toMatchObject({ format, sampleRate: rate, channels });
    const parts: Float32Array[][] = Array.from({ length: channels }, () => []);
    for await (const chunk of stream.chunks)
      chunk.channelData.forEach((samples, channel) => parts[channel]?.push(samples));
    const { left, right, mono } = expectedSignal(rate);
    const wanted = channels === 1 ? [mono] : [left, right];
    for (const [channel, expected] of wanted.entries()) {
      const actual = Float32Array.from((parts[channel] ?? []).flatMap((part) => [...part]));
      expect(actual.length).toBe(expected.length);
      expect(compare(actual, expected).maxDifference).toBeLessThan(tolerance);
    }
    expect(warnings).toEqual([]);
  });

  // Without a LAME header nobody knows the encoder's delay: 1105 samples at 44.1 kHz, as in ffmpeg.
  const lossy: [string, AudioFormat, number][] = [
    ['stereo-vbr-tagged.mp3', 'mp3', 0],
    ['stereo-cbr.mp3', 'mp3', 1105],
    ['stereo.ogg', 'ogg', 0],
    ['stereo.opus', 'opus', 0],
  ];
  it.each(lossy)('gives the signal of %s in its place', async (name, format, delay) => {
    const warnings: string[] = [];
    const stream = await decodePcm(fixture(name), {
      signal: never,
      onWarning: (text) => warnings.push(text),
    });
    expect(stream).toMatchObject({ format, channels: 2 });
    const parts: Float32Array[] = [];
    for await (const { channelData } of stream.chunks) parts.push(channelData[1] ?? new Float32Array(0));
    const actual = Float32Array.from(parts.flatMap((part) => [...part]));
    const { right } = expectedSignal(stream.sampleRate);
    if (delay === 0) expect(actual.length).toBe(right.length);
    const { correlation, level } = compare(actual, right, delay);
    expect(correlation).toBeGreaterThan(0.995);
    expect(level).toBeCloseTo(1, 1);
    expect(compare(actual, right, delay + 20).correlation).toBeLessThan(correlation);
    expect(warnings).toEqual([]);
  });

  it('asks the Vorbis decoder for nothing before it knows the channels', async () => {
    const asked = vi.spyOn(OggVorbisDecoder.prototype, 'decodeOggPages');
    const stream = await decodePcm(fixture('stereo.ogg'), { signal: never });
    let chunks = 0;
    for await (const { channelData } of stream.chunks) chunks += channelData.length > 0 ? 1 : 0;
    expect(chunks).toBeGreaterThan(0);
    // Tens of thousands of empty ones, once: half of the time that a short file took.
    for (const { value } of asked.mock.settledResults)
      expect((value as { channelData: Float32Array[] }).channelData).toHaveLength(2);
  });

  it.skipIf(!hasFfmpeg).each([
    ['stereo.m4a', 'm4a', 0],
    ['stereo.aac', 'aac', 1024],
  ])('decodes %s through ffmpeg', async (name, format, delay) => {
    const stream = await decodePcm(fixture(name), { signal: never, external: ffmpegDecoder });
    expect(stream).toMatchObject({ format, channels: 2 });
    const parts: Float32Array[] = [];
    for await (const { channelData } of stream.chunks) parts.push(channelData[1] ?? new Float32Array(0));
    const { right } = expectedSignal(stream.sampleRate);
    const { correlation, level } = compare(
      Float32Array.from(parts.flatMap((part) => [...part])),
      right,
      delay,
    );
    expect(correlation).toBeGreaterThan(0.98);
    expect(level).toBeCloseTo(1, 1);
  });

  it.each(['stereo.m4a', 'stereo.aac'])('says what %s needs', async (name) => {
    const error = await failure(fixture(name));
    expect(error.code).toBe('needs-external-decoder');
    expect(error.hint).toContain('ffmpeg');
  });

  it('says so when ffmpeg is missing', async () => {
    const external = createFfmpegDecoder('ffmpeg-that-does-not-exist');
    await expect(decodePcm(fixture('stereo.m4a'), { signal: never, external })).rejects.toMatchObject({
      code: 'needs-external-decoder',
      message: expect.stringContaining('not found') as string,
    });
  });

  it.skipIf(process.platform === 'win32')('kills a program that hangs, on abort', async () => {
    const pidFile = join(folder, 'pid');
    const program = await write('hanging-ffmpeg', `#!/bin/sh\necho $$ > '${pidFile}'\nexec sleep 60\n`);
    await chmod(program, 0o755);
    const controller = new AbortController();
    const opening = decodePcm(fixture('stereo.m4a'), {
      signal: controller.signal,
      external: createFfmpegDecoder(program),
    });
    const outcome = opening.catch((error: unknown) => error);
    const pid = await vi.waitUntil(async () => Number(await readFile(pidFile, 'utf8').catch(() => '')), {
      timeout: 5000,
    });
    controller.abort();
    expect(await outcome).toBe(controller.signal.reason);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.skipIf(process.platform === 'win32')(
    'kills a program that hangs, on abort while it starts',
    async () => {
      const program = await write('starting-ffmpeg', '#!/bin/sh\nexec sleep 60\n');
      await chmod(program, 0o755);
      const controller = new AbortController();
      const opening = decodePcm(fixture('stereo.m4a'), {
        signal: controller.signal,
        external: (path, options) => {
          const opened = createFfmpegDecoder(program)(path, options);
          controller.abort();
          return opened;
        },
      });
      expect(await opening.catch((error: unknown) => error)).toBe(controller.signal.reason);
    },
  );

  it.skipIf(!hasFfmpeg)('names the fault that ffmpeg finds', async () => {
    const path = await write('broken.m4a', (await readFile(fixture('stereo.m4a'))).subarray(0, 600));
    await expect(decodePcm(path, { signal: never, external: ffmpegDecoder })).rejects.toMatchObject({
      code: 'corrupt',
    });
  });
});

describe('decodeMono', () => {
  it.each(lossless.map(([name]) => name))('mixes and resamples %s to 24 kHz', async (name) => {
    const actual = await collect(decodeMono(fixture(name), { sampleRate: 24000, signal: never }));
    const { mono } = expectedSignal(24000);
    expect(actual.length).toBe(mono.length);
    const { correlation, level } = compare(actual, mono);
    expect(correlation).toBeGreaterThan(0.9995);
    expect(level).toBeCloseTo(1, 2);
  });

  it('stops on abort and lets the file go', async () => {
    const controller = new AbortController();
    const pieces = decodeMono(fixture('stereo.flac'), { sampleRate: 24000, signal: controller.signal });
    expect((await pieces.next()).done).toBe(false);
    controller.abort();
    await expect(pieces.next()).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('decodes a FLAC file to the same samples, whatever was decoded before it', async () => {
    const whole = await readFile(fixture('stereo.flac'));
    const damaged = Uint8Array.from(whole, (byte, i) =>
      i > whole.length / 2 && i % 900 < 20 ? byte ^ 0x5a : byte,
    );
    const files = [
      fixture('stereo.flac'),
      await write('cut.flac', whole.subarray(0, (whole.length * 2) / 3)),
      await write('damaged.flac', damaged),
      // Of other lengths of a frame: what is left of one has the decoder miss frames of the other.
      ...['bd_klub', 'bd_mehackit'].map((name) =>
        createRequire(import.meta.url).resolve(`supersonic-scsynth-samples/samples/${name}.flac`),
      ),
    ];
    const decoded = files.map((): Float32Array[] => []);
    // Every file after every other one, and after one that was left in the middle.
    for (const before of [...files.keys(), null])
      for (const file of files.keys()) {
        if (before === null) {
          const left = decodeMono(files[0] ?? '', { sampleRate: 24000, signal: never });
          await left.next();
          await left.return(undefined);
        } else await collect(decodeMono(files[before] ?? '', { sampleRate: 24000, signal: never }));
        decoded[file]?.push(
          await collect(decodeMono(files[file] ?? '', { sampleRate: 24000, signal: never })),
        );
      }
    for (const [first, ...others] of decoded) {
      expect(first?.length).toBeGreaterThan(1000);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  it('decodes no samples of what is no FLAC, also in a memory that was used before', async () => {
    await collect(decodeMono(fixture('stereo.flac'), { sampleRate: 24000, signal: never }));
    const decoder = await takeFlacDecoder();
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    try {
      const nonsense = new Uint8Array(40).fill(7);
      const { samplesDecoded, errors } = await decoder.decodeFrames([nonsense, nonsense, nonsense]);
      expect([samplesDecoded, errors.length]).toEqual([0, 3]);
    } finally {
      told.mockRestore();
      giveFlacDecoder(decoder, false);
    }
  });

  it('turns samples that are not finite into silence', async () => {
    const bytes = await readFile(fixture('stereo-float32.wav'));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setFloat32(bytes.length - 4000, NaN, true);
    const actual = await collect(
      decodeMono(await write('nan.wav', bytes), { sampleRate: 4000, signal: never }),
    );
    expect(actual.every((value) => Number.isFinite(value))).toBe(true);
  });
});

describe('faults of a file', () => {
  it('recognises content, not names', async () => {
    const path = await write('really-flac.mp3', await readFile(fixture('stereo.flac')));
    expect((await decodePcm(path, { signal: never })).format).toBe('flac');
  });

  it.each([
    ['text.mp3', 'This is not music.\n'.repeat(5000), 'not-audio'],
    ['tiny.mp3', 'x', 'not-audio'],
    ['nothing.wav', '', 'empty'],
    ['header-only.wav', 'RIFF\x24\0\0\0WAVEfmt ', 'corrupt'],
    ['video.mkv', '\x1aE\xdf\xa3 and so on', 'needs-external-decoder'],
    ['page.mp3', '<!DOCTYPE html><html>404 not found</html>', 'not-audio'],
  ])('%s', async (name, content, code) => {
    const error = await failure(await write(name, Buffer.from(content, 'latin1')));
    expect(error.code).toBe(code);
    expect(error.message).toContain(name);
    expect(error.hint.length).toBeGreaterThan(20);
  });

  it('tells missing files, folders and forbidden files apart', async () => {
    expect((await failure(join(folder, 'nowhere.wav'))).code).toBe('missing');
    expect((await failure(folder)).code).toBe('unreadable');
    const denied = fromSystemError(Object.assign(new Error('no'), { code: 'EACCES' }), 'a.wav');
    expect(denied).toMatchObject({ code: 'unreadable', message: 'No permission to read a.wav' });
  });

  it.skipIf(process.getuid?.() === 0)(
    'refuses a file without read permission (root may read everything)',
    async () => {
      const path = await write('secret.wav', await readFile(fixture('stereo-16.wav')));
      await chmod(path, 0o000);
      expect((await failure(path)).code).toBe('unreadable');
    },
  );

  it.each([
    ['stereo-16.wav', 0.4],
    ['stereo-16.aiff', 0.4],
    ['stereo.flac', 0.4],
    ['stereo-vbr-tagged.mp3', 0.4],
    ['stereo.ogg', 0.7],
    ['stereo.opus', 0.5],
  ])('decodes what is left of a truncated %s and says so', async (name, part) => {
    const bytes = await readFile(fixture(name));
    const path = await write(`cut-${name}`, bytes.subarray(0, Math.floor(bytes.length * part)));
    const warnings: string[] = [];
    const actual = await collect(
      decodeMono(path, { sampleRate: 24000, signal: never, onWarning: (text) => warnings.push(text) }),
    );
    expect(actual.length).toBeGreaterThan(0);
    expect(actual.length).toBeLessThan(36_000);
    expect(warnings.join()).toContain('incomplete');
    const { mono } = expectedSignal(24000);
    // The last milliseconds ring into the cut.
    const kept = actual.length - 500;
    expect(compare(actual.subarray(0, kept), mono.subarray(0, kept)).correlation).toBeGreaterThan(0.99);
  });
});
