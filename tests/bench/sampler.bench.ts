/**
 * How many steps of each sampler reach the sound of the reference's hundred: log-spectral distance between decoded
 * sounds from the same noise and the same vectors, on the compact pack, whose denoiser is trained (random weights are no
 * denoiser). Beside it the distance to the limit of both samplers, 200 steps of `multistep`.
 *
 * ARCHETONE_BENCH_VECTORS (default 4): how many sounds are embedded and sonified. ARCHETONE_BENCH_PACK: folder of another pack.
 */
import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { cutWindows, decodeMono } from '../../models/audio/index.ts';
import { compactPackFolder, openRuntime, readPack, type PackRuntime } from '../../models/packs/index.ts';
import { sample } from '../../models/pecmae/sampling.ts';
import type { SamplerName } from '../../models/pecmae/sampler.ts';
import { Random } from '../../models/numerics/random.ts';
import { DistanceMeter } from '../../models/benchmarks/distances.ts';
import { SharedFolder } from '../support/shared-folder.ts';

const GUIDANCE = [0, 1, 4];
const REFERENCE = { sampler: 'ddim', steps: 100 } as const;
const LIMIT = { sampler: 'multistep', steps: 200 } as const;
const CANDIDATES: readonly Way[] = [
  { sampler: 'ddim', steps: 40 },
  { sampler: 'ddim', steps: 20 },
  ...[8, 10, 12, 16, 20, 30].map((steps): Way => ({ sampler: 'multistep', steps })),
];

interface Way {
  sampler: SamplerName;
  steps: number;
}

/** Prints one table for each strength of guidance. */
export async function run(): Promise<void> {
  const pack = await readPack(process.env['ARCHETONE_BENCH_PACK'] ?? compactPackFolder());
  const runtime = await openRuntime(pack, { threads: 1 });
  const meter = await DistanceMeter.open();
  const vectors = await embedSounds(runtime, Number(process.env['ARCHETONE_BENCH_VECTORS'] ?? 4));
  console.log(`pack ${pack.manifest.id} ${pack.manifest.version}, ${vectors.length} vectors`);
  for (const guidance of GUIDANCE) {
    const make = (way: Way) => sounds(runtime, vectors, { ...way, guidance });
    const [reference, limit] = [await make(REFERENCE), await make(LIMIT)];
    const rows: Record<string, Record<string, string>> = {};
    for (const way of [REFERENCE, ...CANDIDATES]) {
      const used = process.cpuUsage();
      const made = way === REFERENCE ? reference : await make(way);
      const { user, system } = process.cpuUsage(used);
      rows[`${way.sampler} ${way.steps}`] = {
        'dB to ddim 100': (await distance(meter, reference, made)).toFixed(2),
        'dB to the limit': (await distance(meter, limit, made)).toFixed(2),
        'CPU s each': way === REFERENCE ? '' : ((user + system) / 1e6 / vectors.length).toFixed(2),
      };
    }
    console.log(`guidance ${guidance}`);
    console.table(rows);
  }
  await meter.close();
  await runtime.close();
}

async function sounds(
  runtime: PackRuntime,
  vectors: readonly Float32Array[],
  { sampler, steps, guidance }: Way & { guidance: number },
): Promise<Float32Array[]> {
  const { framesPerWindow, featureDim } = runtime.pack.manifest;
  const made: Float32Array[] = [];
  for (const [index, z] of vectors.entries()) {
    const noise = new Random(index).normals(framesPerWindow * featureDim);
    const denoise = runtime.denoise.bind(runtime);
    const features = await sample(denoise, { noise, z, sampler, steps, guidance });
    made.push(await runtime.decode(features, 1));
  }
  return made;
}

/** Mean log-spectral distance in dB. */
async function distance(
  meter: DistanceMeter,
  reference: readonly Float32Array[],
  made: readonly Float32Array[],
): Promise<number> {
  const each: number[] = [];
  for (const [index, sound] of made.entries()) {
    const measured = await meter.measure(reference[index] ?? new Float32Array(), sound);
    if (measured !== null) each.push(measured.logSpectral);
  }
  return each.reduce((a, b) => a + b, 0) / each.length;
}

/** First windows of recordings of instruments where there are any, or of chords. */
async function embedSounds(runtime: PackRuntime, count: number): Promise<Float32Array[]> {
  const { windowSamples, sampleRate, embeddingDim } = runtime.pack.manifest;
  const found = recordings(count);
  const waveforms: Float32Array[] = [];
  for (const path of found) {
    const mono = decodeMono(path, { sampleRate, signal: new AbortController().signal });
    for await (const { samples } of cutWindows(mono, { windowSamples })) {
      waveforms.push(samples);
      break;
    }
  }
  for (let i = waveforms.length; i < count; i++)
    waveforms.push(
      Float32Array.from({ length: windowSamples }, (_, n) =>
        [1, 1.25, 1.5].reduce(
          (sum, r) => sum + 0.1 * Math.sin((2 * Math.PI * 110 * (i + 1) * r * n) / sampleRate),
          0,
        ),
      ),
    );
  const vectors: Float32Array[] = [];
  for (const waveform of waveforms) vectors.push((await runtime.embed(waveform, 1)).slice(0, embeddingDim));
  return vectors;
}

function recordings(count: number): string[] {
  const recorded = new SharedFolder('audio/philharmonia', () => false);
  if (recorded.missing) return [];
  const folder = recorded.path();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mp3'))
    .sort();
  return Array.from({ length: Math.min(count, files.length) }, (_, i) =>
    join(folder, files[Math.floor(((i + 0.5) * files.length) / count)] ?? ''),
  );
}
