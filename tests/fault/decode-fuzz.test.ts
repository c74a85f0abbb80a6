import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecodePool } from '../../engine/decode/index.ts';
import { AudioError } from '../../models/audio/index.ts';
import { collect, fixture, never } from '../fixtures/audio/signal.ts';
import { bundled } from '../support/bundles.ts';

const fixtures = [
  'mono-8.wav', 'mono-mulaw.wav', 'stereo-24-extensible.wav', 'stereo-16-rf64.wav', 'stereo-float32.wav', 'stereo-16.aiff',
  'stereo-16-sowt.aifc', 'stereo.flac', 'stereo-flac.oga', 'stereo-cbr.mp3', 'stereo-vbr-tagged.mp3', 'stereo.ogg',
  'stereo.opus', 'stereo.m4a', 'stereo.aac',
]; // prettier-ignore

/** A file that takes longer than this (on a loaded machine) hangs. */
const limits = { timeoutMs: 20_000, idleTimeoutMs: 10_000, memoryMb: 256 };

let folder = '';
let worker: string;
let pool: DecodePool;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archetone-fuzz-'));
  worker = await bundled('engine/decode/worker.ts');
  pool = new DecodePool({ workerUrl: worker, workers: 1, limits });
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

/** One way to damage a file; positions are fractions, and small ones hit the header. */
type Damage = (bytes: Uint8Array) => Uint8Array;
const place = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.01, noNaN: true }),
);
const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));

const overwrite: fc.Arbitrary<Damage> = fc
  .tuple(place, fc.array(value, { minLength: 1, maxLength: 8 }))
  .map(([at, values]) => (bytes) => {
    const copy = Uint8Array.from(bytes);
    values.forEach((byte, i) => (copy[Math.min(copy.length - 1, Math.floor(at * copy.length) + i)] = byte));
    return copy;
  });
const truncate: fc.Arbitrary<Damage> = place.map(
  (at) => (bytes) => bytes.slice(0, Math.floor(at * bytes.length)),
);
const repeat: fc.Arbitrary<Damage> = fc.tuple(place, place).map(([a, b]) => (bytes) => {
  const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.floor(at * bytes.length));
  return Buffer.concat([bytes.slice(0, to), bytes.slice(from)]);
});
const damages = fc.array(fc.oneof(overwrite, overwrite, truncate, repeat), { minLength: 1, maxLength: 5 });

/** Decodes and probes; any outcome is right except a hang, a crash, or an error that is not named. */
async function survives(path: string): Promise<void> {
  for (const attempt of [
    () => collect(pool.decode(path, { sampleRate: 24000, signal: never })),
    () => pool.probe(path, never),
  ]) {
    try {
      const result = await attempt();
      if (result instanceof Float32Array)
        expect(result.every((sample) => Number.isFinite(sample))).toBe(true);
    } catch (error) {
      if (!(error instanceof AudioError)) throw error;
      expect(error.message).not.toContain('too long');
      expect(error.message).toContain(path);
    }
  }
}

describe('damaged files', () => {
  it.each(fixtures)('decodes a damaged %s or says why not', { timeout: 120_000 }, async (name) => {
    const bytes = await readFile(fixture(name));
    const path = join(folder, name);
    await fc.assert(
      fc.asyncProperty(damages, async (steps) => {
        await writeFile(
          path,
          steps.reduce<Uint8Array>((file, damage) => damage(file), bytes),
        );
        await survives(path);
      }),
      { numRuns: 25 },
    );
  });

  it('says that random bytes are no audio', { timeout: 120_000 }, async () => {
    const path = join(folder, 'random.mp3');
    const magic = fc.constantFrom(
      '',
      'RIFF????WAVEfmt ',
      'FORM????AIFF',
      'fLaC',
      'OggS',
      'ID3',
      '\xff\xfb\x90',
      '????ftyp',
    );
    await fc.assert(
      fc.asyncProperty(
        magic,
        fc.uint8Array({ minLength: 1, maxLength: 20_000, size: 'max' }),
        async (head, tail) => {
          await writeFile(path, Buffer.concat([Buffer.from(head, 'latin1'), tail]));
          await survives(path);
        },
      ),
      { numRuns: 60 },
    );
  });
});
