import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecodePool } from '../../engine/decode/index.ts';
import { AudioError } from '../../models/audio/index.ts';
import { never } from '../fixtures/audio/signal.ts';
import { bundled } from '../support/bundles.ts';
import { adtsFrames, chunk, noise, oddFixture, plainFixture, silentFlac, wav } from '../support/odd-audio.ts';

/** As in the engine, but nothing here may need its 30 seconds without a sign of life. */
const limits = { timeoutMs: 10 * 60_000, idleTimeoutMs: 30_000, memoryMb: 512 };
/** Of all threads of this process: a machine that is busy with something else makes it no longer. */
const MOST_CPU_SECONDS = 5;
const MIB = 2 ** 20;

let worker: string;
let pool: DecodePool;
let folder = '';

beforeAll(async () => {
  worker = await bundled('engine/decode/worker.ts');
  folder = mkdtempSync(join(tmpdir(), 'archetone-slow-'));
  pool = new DecodePool({ workerUrl: worker, workers: 1, limits });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, ...parts: Buffer[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** A file of 3 GB that takes no room: a beginning, and nothing but zeros behind it. */
function sparse(name: string, beginning: Buffer): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  writeSync(file, beginning);
  ftruncateSync(file, 3e9);
  closeSync(file);
  return path;
}

interface Outcome {
  seconds: number;
  warnings: string[];
  error: AudioError | null;
  cpuSeconds: number;
  /** What the memory of the process grew by, at most. */
  growthMb: number;
}

/** Decodes to mono at 8 kHz, where most of these files need no resampling. */
async function decode(path: string): Promise<Outcome> {
  const cpu = process.cpuUsage();
  const before = process.memoryUsage().rss;
  let [samples, peak] = [0, before];
  const warnings: string[] = [];
  let error: AudioError | null = null;
  try {
    const options = { sampleRate: 8000, signal: never, onWarning: (text: string) => warnings.push(text) };
    for await (const piece of pool.decode(path, options)) {
      samples += piece.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
  } catch (thrown) {
    if (!(thrown instanceof AudioError)) throw thrown;
    error = thrown;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds: samples / 8000,
    warnings,
    error,
    cpuSeconds: (user + system) / 1e6,
    growthMb: (peak - before) / MIB,
  };
}

const emptyChunks = (id: string): Buffer =>
  Buffer.concat(Array.from({ length: 100_000 }, () => chunk(id, Buffer.alloc(0))));

describe('a file that asks for more than it is', () => {
  it(
    '72 kB of FLAC that holds hours of silence stays far below the limit of memory',
    { timeout: 300_000 },
    async () => {
      const hours = Number(process.env.SILENT_HOURS ?? 2);
      const path = write('silence.flac', silentFlac(hours * 3600));
      expect(statSync(path).size / hours).toBeLessThan(7200);
      const { seconds, error, growthMb } = await decode(path);
      expect(error).toBeNull();
      expect(seconds / 3600).toBeCloseTo(hours, 1);
      expect(growthMb).toBeLessThan(256);
    },
  );

  it.each<[string, () => string, RegExp]>([
    [
      'WAV behind 100,000 empty chunks',
      () => write('chunks.wav', wav({ before: emptyChunks('JUNK') })),
      /header is damaged/,
    ],
    [
      'AIFF behind 100,000 empty chunks',
      () => {
        const whole = plainFixture('stereo-16.aiff');
        return write('chunks.aiff', whole.subarray(0, 12), emptyChunks('ANNO'), whole.subarray(12));
      },
      /header is damaged/,
    ],
    [
      'ADTS with 500 kB between frames',
      () => write('gaps.aac', ...adtsFrames().flatMap((frame, i) => [frame, noise(500_000, i + 1)])),
      /No audio|needs/,
    ],
    [
      'mp3 with 500 kB between frames',
      () => {
        const mp3 = oddFixture('mono-22050.mp3');
        const parts = Array.from({ length: 30 }, (_, i) => [
          noise(500_000, i + 1),
          mp3.subarray(i * 90, i * 90 + 900),
        ]);
        return write('gaps.mp3', mp3.subarray(0, 3000), ...parts.flat());
      },
      /Only .* % of the file/,
    ],
    ['3 GB mp3 without a header', () => sparse('zeros.mp3', Buffer.alloc(0)), /No audio/],
    [
      '3 GB behind a tag',
      () => sparse('tagged.mp3', Buffer.from([0x49, 0x44, 0x33, 3, 0, 0, 0x0b, 0x2d, 5, 0])),
      /No audio/,
    ],
  ])('%s ends in seconds, with a reason', { timeout: 300_000 }, async (_, make, reason) => {
    const path = make();
    const cpu = process.cpuUsage();
    const { error, growthMb } = await decode(path);
    expect(error?.message).toMatch(reason);
    expect(error?.hint.length).toBeGreaterThan(20);
    expect(growthMb).toBeLessThan(256);
    // The first step of an import, which also hashes the file.
    const probed = await pool.probe(path, never).catch((thrown: unknown) => thrown);
    if (!(probed instanceof AudioError)) expect(probed).toMatchObject({ bytes: statSync(path).size });
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1e6).toBeLessThan(MOST_CPU_SECONDS);
    rmSync(path);
  });

  it(
    '3 GB of zeros behind an mp3 is no track of which a second can be read',
    { timeout: 300_000 },
    async () => {
      const { error, cpuSeconds } = await decode(sparse('long.mp3', oddFixture('mono-22050.mp3')));
      expect(error?.message).toMatch(/Only .* % of the file/);
      expect(error?.hint).toContain('64 MB without audio');
      expect(cpuSeconds).toBeLessThan(MOST_CPU_SECONDS);
    },
  );
});
