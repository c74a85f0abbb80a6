import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../models/datasets/index.ts';
import { readDataset } from '../../engine/datasets/read.ts';
import { threadsHere, type AskThread } from '../../engine/threads/ask.ts';
import { endlessRun, smallParquet } from '../support/parquet.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { askThreads } from '../support/workers.ts';

const limits = { stallMs: 2000, memoryMb: 512 };

/** A worker with this code. */
async function worker(code: string): Promise<AskThread> {
  const path = join(await temporaryFolder(), 'worker.mjs');
  writeFileSync(path, code);
  return workerAt(path);
}
const workerAt = (path: string): AskThread => threadsHere({ dataset: path, label: 'none' });

describe('a Parquet file that was damaged', () => {
  it('is given up when nothing comes of it, while this process goes on', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 50);
    const read = readDataset(endlessRun, { ask: await askThreads(), limits });
    await expect(read).rejects.toMatchObject({
      name: 'DatasetError',
      code: 'unreadable',
      message: expect.stringContaining('cannot be read') as string,
      hint: expect.stringContaining('damaged') as string,
    });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it('is let go of at once when the work is cancelled', async () => {
    const controller = new AbortController();
    const patient = { stallMs: 600_000, memoryMb: 4096 };
    const read = readDataset(endlessRun, {
      ...{ ask: await worker('for (;;);'), signal: controller.signal, limits: patient },
    });
    const reason = new Error('cancelled');
    setTimeout(() => controller.abort(reason), 200);
    const begun = performance.now();
    await expect(read).rejects.toBe(reason);
    expect(performance.now() - begun).toBeLessThan(5000);
    await expect(
      readDataset(endlessRun, { ask: workerAt('unused'), signal: controller.signal, limits: patient }),
    ).rejects.toBe(reason);
  });

  it('costs nothing but itself when it upsets more than the thread catches', async () => {
    const upset = await worker(`
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ type: 'progress' });
      setTimeout(() => Promise.reject(new Error('page gone')), 50);`);
    await expect(readDataset(endlessRun, { ask: upset, limits })).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('page gone') as string,
    });
  });

  it('that needs too much memory is refused', async () => {
    const greedy = await worker('const all = []; for (;;) all.push(new Array(100_000).fill({}));');
    await expect(
      readDataset(endlessRun, { ask: greedy, limits: { stallMs: 60_000, memoryMb: 64 } }),
    ).rejects.toMatchObject({ code: 'unreadable', message: expect.stringContaining('64 MB') as string });
  });

  it('is read or refused with a reason, whatever was cut or changed', async () => {
    const ask = await askThreads();
    const path = join(await temporaryFolder(), 'damaged.parquet');
    const bytes = await smallParquet();
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), changes, async (length, edits) => {
        const damaged = Uint8Array.from(length % 2 === 0 ? bytes : bytes.subarray(0, length));
        for (const [at, value] of edits) if (damaged.length > 0) damaged[at % damaged.length] = value;
        writeFileSync(path, damaged);
        try {
          const read = await readDataset(path, { ask, limits });
          expect(read.features).toHaveLength(read.count * read.dim);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { numRuns: 40 },
    );
  }, 240_000);
});

describe('a worker that does not start', () => {
  it('is no fault of the file', async () => {
    const path = join(await temporaryFolder(), 'set.parquet');
    copyFileSync(endlessRun, path);
    const read = readDataset(path, { ask: workerAt(join(await temporaryFolder(), 'none.mjs')), limits });
    await expect(read).rejects.not.toBeInstanceOf(DatasetError);
    await expect(read).rejects.toThrow(/does not start/);
  });
});
