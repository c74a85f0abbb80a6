import { rmsDbfs } from '../audio/level.ts';
import { openRuntime, verifyPack, type Pack, type PackRuntime } from '../packs/index.ts';
import { PackError } from '../packs/errors.ts';
import { cosine } from '../numerics/distances.ts';
import { Random } from '../numerics/random.ts';
import { chord as chordOf, noise as noiseOf } from './test-sounds.ts';

/** What the self-test of a new pack measured. */
export interface SelfTestReport {
  /** Largest difference between two runs on the same sound; 0 on every machine known. */
  repeatDifference: number;
  /** Cosine between the embeddings of a chord and of noise. */
  chordNoiseCosine: number;
  /** Milliseconds to embed one window on the CPU. */
  embedMilliseconds: number;
  /** Milliseconds of one denoiser step on the CPU, and of decoding; generative packs only. */
  denoiseMilliseconds?: number;
  decodeMilliseconds?: number;
  /** Level of what the decoder makes of the chord's own features, dBFS. */
  decodedDbfs?: number;
}

const NOISE_SEED = 4;

/** Where a new pack is run for the first time: graphs that others wrote are let nowhere near the application. */
export interface Trial {
  /** Opens every graph once. @throws PackError */
  verify: (pack: Pack, signal?: AbortSignal) => Promise<unknown>;
  open: (pack: Pack) => Promise<PackRuntime>;
}

/** In this process: for graphs that were built here. */
export const trialHere: Trial = { verify: verifyPack, open: (pack) => openRuntime(pack) };

/**
 * Runs a new pack from end to end: every graph is opened and checked against the manifest, then a chord and noise are
 * embedded, and a generative pack takes a denoiser step and decodes.
 * @throws PackError when a graph fails, gives numbers that are not finite, or cannot tell the chord from the noise
 */
export async function selfTest(
  pack: Pack,
  { verify, open }: Trial,
  signal?: AbortSignal,
): Promise<SelfTestReport> {
  await verify(pack, signal);
  const { manifest } = pack;
  const { windowSamples: S, framesPerWindow: T, featureDim: F, embeddingDim: D } = manifest;
  const runtime = await open(pack);
  try {
    const random = new Random(NOISE_SEED);
    const chord = chordOf(S, manifest.sampleRate);
    const noise = noiseOf(S, random);
    const first = await runtime.embed(chord, 1);
    signal?.throwIfAborted();
    const [again, embedMilliseconds] = await timed(() => runtime.embed(chord, 1));
    signal?.throwIfAborted();
    const other = await runtime.embed(noise, 1);
    const report: SelfTestReport = {
      repeatDifference: largestDifference(first, again),
      chordNoiseCosine: cosine(first, other),
      embedMilliseconds,
    };
    // NaN fails too, and so do embeddings of zeros, which have no direction.
    if (!(report.chordNoiseCosine < 1 - 1e-6) || largestDifference(first, other) === 0)
      throw new PackError('graph', 'the pack gives the same embedding for every sound', {
        hint: 'The weights are probably not those of a trained model: get the files again.',
      });
    if (manifest.kind === 'embedding-only') return report;
    signal?.throwIfAborted();
    const x = Float32Array.from({ length: T * F }, () => random.normal());
    const denoise = () => runtime.denoise(x, Float32Array.of(1), first.slice(0, D));
    await denoise();
    const [, denoiseMilliseconds] = await timed(denoise);
    signal?.throwIfAborted();
    const features = await runtime.features(chord, 1);
    const [sound, decodeMilliseconds] = await timed(() => runtime.decode(features, 1));
    return { ...report, denoiseMilliseconds, decodeMilliseconds, decodedDbfs: rmsDbfs(sound) };
  } finally {
    await runtime.close();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, milliseconds: number]> {
  const started = performance.now();
  const result = await work();
  return [result, performance.now() - started];
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? NaN))), 0);
}
