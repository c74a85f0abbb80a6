import { resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { collect, never } from '../fixtures/audio/signal.ts';

const read = vi.hoisted(() => new Set<string>());
vi.mock('@wasm-audio-decoders/flac', async (original) => (read.add('flac'), original()));
vi.mock('@wasm-audio-decoders/ogg-vorbis', async (original) => (read.add('vorbis'), original()));
vi.mock('mpg123-decoder', async (original) => (read.add('mp3'), original()));
vi.mock('opus-decoder', async (original) => (read.add('opus'), original()));

const fixture = (name: string): string => resolve(import.meta.dirname, '../fixtures/audio', name);

it('reads a decoder with the first file that needs it, and none to start', async () => {
  const { decodeMono } = await import('../../models/audio/index.ts');
  const samplesOf = async (name: string): Promise<number> =>
    (await collect(decodeMono(fixture(name), { sampleRate: 16_000, signal: never }))).length;
  expect(await samplesOf('mono-8.wav')).toBeGreaterThan(0);
  expect([...read]).toEqual([]);
  expect(await samplesOf('stereo-cbr.mp3')).toBeGreaterThan(0);
  expect([...read]).toEqual(['mp3']);
  expect(await samplesOf('stereo.flac')).toBeGreaterThan(0);
  expect([...read]).toEqual(['mp3', 'flac']);
});
