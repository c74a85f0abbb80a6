/**
 * Speed of the compact pack: windows per second by batch size, milliseconds per sonification. Where ARCHETONE_PYTHON
 * names a Python with PyTorch, the same networks (models/training/model.py) are timed there in the same run.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compactPackFolder, openRuntime, readPack, type PackRuntime } from '../../models/packs/index.ts';
import { sonify } from '../support/sonify.ts';
import { Random } from '../../models/numerics/random.ts';
import { machine } from './meter.ts';

/** Figures of one implementation; all times are the best of several runs. */
interface Figures {
  /** Embedded windows per second, by batch size. */
  windowsPerSecond: Record<string, number>;
  /** One guided sampling step: the denoiser on a batch of two. */
  stepMs: number;
  decodeMs: number;
  /** A whole sonification with the pack's steps and guidance. */
  sonifyMs: number;
}

const BATCHES = [1, 4, 8, 16];
const REPEATS = 5;
const SAMPLE_RUNS = 2;

/** Prints the table. */
export async function run(): Promise<void> {
  const pack = await readPack(compactPackFolder());
  const threads = availableParallelism();
  const { id, version, sampler, windowSeconds } = pack.manifest;
  if (!sampler) throw new Error(`the pack ${id} is not generative`);
  console.log(
    `pack ${id} ${version}, windows of ${windowSeconds} s, ${sampler.steps} steps, ${threads} threads`,
  );
  const runtime = await openRuntime(pack, { threads });
  const figures = [{ name: 'ONNX Runtime from Node', ...(await measure(runtime)) }];
  await runtime.close();
  const python = process.env['ARCHETONE_PYTHON'];
  if (python) figures.push({ name: 'PyTorch eager', ...(await measurePeer(python, sampler, threads)) });
  print(figures);
  if (!python) console.log('set ARCHETONE_PYTHON to a Python with PyTorch to see it beside');
}

async function measure(runtime: PackRuntime): Promise<Figures> {
  const { windowSamples, framesPerWindow, featureDim, embeddingDim } = runtime.pack.manifest;
  const random = new Random(1);
  const noise = (n: number) => random.normals(n).map((value) => 0.1 * value);
  const windowsPerSecond: Record<string, number> = {};
  for (const batch of BATCHES) {
    const waveforms = noise(batch * windowSamples);
    const ms = await best(() => runtime.embed(waveforms, batch));
    windowsPerSecond[batch] = (1000 * batch) / ms;
  }
  const frames = framesPerWindow * featureDim;
  const [x, z, sigma] = [noise(2 * frames), noise(2 * embeddingDim), Float32Array.of(0.5, 0.5)];
  const stepMs = await best(() => runtime.denoise(x, sigma, z));
  const decodeMs = await best(() => runtime.decode(x.subarray(0, frames), 1));
  const signal = new AbortController().signal;
  const vector = random.normals(embeddingDim);
  const sonifyMs = await best(() => sonify(runtime, vector, { seed: 1, signal }), SAMPLE_RUNS);
  return { windowsPerSecond, stepMs, decodeMs, sonifyMs };
}

/** Milliseconds of the fastest of several runs, after one to warm up. */
async function best(work: () => Promise<unknown>, repeats = REPEATS): Promise<number> {
  await work();
  let fastest = Infinity;
  for (let i = 0; i < repeats; i++) {
    const started = performance.now();
    await work();
    fastest = Math.min(fastest, performance.now() - started);
  }
  return fastest;
}

async function measurePeer(
  python: string,
  sampler: { steps: number; guidance: number },
  threads: number,
): Promise<Figures> {
  const options = { batches: BATCHES, repeats: REPEATS, sampleRuns: SAMPLE_RUNS, threads, ...sampler };
  const script = join(import.meta.dirname, 'peer_pack.py');
  // Waiting threads sleep on both sides: on a busy machine spinning would slow PyTorch down several times over.
  const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' };
  const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(options)], { env });
  return JSON.parse(stdout) as Figures;
}

function print(figures: ({ name: string } & Figures)[]): void {
  const rows: Record<string, Record<string, number>> = {};
  const put = (row: string, name: string, value: number) =>
    ((rows[row] ??= {})[name] = Number(value.toFixed(1)));
  for (const { name, windowsPerSecond, stepMs, decodeMs, sonifyMs } of figures) {
    for (const [batch, speed] of Object.entries(windowsPerSecond))
      put(`windows/s, batch ${batch}`, name, speed);
    put('ms per guided step', name, stepMs);
    put('ms to decode', name, decodeMs);
    put('ms per sonification', name, sonifyMs);
  }
  console.table(rows);
  console.log(`${machine()}: on a busy machine all figures are lower bounds`);
}
