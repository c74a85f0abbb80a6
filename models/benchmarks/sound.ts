import { rmsDbfs } from '../audio/level.ts';
import type { PackRuntime } from '../packs/runtime.ts';
import { sonifyBest } from '../pecmae/candidates.ts';
import { cosine } from '../numerics/distances.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';
import { DistanceMeter } from './distances.ts';
import { HandcraftedFeatures } from './handcrafted.ts';
import { meanOf, quantile, round } from './summary.ts';

/** How vectors are made audible for a score; what is left out is the pack's default. */
export interface SoundSettings {
  seed: number;
  steps?: number;
  guidance?: number;
  candidates?: number;
  accept?: number;
  /** Recordings to start from, one window for each vector, and the share of noise over them; left out: pure noise. */
  from?: { windows: readonly Float32Array[]; share: number };
  signal: AbortSignal;
}

/** Mean distances to the originals of the pack's codec and of Griffin-Lim on 128 log-mel bands at 50 Hz. */
export interface RoundTripScore {
  windows: number;
  pack: { logSpectralDb: number; multiResolution: number };
  griffinLim: { logSpectralDb: number; multiResolution: number };
}

/**
 * Sends windows through features and decoder, and through log-mel bands and 32 iterations of Griffin-Lim; silent
 * windows are left out.
 * @param windows each of the pack's `windowSamples`
 */
export async function scoreRoundTrip(
  runtime: PackRuntime,
  windows: readonly Float32Array[],
  { signal }: { signal: AbortSignal },
): Promise<RoundTripScore> {
  const meter = await DistanceMeter.open();
  const handcrafted = await HandcraftedFeatures.open(runtime.pack.manifest.sampleRate);
  const rows: { pack: [number, number]; baseline: [number, number] }[] = [];
  try {
    for (const window of windows) {
      signal.throwIfAborted();
      const decoded = await runtime.decode(await runtime.features(window, 1), 1);
      const rebuilt = await handcrafted.rebuild(window);
      const pack = await meter.measure(window, decoded);
      const baseline = await meter.measure(window, rebuilt);
      if (!pack || !baseline) continue;
      rows.push({
        pack: [pack.logSpectral, pack.multiResolution],
        baseline: [baseline.logSpectral, baseline.multiResolution],
      });
    }
  } finally {
    await meter.close();
    await handcrafted.close();
  }
  const mean = (side: 'pack' | 'baseline', which: 0 | 1): number =>
    round(meanOf(rows.map((row) => row[side][which])), 3);
  return {
    windows: rows.length,
    pack: { logSpectralDb: mean('pack', 0), multiResolution: mean('pack', 1) },
    griffinLim: { logSpectralDb: mean('baseline', 0), multiResolution: mean('baseline', 1) },
  };
}

/** What becomes of vectors when they are made audible and heard again. */
export interface CycleScore {
  vectors: number;
  /** Mean cosine of a vector and the embedding of its sonification. */
  cycleCosine: number;
  /** Mean cosine of a vector and the embedding of the next vector's sonification: what chance would give. */
  cosineToOthers: number;
  /** 5th, 50th and 95th percentile of the level, dB re full scale. */
  rmsDbfs: [number, number, number];
  /** Share of sounds that are finite, not silent (above −70 dBFS) and within full scale. */
  sound: number;
  secondsEach: number;
}

/** @param vectors each `[D]`; @returns the score and the embeddings of the sounds, in order */
export async function scoreCycle(
  runtime: PackRuntime,
  vectors: readonly Float32Array[],
  settings: SoundSettings,
): Promise<{ score: CycleScore; sounds: Float32Array[]; embeddings: Float32Array[]; cosines: number[] }> {
  const sounds: Float32Array[] = [];
  const embeddings: Float32Array[] = [];
  const cosines: number[] = [];
  const { sampler } = runtime.pack.manifest;
  const started = performance.now();
  for (const [index, z] of vectors.entries()) {
    const { candidates = sampler?.candidates ?? 1, accept = sampler?.accept ?? 1, from, ...rest } = settings;
    const seed = settings.seed + 1000 * index;
    const window = from?.windows[index];
    const beginning = from && window && { features: await runtime.features(window, 1), share: from.share };
    const best = await sonifyBest(runtime, z, { ...rest, candidates, accept, seed, from: beginning });
    sounds.push(best.samples);
    embeddings.push(best.embedding);
    cosines.push(best.cycleCosine);
  }
  const seconds = (performance.now() - started) / 1000;
  const levels = sounds.map(rmsDbfs);
  const fine = sounds.filter(
    (samples, i) => samples.every((value) => Math.abs(value) <= 1) && (levels[i] ?? -Infinity) > -70,
  );
  const score: CycleScore = {
    vectors: vectors.length,
    cycleCosine: round(meanOf(cosines), 4),
    cosineToOthers: round(
      meanOf(vectors.map((z, i) => cosine(z, embeddings[(i + 1) % embeddings.length] ?? z))),
      4,
    ),
    rmsDbfs: [0.05, 0.5, 0.95].map((share) => round(quantile(levels, share), 1)) as [number, number, number],
    sound: round(fine.length / Math.max(1, vectors.length), 4),
    secondsEach: round(seconds / Math.max(1, vectors.length), 3),
  };
  return { score, sounds, embeddings, cosines };
}

/** Share of prototypes whose sonification the network assigns to the prototype's own class. */
export function classRetention(
  network: PrototypeNetwork,
  embeddings: readonly Float32Array[],
): { retention: number; kept: boolean[] } {
  const kept = embeddings.map((z, k) => network.classify(z, 1).prediction === network.classOf(k));
  return { retention: round(kept.filter(Boolean).length / Math.max(1, kept.length), 4), kept };
}
