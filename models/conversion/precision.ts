import { availableParallelism } from 'node:os';
import * as schema from 'zod';
import { relativeRms, runGraph, type VariantFeeds } from '../onnx/variant-error.ts';
import { variantOf, type VariantKind } from '../onnx/quantise.ts';
import { processorName } from '../packs/computed-by.ts';
import { PackError } from '../packs/errors.ts';
import { readGraph } from '../packs/graph-file.ts';
import type { GraphName, Pack } from '../packs/manifest.ts';
import { cosine } from '../numerics/distances.ts';
import { Random } from '../numerics/random.ts';
import { chord, melody, noise } from './test-sounds.ts';

/** How the weights of encoder and denoiser are kept. */
export type Precision = 'float32' | VariantKind;

/** Differences of a reduced pack from the float32 graphs it was made of; held against {@link precisionLimits}. */
export interface PrecisionFigures {
  kind: VariantKind;
  /** RMS of the differences of a graph's output over RMS of the output of the float32 graph, on the same inputs. */
  encoder: { relativeRms: number };
  /** Generative packs only. */
  denoiser?: { relativeRms: number };
  /** Smallest cosine between the embedding that the variant gives of a sound and the one that float32 gives. */
  z: { smallestCosine: number };
}

/** The figures with what is needed to measure them again on another processor; goes onto the quality card. */
export interface PrecisionReport extends PrecisionFigures {
  /** `reference`: embeddings of the sounds in float32, `[3, D]`, little-endian, base64. */
  z: { smallestCosine: number; reference: string };
  /** Name of the processor that the figures were measured on. */
  measuredOn: string;
}

/** The part of a quality card that {@link remeasurePrecision} needs; packs are files from outside. */
const cardSchema = schema.object({
  precision: schema.object({
    kind: schema.enum(['float16', 'int8']),
    measuredOn: schema.string().max(500),
    z: schema.object({ reference: schema.base64().max(2 ** 20) }),
  }),
});

/** A pack beyond these is refused: it would not be the model it says it is. */
export const precisionLimits: Readonly<Record<VariantKind, { relativeRms: number; smallestCosine: number }>> =
  {
    float16: { relativeRms: 0.01, smallestCosine: 0.9999 },
    int8: { relativeRms: 0.1, smallestCosine: 0.99 },
  };

const SEED = 8;
/** Guidance runs the denoiser without the sound's embedding too. */
const STEPS = [
  { sound: 0, sigma: 1, guided: true },
  { sound: 1, sigma: 0.7, guided: true },
  { sound: 2, sigma: 0.4, guided: true },
  { sound: 2, sigma: 0.4, guided: false },
  { sound: 0, sigma: 0.1, guided: true },
] as const;

/** True for the graphs that take the time; the others are small, or make the sound directly. */
export function isReduced(name: GraphName): boolean {
  return name === 'encoder' || name === 'denoiser';
}

/**
 * The variant of a graph that goes into the pack.
 * @param smallest fewest numbers of a weight that is changed; default: what pays
 * @throws PackError when nothing in the graph is large enough, so that the pack would only be float32 by another name
 */
export function reducedGraph(
  name: GraphName,
  graph: Uint8Array,
  kind: VariantKind,
  smallest: number | undefined,
): Uint8Array {
  const variant = variantOf(graph, kind, smallest === undefined ? {} : { smallest });
  if (variant.length < graph.length) return variant;
  throw new PackError('graph', `no weight of the ${name} is large enough for ${kind} to pay`, {
    hint: 'Add the model in float32.',
  });
}

/**
 * Measures a pack with reduced graphs against the float32 ones: the encoder on a chord, noise and a melody, the denoiser
 * on their features at several noise levels, with and without the sound's embedding. Always the same sounds and noise.
 * @param original builds the float32 graph
 * @throws PackError when a difference is beyond {@link precisionLimits}; the signal's reason
 */
export async function measurePrecision(
  pack: Pack,
  kind: VariantKind,
  original: (name: GraphName) => Promise<Uint8Array>,
  signal?: AbortSignal,
): Promise<PrecisionReport> {
  const { manifest } = pack;
  const { framesPerWindow: T, featureDim: F, embeddingDim: D } = manifest;
  const options = { threads: Math.min(16, availableParallelism()), ...(signal ? { signal } : {}) };
  const run = (graph: Uint8Array, runs: readonly VariantFeeds[]) => runGraph(graph, runs, options);
  const stored = (name: GraphName) => readGraph(pack, name, signal);
  const random = new Random(SEED);

  const sounds = testSounds(manifest, random);
  const features = await run(
    await stored('features'),
    sounds.map((data) => ({ waveform: { data, dims: [1, data.length] } })),
  );
  const heard = features.map((data) => ({ features: { data, dims: [1, T, F] } }));
  const expected = await run(await original('encoder'), heard);
  const actual = await run(await stored('encoder'), heard);
  const summary = await stored('summary');
  const embed = (hidden: readonly Float32Array[]) =>
    run(
      summary,
      hidden.map((data) => ({ hidden: { data, dims: [1, T, data.length / T] } })),
    );
  const codes = await embed(expected);
  const cosines = (await embed(actual)).map((z, i) => cosine(z, codes[i] ?? new Float32Array()));
  const report: PrecisionReport = {
    kind,
    encoder: { relativeRms: relativeRms(actual, expected) },
    z: { smallestCosine: Math.min(...cosines), reference: toBase64(codes) },
    measuredOn: processorName(),
  };
  if (manifest.kind === 'generative') {
    const nothing = new Float32Array(D);
    const steps = STEPS.map(({ sound, sigma, guided }): VariantFeeds => {
      const angle = (sigma * Math.PI) / 2;
      const clean = features[sound] ?? new Float32Array(T * F);
      const x = clean.map((value) => Math.cos(angle) * value + Math.sin(angle) * random.normal());
      return {
        features: { data: x, dims: [1, T, F] },
        sigma: { data: Float32Array.of(sigma), dims: [1] },
        z: { data: guided ? (codes[sound] ?? nothing) : nothing, dims: [1, D] },
      };
    });
    const velocities = await run(await original('denoiser'), steps);
    report.denoiser = { relativeRms: relativeRms(await run(await stored('denoiser'), steps), velocities) };
  }
  requireWithinLimits(report);
  return report;
}

function testSounds({ windowSamples, sampleRate }: Pack['manifest'], random: Random): Float32Array[] {
  return [
    chord(windowSamples, sampleRate),
    noise(windowSamples, random),
    melody(windowSamples, sampleRate, random),
  ];
}

/**
 * Measures a reduced pack again where its card was made on another processor: the embeddings it gives of the card's sounds
 * here, against those of float32 on the card. Its weights are chosen so that every processor computes the same integers;
 * this is the proof of it.
 * @param embed embeds one window `[S]` with the pack as it runs here
 * @returns null when the pack is not reduced, its card is older than this figure, or it was measured on this processor
 * @throws PackError `graph` when the smallest cosine is beyond {@link precisionLimits}
 */
export async function remeasurePrecision(
  pack: Pack,
  embed: (window: Float32Array) => Promise<Float32Array>,
): Promise<{ smallestCosine: number; processor: string } | null> {
  const card = cardSchema.safeParse(pack.manifest.quality);
  const processor = processorName();
  if (!card.success || card.data.precision.measuredOn === processor) return null;
  const { kind, z } = card.data.precision;
  const reference = fromBase64(z.reference);
  const { embeddingDim: D } = pack.manifest;
  const sounds = testSounds(pack.manifest, new Random(SEED));
  if (reference.length !== sounds.length * D)
    throw new PackError('manifest', 'the embeddings on the quality card have another size than the pack', {
      hint: 'Add the model again.',
    });
  let smallestCosine = 1;
  for (const [i, sound] of sounds.entries()) {
    const found = cosine(await embed(sound), reference.subarray(i * D, (i + 1) * D));
    smallestCosine = Math.min(smallestCosine, Number.isNaN(found) ? -1 : found);
  }
  requireCosine(kind, smallestCosine);
  return { smallestCosine, processor };
}

function toBase64(vectors: readonly Float32Array[]): string {
  return Buffer.concat(vectors.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength))).toString(
    'base64',
  );
}

function fromBase64(text: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

/** @throws PackError `graph` when a figure is beyond {@link precisionLimits}, or is no number */
export function requireWithinLimits(report: PrecisionFigures): void {
  const { kind, encoder, denoiser, z } = report;
  const limits = precisionLimits[kind];
  for (const [name, figures] of Object.entries({ encoder, denoiser }))
    // NaN fails too.
    if (figures && !(figures.relativeRms <= limits.relativeRms))
      refuse(
        kind,
        `the ${name} differs by ${percent(figures.relativeRms)} from float32, more than ${percent(limits.relativeRms)}`,
      );
  requireCosine(kind, z.smallestCosine);
}

function requireCosine(kind: VariantKind, found: number): void {
  const { smallestCosine } = precisionLimits[kind];
  if (!(found >= smallestCosine))
    refuse(
      kind,
      `an embedding has a cosine of ${found.toFixed(4)} with that of float32, less than ${smallestCosine}`,
    );
}

function refuse(kind: VariantKind, what: string): never {
  throw new PackError('graph', `in ${kind} ${what}`, {
    hint: 'This model does not bear that precision: add it in float32.',
  });
}

/** The report as a sentence. */
export function describePrecision({
  kind,
  encoder,
  denoiser,
  z,
  measuredOn,
}: PrecisionFigures & { measuredOn: string }): string {
  const parts = [
    `the encoder differs by ${percent(encoder.relativeRms)}`,
    ...(denoiser === undefined ? [] : [`the denoiser by ${percent(denoiser.relativeRms)}`]),
  ];
  // Rounded down: “at least” has to stay true.
  const least = Math.floor(1e4 * z.smallestCosine) / 1e4;
  return `In ${kind} ${parts.join(' and ')} (RMS) from float32; embeddings have a cosine of at least ${least.toFixed(4)} with those of float32 (measured on ${measuredOn}).`;
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
