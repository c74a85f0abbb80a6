import { Random } from '../numerics/random.ts';
import { readPack } from './manifest.ts';
import type { ProviderName } from './provider-names.ts';
import { openRuntime, type PackRuntime } from './runtime.ts';
import { TEST_WINDOWS, testWaveforms } from './test-waveforms.ts';

/** What to measure; plain data, so that it can cross a process boundary. */
export interface MeasureRequest {
  packFolder: string;
  provider: ProviderName;
}
/** Outputs to compare between providers, and the speed. */
export interface Measurement {
  /**
   * The embedding of one window; for a generative pack one v-prediction and one decoded window; last, unless the
   * provider is very slow, the embeddings of a batch.
   */
  outputs: Float32Array[];
  /** Embedded windows per second. */
  windowsPerSecond: number;
}

/**
 * Measures one provider somewhere. Rejects with the reason when the provider does not work; when `signal` aborts, it
 * must end the measurement or let go of it.
 */
export type ProviderRunner = (request: MeasureRequest, signal: AbortSignal) => Promise<Measurement>;

/** Measures in this process: no protection against a driver that hangs or crashes. */
export const inlineRunner: ProviderRunner = (request) => measureProvider(request);

const TIMED_SECONDS = 1;
const MAX_TIMED_RUNS = 20;
/** A provider that takes longer for one window, warmed up, is not measured more closely (software rendering). */
const SLOW_SECONDS = 1;

/**
 * Runs every graph of a pack on one provider with fixed inputs and times the embedding.
 * May hang or end the process when a driver is broken: callers run it where that does no harm.
 * @throws PackError | Error when the provider cannot run the pack
 */
export async function measureProvider(request: MeasureRequest): Promise<Measurement> {
  const pack = await readPack(request.packFolder);
  const runtime = await openRuntime(pack, { provider: request.provider });
  try {
    const waveforms = testWaveforms(pack.manifest);
    const first = waveforms.subarray(0, pack.manifest.windowSamples);
    const embedding = await runtime.embed(first, 1);
    const outputs = [embedding, ...(await generate(runtime, embedding))];
    const seconds = await secondsOf(() => runtime.embed(first, 1));
    if (seconds > SLOW_SECONDS) return { outputs, windowsPerSecond: 1 / seconds };
    outputs.push(await runtime.embed(waveforms, TEST_WINDOWS));
    return { outputs, windowsPerSecond: await timeEmbedding(runtime, waveforms) };
  } finally {
    await runtime.close();
  }
}

async function generate(runtime: PackRuntime, z: Float32Array): Promise<Float32Array[]> {
  const { kind, framesPerWindow, featureDim } = runtime.pack.manifest;
  if (kind !== 'generative') return [];
  const noise = new Random(2).normals(framesPerWindow * featureDim);
  return [await runtime.denoise(noise, Float32Array.of(0.5), z), await runtime.decode(noise, 1)];
}

async function timeEmbedding(runtime: PackRuntime, waveforms: Float32Array): Promise<number> {
  let runs = 0;
  let seconds = 0;
  while (seconds < TIMED_SECONDS && runs < MAX_TIMED_RUNS) {
    seconds += await secondsOf(() => runtime.embed(waveforms, TEST_WINDOWS));
    runs += 1;
  }
  return (runs * TEST_WINDOWS) / seconds;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
