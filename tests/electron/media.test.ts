import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMono, readTags } from '../../models/audio/index.ts';
import { MediaTokens } from '../../engine/media.ts';
import { importFolder, startTestEngine, tracksByPath } from '../support/engine.ts';
import { classSound, copyFixture, testFolder, writeSound } from '../support/music.ts';
import { au, oddFixture, plainFixture, wav } from '../support/odd-audio.ts';

/** ID3v2.3 with a title and a PNG, in front of MP3 frames. */
function withCover(mp3: Buffer, png: Buffer): Buffer {
  const frame = (id: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(10);
    head.write(id, 'latin1');
    head.writeUInt32BE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const frames = Buffer.concat([
    frame('TIT2', Buffer.from('\0Cover me', 'latin1')),
    frame('APIC', Buffer.concat([Buffer.from('\0image/png\0\x03\0', 'latin1'), png])),
  ]);
  const head = Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1');
  for (let i = 0; i < 4; i++) head[6 + i] = (frames.length >> (7 * (3 - i))) & 0x7f;
  return Buffer.concat([head, frames, mp3]);
}

describe('media tokens', () => {
  it('name a file unguessably and always the same way', () => {
    const media = new MediaTokens();
    const url = media.urlFor('/a.wav', 'audio/wav');
    expect(url).toMatch(/^archetone:\/\/audio\/[0-9a-f]{32}$/);
    expect(media.urlFor('/a.wav', 'audio/wav')).toBe(url);
    expect(media.urlFor('/b.wav', 'audio/wav')).not.toBe(url);
    expect(media.resolve(url.slice(-32))).toEqual({ path: '/a.wav', mime: 'audio/wav' });
    expect(media.resolve('/a.wav')).toBeNull();
  });
});

describe('sound of a track', () => {
  it('is the file itself where Chromium plays it, else a WAV made once', async () => {
    const { client, engine } = await startTestEngine();
    const folder = testFolder();
    writeSound(join(folder, 'a.wav'), classSound('mid', 1, 1));
    for (const name of ['stereo.flac', 'stereo.ogg', 'stereo.opus', 'stereo-cbr.mp3', 'stereo-16.aiff']) {
      copyFixture(name, folder);
    }
    const { library } = await importFolder(client, folder);
    const tracks = await tracksByPath(client, library.id);
    const resolve = async (path: string): Promise<{ path: string; mime: string } | null> => {
      const trackId = tracks.get(path)?.id ?? '';
      const { url } = await client.call('tracks.audioUrl', { libraryId: library.id, trackId });
      return engine.media.resolve(url.split('/').at(-1) ?? '');
    };
    for (const [name, mime] of [
      ['a.wav', 'audio/wav'],
      ['stereo.flac', 'audio/flac'],
      ['stereo.ogg', 'audio/ogg'],
      ['stereo.opus', 'audio/ogg'],
      ['stereo-cbr.mp3', 'audio/mpeg'],
    ] as const) {
      expect(await resolve(name)).toEqual({ path: join(folder, name), mime });
    }
    const [copy, twice] = await Promise.all([resolve('stereo-16.aiff'), resolve('stereo-16.aiff')]);
    expect(copy?.mime).toBe('audio/wav');
    expect(copy?.path.startsWith(library.dataFolder)).toBe(true);
    expect(twice).toEqual(copy);
    const { signal } = new AbortController();
    const read = async (path: string): Promise<number[]> => {
      const samples: number[] = [];
      for await (const chunk of decodeMono(path, { sampleRate: 44_100, signal })) samples.push(...chunk);
      return samples;
    };
    const original = await read(join(folder, 'stereo-16.aiff'));
    const copied = await read(copy?.path ?? '');
    expect(copied.length).toBe(original.length);
    const worst = copied.reduce((most, value, i) => Math.max(most, Math.abs(value - (original[i] ?? 0))), 0);
    expect(worst).toBeLessThan(1 / 32_000);

    rmSync(join(folder, 'a.wav'));
    await expect(resolve('a.wav')).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('is there for a file that is in no library, and only for audio', async () => {
    const { client, engine } = await startTestEngine();
    const [music, beside] = [testFolder(), testFolder()];
    writeSound(join(music, 'a.wav'), classSound('mid', 1, 1));
    writeSound(join(beside, 'b.wav'), classSound('mid', 1, 2));
    copyFixture('stereo-16.aiff', beside);
    writeFileSync(join(beside, 'notes.mp3'), 'this is no music');
    const { library } = await importFolder(client, music);
    const resolve = async (name: string): Promise<{ path: string; mime: string } | null> => {
      const path = join(beside, name);
      const { url } = await client.call('classify.audioUrl', { libraryId: library.id, path });
      return engine.media.resolve(url.split('/').at(-1) ?? '');
    };
    expect(await resolve('b.wav')).toEqual({ path: join(beside, 'b.wav'), mime: 'audio/wav' });
    const copy = await resolve('stereo-16.aiff');
    expect(copy?.mime).toBe('audio/wav');
    expect(copy?.path.startsWith(library.dataFolder)).toBe(true);
    expect(await resolve('stereo-16.aiff')).toEqual(copy);
    await expect(resolve('notes.mp3')).rejects.toMatchObject({ code: 'audio' });
    for (const name of ['', 'gone.wav'])
      await expect(resolve(name)).rejects.toMatchObject({ code: 'unreadable' });
    expect(readdirSync(beside).sort()).toEqual(['b.wav', 'notes.mp3', 'stereo-16.aiff']);
  });

  it('is a WAV of what was decoded where Chromium would play something else', async () => {
    const { client, engine } = await startTestEngine();
    const folder = testFolder();
    const ogg = plainFixture('stereo.ogg');
    const mp3 = plainFixture('stereo-vbr-tagged.mp3');
    const files: Record<string, Buffer> = {
      'chained.ogg': Buffer.concat([oddFixture('mono-16000.ogg'), ogg]),
      'joined.mp3': Buffer.concat([oddFixture('mono-44100.mp3'), oddFixture('mono-22050.mp3')]),
      'joined with headers.mp3': Buffer.concat([mp3, mp3.subarray(mp3.indexOf('Info') - 36)]),
      'free format.mp3': oddFixture('mono-free-format.mp3'),
      'wrong block.wav': wav({ header: { blockAlign: 4 } }),
      'open end.wav': wav({ header: { dataSize: 0 } }),
      'big-endian.wav': wav({ magic: 'RIFX' }),
      'adpcm.wav': oddFixture('stereo-ms-adpcm.wav'),
      'sun.au': au('int16'),
      'cut.flac': plainFixture('stereo.flac').subarray(0, 40_000),
    };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const { library } = await importFolder(client, folder);
    for (const [path, { id: trackId, durationSeconds }] of await tracksByPath(client, library.id)) {
      const { url } = await client.call('tracks.audioUrl', { libraryId: library.id, trackId });
      const copy = engine.media.resolve(url.split('/').at(-1) ?? '');
      expect(copy?.mime, path).toBe('audio/wav');
      expect(copy?.path.startsWith(library.dataFolder), path).toBe(true);
      const { info } = await readTags(copy?.path ?? '');
      expect(info?.durationSeconds, path).toBeCloseTo(durationSeconds ?? 0, 1);
    }
  });

  it('has a waveform and a cover', async () => {
    const { client, engine } = await startTestEngine();
    const folder = testFolder();
    const ramp = Float32Array.from({ length: 8000 }, (_, n) => (n / 8000) * (n % 2 === 0 ? 1 : -0.5));
    writeSound(join(folder, 'ramp.wav'), ramp);
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const mp3 = readFileSync(join(import.meta.dirname, '../fixtures/audio/stereo-cbr.mp3'));
    writeFileSync(join(folder, 'cover.mp3'), withCover(mp3, png));
    // What a tag calls a picture is not believed, nor one that fills the memory of whoever draws it.
    writeFileSync(join(folder, 'page.mp3'), withCover(mp3, Buffer.from(`<svg>${' '.repeat(60)}</svg>`)));
    const huge = Buffer.from(png);
    huge.writeUInt32BE(60_000, 16);
    huge.writeUInt32BE(60_000, 20);
    writeFileSync(join(folder, 'huge.mp3'), withCover(mp3, huge));
    mkdirSync(join(folder, 'album'));
    writeFileSync(join(folder, 'album', 'Folder.png'), png);
    writeFileSync(join(folder, 'album', 'cover.jpg'), 'no picture');
    writeSound(join(folder, 'album', 'one.wav'), ramp);
    const { library } = await importFolder(client, folder);
    const tracks = await tracksByPath(client, library.id);
    const id = (path: string) => ({ libraryId: library.id, trackId: tracks.get(path)?.id ?? '' });

    const peaks = await client.call('tracks.peaks', id('ramp.wav'));
    expect(peaks).toMatchObject({ perSecond: 50, durationSeconds: 1 });
    expect(peaks?.values).toHaveLength(100);
    for (let i = 0; i < 50; i++) {
      expect(peaks?.values[2 * i]).toBeCloseTo((-0.5 * (i + 1)) / 50, 1);
      expect(peaks?.values[2 * i + 1]).toBeCloseTo((i + 1) / 50, 1);
    }
    const detail = await client.call('tracks.get', id('cover.mp3'));
    expect(detail.title).toBe('Cover me');
    const cover = engine.media.resolve(detail.coverUrl?.split('/').at(-1) ?? '');
    expect(cover?.mime).toBe('image/png');
    expect(readFileSync(cover?.path ?? '')).toEqual(png);
    const covers = await client.call('tracks.covers', {
      libraryId: library.id,
      trackIds: [...tracks.values()].map((track) => track.id),
    });
    const pathOf = new Map([...tracks].map(([path, track]) => [track.id, path]));
    expect(covers.map(({ trackId }) => pathOf.get(trackId)).sort()).toEqual(['album/one.wav', 'cover.mp3']);
    expect(new Set(covers.map(({ url }) => url))).toEqual(new Set([detail.coverUrl]));

    await client.call('libraries.remove', { libraryId: library.id });
    expect(existsSync(library.dataFolder)).toBe(false);
    expect(existsSync(join(folder, 'cover.mp3'))).toBe(true);
  });
});
