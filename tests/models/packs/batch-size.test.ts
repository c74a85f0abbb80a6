import { describe, expect, it } from 'vitest';
import {
  BATCH_SIZES,
  compactPackFolder,
  measureBatchSize,
  openRuntime,
  readPack,
  type PackRuntime,
} from '../../../models/packs/index.ts';
import { Random } from '../../../models/numerics/random.ts';

const never = new AbortController().signal;

/** A runtime that takes `ms(size)` for a batch, by a clock of its own. */
async function timed(
  ms: (size: number) => number,
): Promise<{ runtime: PackRuntime; ran: number[]; now: () => number }> {
  let clock = 0;
  const pack = await readPack(compactPackFolder());
  const ran: number[] = [];
  const runtime = {
    pack,
    embed: async (waveforms: Float32Array, size: number): Promise<Float32Array> => {
      expect(waveforms).toHaveLength(size * pack.manifest.windowSamples);
      ran.push(size);
      await Promise.resolve();
      clock += ms(size);
      return new Float32Array(size * pack.manifest.embeddingDim);
    },
  } as unknown as PackRuntime;
  return { runtime, ran, now: () => clock };
}

describe('the choice of a batch size', () => {
  it('takes the fastest, as it was measured', async () => {
    const { runtime, now } = await timed((size) => (size === 4 ? 40 : 20 * size));
    const choice = await measureBatchSize(runtime, { signal: never, now });
    expect(choice).toEqual({ size: 4, windowsPerSecond: { 2: 50, 4: 100, 8: 50 } });
  });

  it('takes the smaller one where a larger gains nothing: whoever listens waits for a whole batch', async () => {
    const { runtime, now } = await timed((size) => 20 * size * (size === 2 ? 1 : 0.98));
    expect((await measureBatchSize(runtime, { signal: never, now })).size).toBe(2);
  });

  it('leaves out what would take longer than there is time for', async () => {
    const { runtime, ran, now } = await timed((size) => 300 * size);
    const choice = await measureBatchSize(runtime, { signal: never, now, budgetMs: 1500 });
    // The first run opens the graphs and does not count. Four would end after 1800 ms, a second run of two does not.
    expect(ran).toEqual([2, 2, 2]);
    expect(choice).toEqual({ size: 2, windowsPerSecond: { 2: 1000 / 300 } });
  });

  it('ends when it is cancelled', async () => {
    const { runtime } = await timed(() => 5);
    const stop = new AbortController();
    const measured = measureBatchSize(runtime, { signal: stop.signal });
    const reason = new Error('not any more');
    stop.abort(reason);
    await expect(measured).rejects.toBe(reason);
  });
});

it('gives a window the same embedding whatever the batch it is in', async () => {
  const pack = await readPack(compactPackFolder());
  const { windowSamples, embeddingDim } = pack.manifest;
  const noise = new Random(3).normals(8 * windowSamples);
  const sound = noise.map((value, i) => {
    const hertz = 110 + 97 * Math.floor(i / windowSamples);
    return 0.3 * Math.sin((2 * Math.PI * hertz * i) / pack.manifest.sampleRate) + 0.05 * value;
  });
  const runtime = await openRuntime(pack, { threads: 1 });
  const embedded = async (size: number): Promise<Float32Array> => {
    const all = new Float32Array(8 * embeddingDim);
    for (let first = 0; first < 8; first += size) {
      const part = sound.subarray(first * windowSamples, (first + size) * windowSamples);
      all.set(await runtime.embed(part, size), first * embeddingDim);
    }
    return all;
  };
  const [reference, alone] = [await embedded(BATCH_SIZES[0]), await embedded(1)];
  // Any size that may be chosen gives the same bits.
  for (const size of BATCH_SIZES) expect(await embedded(size)).toEqual(reference);
  // The last window of an import may be alone; its last digits differ.
  const differs = alone.map((value, i) => Math.abs(value - (reference[i] ?? NaN)));
  expect(Math.max(...differs)).toBeLessThan(1e-5);
  await runtime.close();
});
