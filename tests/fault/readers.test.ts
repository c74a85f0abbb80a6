import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeLimits } from '../../engine/decode/index.ts';
import { findProgram } from '../../engine/decode/find-program.ts';
import { forkHelper, type HelperProcess, type SpawnHelper } from '../../engine/helpers/process.ts';
import { inlineReaders } from '../../engine/readers/inline.ts';
import { Readers, type ReadersOptions } from '../../engine/readers/readers.ts';
import { readDataset } from '../../engine/datasets/read.ts';
import { bundled } from '../support/bundles.ts';
import { importFolder, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic, writeSound } from '../support/music.ts';
import { datasetWorker, decodeWorker, labelWorker } from '../support/workers.ts';

const never = new AbortController().signal;
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/audio', name);
const hasFfmpeg = (await findProgram('ffmpeg')) !== null;

let entry: string;
beforeAll(async () => {
  entry = await bundled('engine/readers/entry.ts');
});

const open: Readers[] = [];
afterEach(async () => {
  for (const readers of open.splice(0)) await readers.close();
});

interface Opened {
  readers: Readers;
  /** Every process that was started. */
  processes: HelperProcess[];
}

async function start(options: Partial<ReadersOptions> = {}): Promise<Opened> {
  const processes: HelperProcess[] = [];
  const fork = options.spawn ?? forkHelper(entry);
  const spawn: SpawnHelper = (memoryLimit) => {
    const process = fork(memoryLimit);
    processes.push(process);
    return process;
  };
  const readers = new Readers({
    config: {
      decodeWorker: await decodeWorker(),
      threads: { dataset: await datasetWorker(), label: await labelWorker() },
      ...{ decoders: 2, decodeLimits },
    },
    ffmpeg: true,
    ...options,
    spawn,
  });
  open.push(readers);
  return { readers, processes };
}

async function all(pieces: AsyncIterable<Float32Array>, onPiece?: () => void): Promise<Float32Array> {
  const samples: number[] = [];
  for await (const piece of pieces) {
    for (const sample of piece) samples.push(sample);
    onPiece?.();
  }
  return Float32Array.from(samples);
}

/** A file of many pieces. */
function longFile(): string {
  const path = join(testFolder(), 'long.wav');
  writeSound(
    path,
    Float32Array.from({ length: 400_000 }, (_, n) => Math.sin(n * n * 1e-7)),
    16_000,
  );
  return path;
}

/** Whether a process of Linux has this among its arguments. */
function runs(program: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
          .split('\0')
          .includes(program);
      } catch {
        // It has just ended.
        return false;
      }
    });
}

/** A reader process that ends as soon as it is to decode a file of this name, and is an honest one otherwise. */
function endedBy(name: string): SpawnHelper {
  const script = join(testFolder(), 'readers.mjs');
  writeFileSync(
    script,
    `const { emit } = process;
     process.emit = function (event, message, ...rest) {
       if (event === 'message' && message.method === 'decode' && message.input.path.endsWith(${JSON.stringify(name)}))
         process.kill(process.pid, 'SIGKILL');
       return emit.call(this, event, message, ...rest);
     };
     await import(${JSON.stringify(entry)});`,
  );
  return forkHelper(script);
}

describe('files of others, in a process of their own', () => {
  it.skipIf(process.platform !== 'linux')('which the system keeps in', async () => {
    const { readers } = await start();
    expect(await readers.start()).toEqual({ calls: true, files: 'none', reason: '' });
  });

  it('are probed and decoded as in this one', async () => {
    const path = longFile();
    const { readers, processes } = await start();
    const here = (await start({ spawn: inlineReaders })).readers;
    expect(await readers.probe(path, never)).toEqual(await here.probe(path, never));
    expect((await readers.probe(path, never)).contentHash).toBe(
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    );
    const options = { sampleRate: 12_000, signal: never };
    expect(await all(readers.decode(path, options))).toEqual(await all(here.decode(path, options)));
    expect(processes).toHaveLength(1);
  });

  it.skipIf(!hasFfmpeg)('are decoded by ffmpeg, which is kept in as well', async () => {
    const { readers } = await start();
    const samples = await all(readers.decode(fixture('stereo.m4a'), { sampleRate: 16_000, signal: never }));
    expect(samples.length).toBeGreaterThan(10_000);
    // One that is left early is ended, though the process may signal nobody.
    for await (const piece of readers.decode(fixture('stereo.m4a'), { sampleRate: 16_000, signal: never })) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    const broken = join(testFolder(), 'broken.wma');
    writeFileSync(
      broken,
      Buffer.concat([Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'), Buffer.alloc(5000)]),
    );
    await expect(all(readers.decode(broken, { sampleRate: 16_000, signal: never }))).rejects.toMatchObject({
      name: 'AudioError',
    });
  });

  it('say what ffmpeg would be needed for where it may not be used', async () => {
    const { readers } = await start({ ffmpeg: false });
    await expect(
      all(readers.decode(fixture('stereo.m4a'), { sampleRate: 16_000, signal: never })),
    ).rejects.toMatchObject({ code: 'needs-external-decoder' });
  });

  it('give every sample once when the process dies in the midst of one', async () => {
    const path = longFile();
    const { readers, processes } = await start();
    const options = { sampleRate: 16_000, signal: never };
    const whole = await all(readers.decode(path, options));
    let pieces = 0;
    const again = await all(readers.decode(path, options), () => {
      if (++pieces === 3) processes[0]?.port.close();
    });
    expect(again).toEqual(whole);
    // One that reads it alone, and is ended then.
    expect(processes).toHaveLength(2);
    await processes[1]?.ended;
    expect(await all(readers.decode(path, options))).toEqual(whole);
    expect(processes).toHaveLength(3);
  });

  it('fail alone when they end it twice; what was read beside them is read', async () => {
    const folder = testFolder();
    for (const name of ['a', 'b', 'c', 'd'])
      writeSound(
        join(folder, `${name}.wav`),
        Float32Array.from({ length: 90_000 }, (_, n) => Math.sin(n / 9)),
        16_000,
      );
    const { readers } = await start({ spawn: endedBy('c.wav') });
    const options = { sampleRate: 16_000, signal: never };
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((name) => all(readers.decode(join(folder, `${name}.wav`), options))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    for (const result of results)
      if (result.status === 'fulfilled') expect(result.value).toHaveLength(90_000);
    expect(results[2]).toMatchObject({
      reason: { name: 'AudioError', code: 'corrupt', message: expect.stringContaining('twice') as string },
    });
  });

  it('let go at once when the work is cancelled', async () => {
    const { readers } = await start();
    await readers.start();
    const stop = new AbortController();
    const reason = new Error('enough');
    const reading = all(readers.decode(longFile(), { sampleRate: 16_000, signal: stop.signal }), () =>
      stop.abort(reason),
    );
    await expect(reading).rejects.toBe(reason);
    await expect(readers.probe(longFile(), stop.signal)).rejects.toBe(reason);
  });

  it('let go while another one is read alone, too', async () => {
    const { readers, processes } = await start();
    const stop = new AbortController();
    const [path, sampleRate] = [longFile(), 16_000];
    const slow = readers.decode(path, { sampleRate, signal: never });
    const waiting = readers.decode(path, { sampleRate, signal: stop.signal });
    await Promise.all([slow.next(), waiting.next()]);
    processes[0]?.port.close();
    await processes[0]?.ended;
    // Has its turn, and nobody asks for the rest of it.
    await slow.next();
    const reason = new Error('enough');
    // Once it waits.
    setTimeout(() => stop.abort(reason), 50);
    await expect(waiting.next()).rejects.toBe(reason);
    await slow.return();
  });

  it.skipIf(process.platform !== 'linux')('leave no ffmpeg behind that writes nothing', async () => {
    const folder = testFolder();
    const program = join(folder, 'ffmpeg');
    writeFileSync(program, '#!/bin/sh\nwhile :; do sleep 1; done\n', { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
    const { readers } = await start();
    await readers.start();
    vi.unstubAllEnvs();
    const reading = all(readers.decode(fixture('stereo.m4a'), { sampleRate: 16_000, signal: never }));
    reading.catch(() => undefined);
    await expect.poll(() => runs(program), { timeout: 20_000 }).toBe(true);
    await readers.close();
    await expect(reading).rejects.toThrow();
    await expect.poll(() => runs(program), { timeout: 20_000 }).toBe(false);
  });

  it('are no matter of a process that does not start', async () => {
    const { readers } = await start({ spawn: forkHelper(join(testFolder(), 'none.mjs')) });
    await expect(readers.probe(longFile(), never)).rejects.toThrow('does not start');
    await expect(readers.start()).rejects.toThrow('does not start');
  });

  it('read data sets, with the place of a fault', async () => {
    const { readers } = await start();
    const path = join(testFolder(), 'set.csv');
    writeFileSync(path, 'x,y,l\n1,2,1\n3,4,0\n');
    const labels = { kind: 'last', count: 1 } as const;
    const read = await readDataset(path, { ask: readers.ask, labels });
    expect([read.count, [...read.features], read.labelNames]).toEqual([2, [1, 2, 3, 4], ['l']]);
    writeFileSync(path, 'x,y,l\n1,2,1\n3,?!,0\n');
    await expect(readDataset(path, { ask: readers.ask, labels })).rejects.toMatchObject({
      name: 'DatasetError',
      line: 3,
    });
  });

  it('make a library as they did', { timeout: 120_000 }, async () => {
    const folder = writeMusic({ perClass: 3 });
    writeFileSync(join(folder, 'broken.flac'), 'fLaC and nothing that would be audio');
    const { client } = await startTestEngine({ readers: endedBy('mid_long_1.wav') });
    const { result } = await importFolder(client, folder);
    expect(result).toMatchObject({ imported: 8, failed: 2 });
  });
});
