import { rmsDbfs } from '../../models/audio/level.ts';
import { cutWindows } from '../../models/audio/windows.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import { cosine } from '../../models/pecmae/cosine.ts';
import { sonify } from '../../models/pecmae/sonify.ts';
import type { DecodePool } from '../decode/pool.ts';

/** What a pack does on this machine with given sounds; medians over the sounds. */
export interface PackScore {
  sounds: number;
  /** Embedding, in batches. */
  windowsPerSecond: number;
  /** Null for a pack that only makes embeddings. */
  generative: {
    /** Cosine of the embeddings of a sound before and after features → decoder. */
    roundTripCosine: number;
    /** Level after minus level before, dB. */
    roundTripLevelDb: number;
    secondsPerSonification: number;
    /** Level of the sonified embeddings, dB re full scale. */
    rmsDbfs: number;
    /** Cosine of an embedding and the embedding of its sonification. */
    cycleCosine: number;
  } | null;
}

const BATCH = 8;

/**
 * Measures a pack on the first window of each file.
 * @throws AudioError, PackError; the signal's reason
 */
export async function scorePack(
  runtime: PackRuntime,
  decode: DecodePool,
  files: readonly string[],
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<PackScore> {
  const windows: Float32Array[] = [];
  for (const file of files) windows.push(await firstWindow(runtime, decode, file, signal));
  const windowsPerSecond = await embeddingSpeed(runtime, windows);
  if (runtime.pack.manifest.kind !== 'generative')
    return { sounds: windows.length, windowsPerSecond, generative: null };

  const rows = { cosine: [] as number[], level: [] as number[], seconds: [] as number[] };
  const cycle = { level: [] as number[], cosine: [] as number[] };
  for (const window of windows) {
    signal.throwIfAborted();
    const z = await runtime.embed(window, 1);
    const again = await runtime.decode(await runtime.features(window, 1), 1);
    rows.cosine.push(cosine(z, await runtime.embed(again, 1)));
    rows.level.push(rmsDbfs(again) - rmsDbfs(window));
    const started = performance.now();
    const { samples } = await sonify(runtime, z, { seed, signal });
    rows.seconds.push((performance.now() - started) / 1000);
    cycle.level.push(rmsDbfs(samples));
    cycle.cosine.push(cosine(z, await runtime.embed(samples, 1)));
  }
  return {
    sounds: windows.length,
    windowsPerSecond,
    generative: {
      roundTripCosine: median(rows.cosine),
      roundTripLevelDb: median(rows.level),
      secondsPerSonification: median(rows.seconds),
      rmsDbfs: median(cycle.level),
      cycleCosine: median(cycle.cosine),
    },
  };
}

async function firstWindow(
  runtime: PackRuntime,
  decode: DecodePool,
  file: string,
  signal: AbortSignal,
): Promise<Float32Array> {
  const { sampleRate, windowSamples } = runtime.pack.manifest;
  for await (const { samples } of cutWindows(decode.decode(file, { sampleRate, signal }), { windowSamples }))
    return samples;
  return new Float32Array(windowSamples);
}

async function embeddingSpeed(runtime: PackRuntime, windows: readonly Float32Array[]): Promise<number> {
  const { windowSamples } = runtime.pack.manifest;
  const batch = new Float32Array(BATCH * windowSamples);
  for (let i = 0; i < BATCH; i++) batch.set(windows[i % windows.length] ?? [], i * windowSamples);
  // Loads the session; only what follows is timed.
  await runtime.embed(batch, BATCH);
  const started = performance.now();
  const runs = Math.max(2, Math.ceil(windows.length / BATCH));
  for (let run = 0; run < runs; run++) await runtime.embed(batch, BATCH);
  return (runs * BATCH) / ((performance.now() - started) / 1000);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
