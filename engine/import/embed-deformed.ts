import { createHash } from 'node:crypto';
import { cutWindows, type AudioWindow } from '../../models/audio/index.ts';
import { Resampler } from '../../models/audio/resampler.ts';
import type { DeformationMeasure, DeformationTools } from '../../models/deformations/deformation.ts';
import { deform, type Scenario } from '../../models/deformations/scenario.ts';
import type { Pack, PackRuntime } from '../../models/packs/index.ts';
import type { AudioDecoder } from '../decode/index.ts';
import { evenlySpaced } from './choose-windows.ts';

/** Rate at which audio is deformed, whatever a pack listens at. */
export const DEFORMED_RATE = 44_100;
const BATCH = 8;

/** A file with its content, and what it is read with. */
export interface DeformedSource {
  path: string;
  sha256: string;
  decode: AudioDecoder;
  signal: AbortSignal;
}

/**
 * A file taken through a scenario, at {@link DEFORMED_RATE}, with what was measured; the same samples for the same content
 * on every machine.
 * @throws AudioError, ScenarioError; the signal's reason
 */
export async function deformedFile(
  { path, sha256, decode, signal }: DeformedSource,
  scenario: Scenario,
  tools: DeformationTools,
): Promise<{ samples: Float32Array; measures: DeformationMeasure[] }> {
  const samples = await wholeFile(path, DEFORMED_RATE, decode, signal);
  // Copies of a recording are deformed alike; every scenario draws its own numbers.
  const seed = createHash('sha256').update(`${sha256} ${scenario.key}`).digest().readUInt32LE();
  return deform({ samples, sampleRate: DEFORMED_RATE }, scenario, seed, tools);
}

/** All samples of a file, mono. @throws AudioError; the signal's reason */
export async function wholeFile(
  path: string,
  sampleRate: number,
  decode: AudioDecoder,
  signal: AbortSignal,
): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  for await (const piece of decode.decode(path, { sampleRate, signal })) pieces.push(piece);
  const samples = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}

/** What was deformed, as a pack hears it. */
export async function* resampled(
  deformed: Promise<Float32Array>,
  sampleRate: number,
): AsyncGenerator<Float32Array> {
  const resampler = new Resampler(DEFORMED_RATE, sampleRate);
  yield resampler.push(await deformed);
  yield resampler.flush();
}

/** What makes a vector of a window of sound, or several. */
export type Listener = Pick<PackRuntime, 'embed'> & {
  pack: Pick<Pack, 'manifest' | 'encoderSha256'>;
  /**
   * How many of the vectors of a window, the first ones, tell of its sound rather than of the silence that fills it up; one
   * of a track counts always. Left out where a window has one vector.
   */
  sounding?: (validSamples: number) => number;
};

/** @returns the windows that were chosen, and their vectors `[rows, D]` @throws PackError; the signal's reason */
export async function embedAudio(
  runtime: Listener,
  audio: AsyncIterable<Float32Array>,
  windows: 'all' | number,
  signal: AbortSignal,
): Promise<{ kept: AudioWindow[]; vectors: Float32Array; samples: number }> {
  const { windowSamples, embeddingDim } = runtime.pack.manifest;
  const all: AudioWindow[] = [];
  for await (const window of cutWindows(audio, { windowSamples })) all.push(window);
  const chosen = windows === 'all' ? null : evenlySpaced(all.length, windows);
  const kept = all.filter((_, i) => chosen === null || chosen.has(i));
  const rows: Float32Array[] = [];
  for (let from = 0; from < kept.length; from += BATCH) {
    signal.throwIfAborted();
    const batch = kept.slice(from, from + BATCH);
    const waveforms = new Float32Array(batch.length * windowSamples);
    batch.forEach(({ samples }, i) => waveforms.set(samples, i * windowSamples));
    const given = await runtime.embed(waveforms, batch.length);
    const each = given.length / batch.length;
    batch.forEach(({ validSamples }, i) => {
      const own = given.subarray(i * each, (i + 1) * each);
      const count = runtime.sounding?.(validSamples) ?? each / embeddingDim;
      rows.push(own.subarray(0, Math.max(count, rows.length === 0 ? 1 : 0) * embeddingDim));
    });
  }
  const vectors = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    vectors.set(row, at);
    at += row.length;
  }
  const last = all.at(-1);
  return { kept, vectors, samples: last ? last.startSample + last.validSamples : 0 };
}
