import type { PackRuntime } from './runtime.ts';
import { TEST_WINDOWS, testWaveforms } from './test-waveforms.ts';

/**
 * Windows per run of the encoder that are tried. One window alone is none of them: the runtime then takes other kernels,
 * whose last digits differ (by 3e-6 on the compact pack), while all of these give the same bits there.
 */
export const BATCH_SIZES = [2, 4, 8] as const;

/** What {@link measureBatchSize} found. */
export interface BatchChoice {
  size: number;
  /** Windows per second, by size; what took too long was not measured. */
  windowsPerSecond: Record<string, number>;
}

const ROUNDS = 3;
/** A larger batch makes whoever listens wait longer: it has to be faster by so much. */
const WORTH = 1.03;

/**
 * Finds the batch size that embeds most windows a second, by measuring. The best of a few rounds counts, and sizes take
 * turns, so that other work on the machine meets all of them. Sizes that would not fit into the time are left out.
 * @param options `budgetMs` of the measurement; the first run, which opens the graphs, does not count. `now`: a clock,
 * milliseconds
 * @throws PackError; the signal's reason
 */
export async function measureBatchSize(
  runtime: PackRuntime,
  {
    signal,
    budgetMs = 1500,
    now = () => performance.now(),
  }: { signal: AbortSignal; budgetMs?: number; now?: () => number },
): Promise<BatchChoice> {
  const { windowSamples } = runtime.pack.manifest;
  const test = testWaveforms(runtime.pack.manifest);
  const largest = Math.max(...BATCH_SIZES);
  const waveforms = Float32Array.from(
    { length: largest * windowSamples },
    (_, i) => test[i % (TEST_WINDOWS * windowSamples)] ?? 0,
  );
  const best = new Map<number, number>();
  const time = async (size: number): Promise<number> => {
    signal.throwIfAborted();
    const begun = now();
    await runtime.embed(waveforms.subarray(0, size * windowSamples), size);
    return now() - begun;
  };
  await time(BATCH_SIZES[0]);
  const end = now() + budgetMs;
  let perWindow = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const size of BATCH_SIZES) {
      if (now() + size * perWindow > end) continue;
      perWindow = (await time(size)) / size;
      best.set(size, Math.min(best.get(size) ?? Infinity, perWindow));
    }
  }
  return choose(best);
}

function choose(millisecondsPerWindow: ReadonlyMap<number, number>): BatchChoice {
  const speeds = [...millisecondsPerWindow].map(([size, ms]) => [size, 1000 / ms] as const);
  const fastest = Math.max(...speeds.map(([, speed]) => speed));
  const size = speeds.find(([, speed]) => speed * WORTH >= fastest)?.[0] ?? BATCH_SIZES[0];
  return { size, windowsPerSecond: Object.fromEntries(speeds) };
}
