import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AudioWindow } from '../../../models/audio/windows.ts';
import { openRuntime, readPack, type PackRuntime } from '../../../models/packs/index.ts';
import { embedWindows } from '../../../models/pecmae/embed.ts';
import { Random } from '../../../models/numerics/random.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { TINY, writeTinyPack } from '../../support/tiny-pack.ts';

let runtime: PackRuntime;
beforeAll(async () => {
  runtime = await openRuntime(await readPack(await writeTinyPack(await temporaryFolder(), { seed: 7 })), {
    threads: 1,
  });
});
afterAll(() => runtime.close());

/** Windows of noise, counting how many were asked for and whether the source was closed. */
function source(count: number) {
  const state = { read: 0, closed: false };
  async function* windows(): AsyncGenerator<AudioWindow> {
    try {
      for (let index = 0; index < count; index++) {
        state.read += 1;
        await Promise.resolve();
        const samples = new Random(index).normals(TINY.S).map((v) => 0.01 * (index + 1) * v);
        yield { index, startSample: index * TINY.S, validSamples: TINY.S, samples };
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, windows: windows() };
}
const never = new AbortController().signal;

describe('embedWindows', () => {
  it.each([1, 3, 4, 10, 64])('keeps order and values with batches of %i', async (batchSize) => {
    const { windows } = source(10);
    const indices: number[] = [];
    for await (const { window, z } of embedWindows(runtime, windows, { batchSize, signal: never })) {
      indices.push(window.index);
      const alone = await runtime.embed(window.samples, 1);
      expect(Math.max(...z.map((value, i) => Math.abs(value - (alone[i] ?? NaN))))).toBeLessThan(1e-4);
      expect(z.buffer.byteLength).toBe(TINY.D * 4);
    }
    expect(indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('reads no further than the batch in hand, and closes its source when left', async () => {
    const { windows, state } = source(1000);
    const seen: number[] = [];
    for await (const { window } of embedWindows(runtime, windows, { batchSize: 4, signal: never })) {
      seen.push(window.index);
      expect(state.read).toBeLessThanOrEqual(4 * Math.ceil(seen.length / 4));
      if (seen.length === 6) break;
    }
    expect(state).toEqual({ read: 8, closed: true });
  });

  it('stops at the signal with its reason and closes its source', async () => {
    const { windows, state } = source(1000);
    const controller = new AbortController();
    const reason = new Error('enough');
    const run = async () => {
      for await (const { window } of embedWindows(runtime, windows, {
        batchSize: 4,
        signal: controller.signal,
      }))
        if (window.index === 1) controller.abort(reason);
    };
    await expect(run()).rejects.toBe(reason);
    expect(state).toEqual({ read: 4, closed: true });
  });

  it('refuses windows of another length and useless batch sizes', async () => {
    async function* wrong(): AsyncGenerator<AudioWindow> {
      await Promise.resolve();
      yield { index: 0, startSample: 0, validSamples: 10, samples: new Float32Array(10) };
    }
    const first = (windows: AsyncIterable<AudioWindow>, batchSize: number) =>
      embedWindows(runtime, windows, { batchSize, signal: never }).next();
    await expect(first(wrong(), 2)).rejects.toThrow('window 0 has 10 samples, not 4000');
    await expect(first(source(1).windows, 0)).rejects.toThrow(RangeError);
  });

  it('gives nothing for nothing', async () => {
    const { windows } = source(0);
    expect(await embedWindows(runtime, windows, { batchSize: 4, signal: never }).next()).toMatchObject({
      done: true,
    });
  });
});
