import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DecodePool, ffmpegDecoder, type DecodePoolOptions } from '../../engine/decode/index.ts';
import { AudioError, encodeWav, type ExternalDecoder } from '../../models/audio/index.ts';
import { collect, compare, expectedSignal, fixture, hasFfmpeg, never } from '../fixtures/audio/signal.ts';
import { bundled } from '../support/bundles.ts';
import { now, since } from '../support/effort.ts';

const limits = { timeoutMs: 20_000, idleTimeoutMs: 10_000, memoryMb: 256 };
const pools: DecodePool[] = [];
let worker: string;
let hooked: string;
let folder = '';

beforeAll(async () => {
  worker = await bundled('engine/decode/worker.ts');
  hooked = await bundled('tests/fixtures/audio/hook-worker.ts');
  folder = await mkdtemp(join(tmpdir(), 'archetone-pool-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function open(options: Partial<DecodePoolOptions> = {}): DecodePool {
  const pool = new DecodePool({ workerUrl: worker, workers: 1, limits, ...options });
  pools.push(pool);
  return pool;
}

function openHooked(options: Partial<DecodePoolOptions> = {}): DecodePool {
  return open({ workerUrl: hooked, ...options });
}

function decode(pool: DecodePool, path: string, signal = never): Promise<Float32Array> {
  return collect(pool.decode(path, { sampleRate: 24000, signal }));
}

async function refusal(promise: Promise<unknown>): Promise<AudioError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AudioError) return error;
    throw error;
  }
  throw new Error('succeeded, but should not');
}

describe('DecodePool with the real worker', () => {
  it('decodes and probes', async () => {
    const pool = open({ workers: 2 });
    const names = [
      'stereo.flac',
      'stereo-vbr-tagged.mp3',
      'stereo.ogg',
      'stereo.opus',
      'stereo-16.wav',
      'stereo-16.aiff',
    ];
    const { mono } = expectedSignal(24000);
    const decoded = await Promise.all(names.map((name) => decode(pool, fixture(name))));
    for (const samples of decoded) expect(compare(samples, mono).correlation).toBeGreaterThan(0.995);
    const bytes = await readFile(fixture('stereo-vbr-tagged.mp3'));
    const probe = await pool.probe(fixture('stereo-vbr-tagged.mp3'), never);
    expect(probe.contentHash).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(probe).toMatchObject({
      bytes: bytes.length,
      tags: { title: 'Fixture tone' },
      cover: { mime: 'image/png' },
    });
  });

  it('passes on warnings and named errors with their hints', async () => {
    const pool = open();
    const error = await refusal(decode(pool, fixture('nowhere.mp3')));
    expect(error).toMatchObject({
      code: 'missing',
      message: expect.stringContaining('nowhere.mp3') as string,
    });
    expect(error.hint).toContain('moved or renamed');
    expect((await refusal(pool.probe(fixture('make.sh'), never))).code).toBe('not-audio');
  });

  it.skipIf(!hasFfmpeg)('decodes AAC outside the worker', async () => {
    const { mono } = expectedSignal(24000);
    const samples = await decode(open({ external: ffmpegDecoder }), fixture('stereo.m4a'));
    expect(compare(samples, mono).correlation).toBeGreaterThan(0.98);
  });

  it('says what AAC needs without an external decoder', async () => {
    expect((await refusal(decode(open(), fixture('stereo.m4a')))).code).toBe('needs-external-decoder');
  });

  it('limits the time of an external decoder that hangs', async () => {
    const aborted: boolean[] = [];
    const external: ExternalDecoder = (_path, { signal }) =>
      new Promise(() => signal.addEventListener('abort', () => aborted.push(true)));
    const pool = open({ external, limits: { ...limits, idleTimeoutMs: 2000 } });
    const error = await refusal(decode(pool, fixture('stereo.m4a')));
    expect(error).toMatchObject({ code: 'corrupt', message: expect.stringContaining('too long') as string });
    expect(aborted).toEqual([true]);
  });

  it('limits the samples that a worker holds', async () => {
    // 1000 Hz raised to 500 kHz makes 32 MB of the piece that is read.
    const path = join(folder, 'slow.wav');
    await writeFile(path, encodeWav(new Float32Array(16_000), 1000, 'pcm16'));
    const pool = open({ limits: { ...limits, memoryMb: 16 } });
    const error = await refusal(collect(pool.decode(path, { sampleRate: 500_000, signal: never })));
    expect(error).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('more than 16 MB') as string,
    });
    expect((await decode(pool, fixture('stereo-16.wav'))).length).toBe(36_000);
  });

  it('frees the worker when the reader leaves early', async () => {
    const pool = open();
    for await (const piece of pool.decode(fixture('stereo.flac'), { sampleRate: 192_000, signal: never })) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect((await decode(pool, fixture('stereo-16.wav'))).length).toBe(36_000);
  });
});

describe('DecodePool with a worker that misbehaves', () => {
  it('kills an endless loop, and goes on', async () => {
    const pool = openHooked({ limits: { ...limits, idleTimeoutMs: 1000 } });
    const start = performance.now();
    const error = await refusal(decode(pool, 'hang'));
    expect(performance.now() - start).toBeLessThan(5000);
    expect(error).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('1000 ms without progress') as string,
    });
    expect((await decode(pool, 'fine')).length).toBe(1);
  });

  it('limits the whole time of one file, but not the time of a slow reader', async () => {
    const pool = openHooked({ limits: { ...limits, timeoutMs: 3000, idleTimeoutMs: 10_000 } });
    expect((await refusal(decode(pool, 'silent'))).message).toContain('3000 ms in all');
    let pieces = 0;
    for await (const piece of pool.decode('endless', { sampleRate: 24000, signal: never })) {
      expect(piece[0]).toBe(pieces);
      await sleep(500);
      if (++pieces === 8) break;
    }
    expect(pieces).toBe(8);
  });

  it('outlives a worker that runs out of memory', async () => {
    const pool = openHooked({ limits: { ...limits, memoryMb: 32 } });
    const error = await refusal(decode(pool, 'memory'));
    expect(error).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('more than 32 MB') as string,
    });
    expect((await decode(pool, 'fine')).length).toBe(1);
  });

  it.each(['exit', 'throw'])('starts a new worker after %s', async (path) => {
    const pool = openHooked();
    expect((await refusal(decode(pool, path))).code).toBe('corrupt');
    expect((await decode(pool, 'fine')).length).toBe(1);
  });

  it('serves those who wait behind a file that fails', async () => {
    // Starting a thread counts too, and takes its time on a busy machine.
    const pool = openHooked({ limits: { ...limits, idleTimeoutMs: 3000 } });
    const results = await Promise.allSettled(
      ['hang', 'fine', 'exit', 'fine', 'fine'].map((path) => decode(pool, path)),
    );
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });

  it.each(['hang', 'silent', 'stubborn', 'endless'])('cancels %s within 100 ms', async (path) => {
    const pool = openHooked();
    await decode(pool, 'fine');
    const controller = new AbortController();
    const reading = decode(pool, path, controller.signal);
    const outcome = reading.catch((error: unknown) => error);
    await sleep(50);
    const start = now();
    controller.abort();
    expect(await outcome).toBe(controller.signal.reason);
    expect(since(start)).toBeLessThan(100);
    // The thread that does not answer is replaced.
    expect((await decode(pool, 'fine')).length).toBe(1);
  });

  it('cancels those who wait for a worker', async () => {
    const pool = openHooked();
    const controller = new AbortController();
    const first = decode(pool, 'silent', controller.signal).catch((error: unknown) => error);
    const second = decode(pool, 'fine', controller.signal).catch((error: unknown) => error);
    await sleep(20);
    controller.abort();
    expect(await Promise.all([first, second])).toEqual([controller.signal.reason, controller.signal.reason]);
    expect((await decode(pool, 'fine')).length).toBe(1);
  });

  it('holds the worker back when nobody reads', async () => {
    const pool = openHooked();
    const pieces = pool.decode('endless', { sampleRate: 24000, signal: never });
    const made: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { value } = await pieces.next();
      expect(value?.[0]).toBe(i);
      made.push(value?.[1] ?? 0);
      if (i === 0) await sleep(200);
    }
    await pieces.return(undefined);
    // Each chunk carries the milliseconds at which it was made: four ahead of the reader, the rest when it came back.
    expect(made[9]).toBeGreaterThan(150);
  });

  it('does not blame the file when the worker does not start', async () => {
    const pool = open({ workerUrl: fixture('no-such-worker.mjs') });
    await expect(decode(pool, 'fine')).rejects.toThrow('does not start');
    await expect(decode(pool, 'fine')).rejects.not.toBeInstanceOf(AudioError);
  });

  it('rejects everybody on close', async () => {
    const pool = openHooked();
    const running = decode(pool, 'silent').catch((error: unknown) => error);
    const waiting = decode(pool, 'fine').catch((error: unknown) => error);
    await sleep(100);
    await pool.close();
    expect(await running).toBeInstanceOf(Error);
    expect(await waiting).toBeInstanceOf(Error);
    await expect(decode(pool, 'fine')).rejects.toThrow('closed');
  });
});
