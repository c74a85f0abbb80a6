import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coverBeside } from '../../../models/audio/index.ts';
import { mixToMono } from '../../../models/audio/mono.ts';
import { decodeMono } from '../../../models/audio/index.ts';
import { collect, never } from '../../fixtures/audio/signal.ts';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'archetone-one-pass-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Channel after channel, as it is defined. */
function meanOf(channels: readonly Float32Array[]): { mono: Float32Array; notFinite: number } {
  const mono = new Float32Array(channels[0]?.length ?? 0);
  for (const channel of channels)
    for (let i = 0; i < mono.length; i++)
      mono[i] = (mono[i] ?? 0) + (channel[i] ?? 0) * (1 / channels.length);
  let notFinite = 0;
  for (let i = 0; i < mono.length; i++) {
    if (Number.isFinite(mono[i])) continue;
    mono[i] = 0;
    notFinite++;
  }
  return { mono, notFinite };
}

const bits = (values: Float32Array): number[] => [...new Uint32Array(Float32Array.from(values).buffer)];

describe('the mean of channels', () => {
  it('has the same bits however many there are, in memory that held other things', () => {
    const length = 40;
    const channel = fc.float32Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(fc.array(channel, { minLength: 1, maxLength: 4 }), (channels) => {
        const wanted = meanOf(channels);
        const found = mixToMono(channels, new Float32Array(length + 5).fill(7));
        expect(bits(found.mono)).toEqual(bits(wanted.mono));
        expect(found.notFinite).toBe(wanted.notFinite);
        expect(bits(mixToMono(channels).mono)).toEqual(bits(wanted.mono));
      }),
    );
  });
});

describe('16-bit samples', () => {
  it.each([1, 2, 3])('are read alike at every address, %i channels', async (channels) => {
    const frames = 200_000;
    const data = Buffer.alloc(2 * channels * frames);
    for (let i = 0; i < channels * frames; i++) data.writeInt16LE(((i * 7919) % 65_536) - 32_768, 2 * i);
    const head = Buffer.alloc(44);
    head.write('RIFF', 0);
    head.writeUInt32LE(36 + data.length, 4);
    head.write('WAVEfmt ', 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(channels, 22);
    head.writeUInt32LE(24_000, 24);
    head.writeUInt32LE(24_000 * 2 * channels, 28);
    head.writeUInt16LE(2 * channels, 32);
    head.writeUInt16LE(16, 34);
    head.write('data', 36);
    head.writeUInt32LE(data.length, 40);
    const path = join(folder, `${channels}.wav`);
    await writeFile(path, Buffer.concat([head, data]));
    const found = await collect(decodeMono(path, { sampleRate: 24_000, signal: never }));
    const split = Array.from({ length: channels }, (_, channel) =>
      Float32Array.from(
        { length: frames },
        (__, i) => data.readInt16LE(2 * (i * channels + channel)) / 32_768,
      ),
    );
    expect(
      Buffer.compare(Buffer.from(Float32Array.from(found).buffer), Buffer.from(meanOf(split).mono.buffer)),
    ).toBe(0);
  });
});

describe('a picture beside a file', () => {
  it('is found when it comes later, after a folder without one was remembered', async () => {
    const album = await mkdtemp(join(folder, 'album-'));
    const earlier = new Date(Date.now() - 60_000);
    await utimes(album, earlier, earlier);
    const track = join(album, 'a.wav');
    expect((await coverBeside(track)).cover).toBeNull();
    expect((await coverBeside(join(album, 'b.wav'))).cover).toBeNull();
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    await writeFile(join(album, 'folder.png'), png);
    expect((await coverBeside(track)).cover?.mime).toBe('image/png');
  });
});
