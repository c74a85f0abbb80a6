/** One step of scripts/full-size.mjs, in a process of its own so that its memory is its own. Prints one line of JSON. */
import { rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { convertFiles } from '../../models/conversion/index.ts';
import { openRuntime, readPack, type PackRuntime } from '../../models/packs/index.ts';
import { sonify } from '../support/sonify.ts';
import { Random } from '../../models/numerics/random.ts';
import { fullSizeFiles, writeFullSize, type FullSizeName } from '../support/full-size-files.ts';

const THREADS = 2;
const BYTES_PER_KB = 1024;

/** Runs `write`, `convert` or `run`, as the arguments say. */
export async function main([step = '', folder = '', ...args]: readonly string[]): Promise<void> {
  const started = performance.now();
  const before = process.cpuUsage();
  const result =
    step === 'write'
      ? write(folder, args)
      : step === 'convert'
        ? await convert(folder, args as FullSizeName[])
        : await run(join(folder, 'packs', args[0] ?? ''), args[1] === 'sonify');
  const { user, system } = process.cpuUsage(before);
  // Written at once: the process ends right after.
  writeSync(
    1,
    `${JSON.stringify({
      ...result,
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakBytes: process.resourceUsage().maxRSS * BYTES_PER_KB,
    })}\n`,
  );
}

function write(folder: string, [keys = '', ...names]: readonly string[]): object {
  for (const name of names) writeFullSize(name as FullSizeName, keys, folder);
  return {};
}

async function convert(folder: string, names: readonly FullSizeName[]): Promise<object> {
  const packsFolder = join(folder, 'packs');
  const id = names[0] ?? '';
  rmSync(join(packsFolder, id), { recursive: true, force: true });
  const { pack, notes } = await convertFiles(
    names.map((name) => ({ path: join(folder, fullSizeFiles[name].file) })),
    { packsFolder, choices: { id } },
  );
  const sizes = Object.values(pack.manifest.graphs).map((graph) => graph?.bytes ?? 0);
  return {
    packBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    largestGraphBytes: Math.max(...sizes),
    notes,
  };
}

/** Loads the graphs one after another and runs them, as the engine does. */
async function run(packFolder: string, whole: boolean): Promise<object> {
  const pack = await readPack(packFolder);
  const { windowSamples: S, framesPerWindow: T, featureDim: F, embeddingDim: D } = pack.manifest;
  const runtime = await openRuntime(pack, { threads: THREADS });
  try {
    const random = new Random(1);
    const sound = Float32Array.from({ length: S }, () => 0.1 * random.normal());
    await runtime.embed(sound, 1);
    const embed = await best(3, () => runtime.embed(sound, 1));
    if (pack.manifest.kind !== 'generative') return { embed };
    return { embed, ...(await generate(runtime, { T, F, D, random, whole })) };
  } finally {
    await runtime.close();
  }
}

interface GenerateOptions {
  T: number;
  F: number;
  D: number;
  random: Random;
  whole: boolean;
}

async function generate(
  runtime: PackRuntime,
  { T, F, D, random, whole }: GenerateOptions,
): Promise<Record<string, Duration>> {
  const z = Float32Array.from({ length: D }, () => random.normal());
  const x = Float32Array.from({ length: 2 * T * F }, () => random.normal());
  // Both branches of guidance are two items of one batch.
  const guided = Float32Array.from([...z, ...new Float32Array(D)]);
  const step = () => runtime.denoise(x, Float32Array.of(0.5, 0.5), guided);
  await step();
  const guidedStep = await best(3, step);
  const latents = x.slice(0, T * F);
  await runtime.decode(latents, 1);
  const decode = await best(2, () => runtime.decode(latents, 1));
  if (!whole) return { guidedStep, decode };
  const sonification = await best(1, () =>
    sonify(runtime, z, {
      steps: 40,
      guidance: 1,
      sampler: 'ddim',
      seed: 1,
      signal: new AbortController().signal,
    }),
  );
  return { guidedStep, decode, sonification };
}

/** Seconds by the clock, and of processors. */
interface Duration {
  wall: number;
  cpu: number;
}

/** The fastest of some runs: what else the machine does only ever adds. */
async function best(times: number, work: () => Promise<unknown>): Promise<Duration> {
  const shortest: Duration = { wall: Infinity, cpu: Infinity };
  for (let i = 0; i < times; i++) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(before);
    shortest.wall = Math.min(shortest.wall, (performance.now() - started) / 1000);
    shortest.cpu = Math.min(shortest.cpu, (user + system) / 1e6);
  }
  return shortest;
}
