import type { PackRuntime } from '../packs/runtime.ts';

const BATCH = 4;
const RUNS = 6;

/** Windows embedded per second in batches of four, best of six runs after one that loads the session. */
export async function embeddingSpeed(runtime: PackRuntime, window: Float32Array): Promise<number> {
  const { windowSamples } = runtime.pack.manifest;
  const batch = new Float32Array(BATCH * windowSamples);
  for (let i = 0; i < BATCH; i++) batch.set(window, i * windowSamples);
  await runtime.embed(batch, BATCH);
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await runtime.embed(batch, BATCH);
    best = Math.min(best, performance.now() - started);
  }
  return (1000 * BATCH) / best;
}
