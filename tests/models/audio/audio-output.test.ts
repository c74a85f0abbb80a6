import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  coverBeside,
  cutWindows,
  decodeMono,
  encodeWav,
  PeakAccumulator,
  readTags,
  type AudioWindow,
} from '../../../models/audio/index.ts';
import { collect, fixture, never } from '../../fixtures/audio/signal.ts';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'archetone-audio-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const samplesArbitrary = fc.float32Array({ min: -1, max: 1, noNaN: true, minLength: 1, maxLength: 500 });

async function* pieces(samples: Float32Array, size: number): AsyncGenerator<Float32Array> {
  for (let i = 0; i < samples.length; i += size) yield await Promise.resolve(samples.subarray(i, i + size));
}

describe('encodeWav', () => {
  it.each(['pcm16', 'float32'] as const)('writes %s that reads back', async (format) => {
    const path = join(folder, `${format}.wav`);
    await fc.assert(
      fc.asyncProperty(samplesArbitrary, async (samples) => {
        await writeFile(path, encodeWav(samples, 24000, format));
        const back = await collect(decodeMono(path, { sampleRate: 24000, signal: never }));
        expect(back.length).toBe(samples.length);
        const tolerance = format === 'float32' ? 0 : 1 / 32768;
        back.forEach((value, i) =>
          expect(Math.abs(value - (samples[i] ?? 0))).toBeLessThanOrEqual(tolerance),
        );
        expect((await readTags(path)).info).toEqual({
          format: 'wav',
          sampleRate: 24000,
          channels: 1,
          durationSeconds: samples.length / 24000,
        });
      }),
      { numRuns: 30 },
    );
  });

  it('clips instead of wrapping around', () => {
    const bytes = encodeWav(Float32Array.of(2, -2), 8000, 'pcm16');
    const view = new DataView(bytes.buffer);
    expect([view.getInt16(44, true), view.getInt16(46, true)]).toEqual([32767, -32768]);
  });
});

describe('cutWindows', () => {
  async function cut(samples: Float32Array, windowSamples: number, size = 7): Promise<AudioWindow[]> {
    const windows: AudioWindow[] = [];
    for await (const window of cutWindows(pieces(samples, size), { windowSamples })) windows.push(window);
    return windows;
  }

  it('covers the stream without gap or overlap', async () => {
    await fc.assert(
      fc.asyncProperty(
        samplesArbitrary,
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 200 }),
        async (x, length, size) => {
          const windows = await cut(x, length, size);
          windows.forEach((window, i) => {
            expect(window).toMatchObject({ index: i, startSample: i * length });
            expect(window.samples.length).toBe(length);
            const valid = window.samples.subarray(0, window.validSamples);
            expect(valid).toEqual(x.subarray(window.startSample, window.startSample + window.validSamples));
            expect(window.samples.subarray(window.validSamples).every((v) => v === 0)).toBe(true);
          });
          const covered = windows.reduce((sum, window) => sum + window.validSamples, 0);
          expect(x.length - covered).toBeLessThan(length / 16);
        },
      ),
    );
  });

  it('drops a short rest, but not the only window', async () => {
    expect((await cut(new Float32Array(1605), 160)).map((w) => w.validSamples)).toEqual(
      Array<number>(10).fill(160),
    );
    expect((await cut(new Float32Array(1610), 160)).at(-1)?.validSamples).toBe(10);
    expect((await cut(new Float32Array(3), 160)).map((w) => w.validSamples)).toEqual([3]);
    expect(await cut(new Float32Array(0), 160)).toEqual([]);
  });
});

describe('PeakAccumulator', () => {
  it('gives the extremes of every slice, whatever the pieces', () => {
    fc.assert(
      fc.property(samplesArbitrary, fc.integer({ min: 1, max: 60 }), (samples, size) => {
        const whole = new PeakAccumulator(44, 10);
        whole.push(samples);
        const peaks = whole.finish();
        const parts = new PeakAccumulator(44, 10);
        for (let i = 0; i < samples.length; i += size) parts.push(samples.subarray(i, i + size));
        expect(parts.finish()).toEqual(peaks);
        for (let slice = 0; slice * 2 < peaks.length; slice++) {
          const values = samples.subarray(Math.round(slice * 4.4), Math.round((slice + 1) * 4.4));
          expect(peaks[slice * 2]).toBe(Math.min(...values));
          expect(peaks[slice * 2 + 1]).toBe(Math.max(...values));
        }
      }),
    );
  });

  it('keeps pace with the clock when slices are not whole', () => {
    const peaks = new PeakAccumulator(44_100, 400);
    for (let i = 0; i < 100; i++) peaks.push(new Float32Array(44_100));
    expect(peaks.finish().length).toBe(2 * 40_000);
  });
});

describe('readTags', () => {
  it('reads tags and cover', async () => {
    const { info, tags, cover } = await readTags(fixture('stereo-vbr-tagged.mp3'));
    expect(info).toMatchObject({ format: 'mp3', sampleRate: 44100, channels: 2 });
    expect(tags).toMatchObject({
      title: 'Fixture tone',
      artist: 'Archetone',
      album: 'Fixtures',
      year: 2024,
      genre: ['Test', 'Tone'],
      track: 3,
      bpm: 120,
      key: 'Am',
    });
    expect(cover?.mime).toBe('image/png');
    expect(Buffer.from(cover?.data.subarray(1, 4) ?? []).toString()).toBe('PNG');
  });

  it.each([
    ['stereo-16.wav', 'wav', 8000, 2],
    ['mono-8.aiff', 'aiff', 8000, 1],
    ['stereo.flac', 'flac', 44100, 2],
    ['stereo-flac.oga', 'flac', 8000, 2],
    ['stereo-cbr.mp3', 'mp3', 44100, 2],
    ['stereo.ogg', 'ogg', 44100, 2],
    ['stereo.opus', 'opus', 48000, 2],
    ['stereo.m4a', 'm4a', 44100, 2],
    ['stereo.aac', 'aac', 44100, 2],
  ])('tells format and length of %s', async (name, format, sampleRate, channels) => {
    const { info, tags, cover } = await readTags(fixture(name));
    expect(info).toMatchObject({ format, sampleRate, channels });
    expect(Math.abs((info?.durationSeconds ?? 0) - 1.5)).toBeLessThan(0.05);
    expect(tags).toMatchObject({ title: null, artist: null, genre: [] });
    expect(cover).toBeNull();
  });

  it('goes by content where the name is wrong', async () => {
    const path = join(folder, 'misnamed.wav');
    await writeFile(path, await readFile(fixture('stereo-vbr-tagged.mp3')));
    expect((await readTags(path)).tags.title).toBe('Fixture tone');
  });

  it('leaves out a cover that is too large', async () => {
    const bytes = await readFile(fixture('stereo-vbr-tagged.mp3'));
    const start = bytes.indexOf('APIC');
    const size = bytes.readUInt32BE(start + 4);
    const extra = Buffer.alloc(5 * 1024 * 1024);
    const grown = Buffer.concat([
      bytes.subarray(0, start + 10 + size),
      extra,
      bytes.subarray(start + 10 + size),
    ]);
    grown.writeUInt32BE(size + extra.length, start + 4);
    const total = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (bytes[i] ?? 0), 0) + extra.length;
    for (let i = 0; i < 4; i++) grown[9 - i] = (total >> (7 * i)) & 0x7f;
    const path = join(folder, 'large-cover.mp3');
    await writeFile(path, grown);
    const { tags, cover, coverProblem } = await readTags(path);
    expect(tags.title).toBe('Fixture tone');
    expect(cover).toBeNull();
    expect(coverProblem).toBe('The cover in its tags has 5.0 MiB; covers of up to 4 MiB are taken.');
  });

  it('says why a cover beside a file was not taken, and takes the next one that is a picture', async () => {
    const album = await mkdtemp(join(folder, 'album-'));
    const track = join(album, '01.wav');
    expect(await coverBeside(track)).toEqual({ cover: null, problem: null });
    await writeFile(join(album, 'cover.jpg'), 'no picture');
    expect(await coverBeside(track)).toEqual({
      ...{ cover: null, problem: 'cover.jpg beside it is no JPEG, PNG, WebP or GIF.' },
    });
    await writeFile(join(album, 'cover.jpg'), Buffer.alloc(5 * 2 ** 20 + 1));
    const large = 'cover.jpg beside it has 5.0 MiB; covers of up to 4 MiB are taken.';
    expect(await coverBeside(track)).toEqual({ cover: null, problem: large });
    const { cover } = await readTags(fixture('stereo-vbr-tagged.mp3'));
    await writeFile(join(album, 'folder.png'), cover?.data ?? '');
    const found = await coverBeside(track);
    expect([found.cover?.mime, found.problem]).toEqual(['image/png', null]);
  });
});
