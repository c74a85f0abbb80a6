import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutWindows, decodeMono } from '../../../models/audio/index.ts';
import {
  compactPackFolder,
  openRuntime,
  readPack,
  soundingTwin,
  verifyPack,
  writePack,
  type Pack,
  type PackRuntime,
} from '../../../models/packs/index.ts';
import { embedWindows } from '../../../models/pecmae/embed.ts';
import type { Sonification } from '../../../models/pecmae/sonify.ts';
import { sonify } from '../../support/sonify.ts';
import { peakOf, rmsDbfs, spectralCentroid } from '../../support/sound.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = findPack();
const signal = new AbortController().signal;
/** Sounds of different kinds that last for a good part of a window. */
const SOUNDS = [
  'ambi_choir',
  'loop_amen',
  'bass_voxy_c',
  'loop_tabla',
  'guit_em9',
  'vinyl_hiss',
  'ambi_glass_hum',
  'misc_crow',
];

function findPack(): string | null {
  try {
    return compactPackFolder();
  } catch {
    return null;
  }
}

describe.skipIf(folder === null)('the compact pack', () => {
  let pack: Pack;
  let runtime: PackRuntime;
  let waveforms: Float32Array[] = [];
  let embeddings: Float32Array[] = [];
  let sounds: Sonification[] = [];

  beforeAll(async () => {
    pack = await readPack(folder ?? '');
    runtime = await openRuntime(pack);
    waveforms = await Promise.all(SOUNDS.map((name) => firstWindow(name, pack)));
    for await (const { z } of embedWindows(runtime, windowsOf(waveforms), { batchSize: 3, signal }))
      embeddings.push(z);
    for (const z of embeddings) sounds.push(await sonify(runtime, z, { seed: 1, signal }));
  });
  afterAll(async () => {
    await runtime.close();
    [waveforms, embeddings, sounds] = [[], [], []];
  });

  it('is what its manifest says, and small enough to come with the application', async () => {
    const report = await verifyPack(pack);
    expect(report.packId).toBe('compact');
    expect(report.graphs.reduce((sum, graph) => sum + graph.bytes, 0)).toBeLessThanOrEqual(40e6);
    expect(pack.manifest.trainingData.hours ?? 0).toBeGreaterThan(1);
  });

  it('embeds a batch as it embeds one by one', async () => {
    for (const [i, waveform] of waveforms.entries()) {
      const alone = await runtime.embed(waveform, 1);
      expect(maxDifference(alone, embeddings[i] ?? alone.subarray(1))).toBeLessThan(1e-4);
    }
  });

  it('tells sounds apart, and similar ones less so', async () => {
    const shift = Math.round(pack.manifest.sampleRate * 0.02);
    const [first] = waveforms as [Float32Array];
    const moved = Float32Array.from(first, (_, i) => first[(i + shift) % first.length] ?? 0);
    const near = distance(await runtime.embed(moved, 1), embeddings[0]);
    for (const other of embeddings.slice(1))
      expect(distance(embeddings[0], other)).toBeGreaterThan(1.5 * near);
  });

  it('sonifies audibly: finite, not silent, not clipped, within the levels of the training audio', () => {
    const levels = pack.manifest.levels;
    if (!levels) throw new Error('the pack names no levels');
    const [quiet, , loud] = levels.rmsDbfs;
    const [dark, , bright] = levels.centroidHz;
    expect(bright).toBeGreaterThan(dark);
    for (const { samples, sampleRate } of sounds) {
      expect(samples.length).toBe(pack.manifest.windowSamples);
      expect(samples.every(Number.isFinite)).toBe(true);
      expect(peakOf(samples)).toBeLessThanOrEqual(1);
      // A run of samples at full scale is what clipping looks like.
      expect(samples.filter((value) => Math.abs(value) > 0.999).length).toBeLessThan(10);
      expect(rmsDbfs(samples)).toBeGreaterThan(quiet - 6);
      expect(rmsDbfs(samples)).toBeLessThan(loud + 6);
      const centroid = spectralCentroid(samples, sampleRate);
      expect(centroid).toBeGreaterThan(dark / 1.5);
      expect(centroid).toBeLessThan(bright * 1.5);
    }
  });

  it('gives the same sound for the same seed', async () => {
    const z = embeddings[0] ?? new Float32Array();
    const options = { seed: 1, steps: 6, signal };
    const first = await sonify(runtime, z, options);
    expect((await sonify(runtime, z, options)).samples).toEqual(first.samples);
    expect((await sonify(runtime, z, { ...options, seed: 2 })).samples).not.toEqual(first.samples);
  });

  it('hears in a sonification what it was made from, which a twin without training cannot', async () => {
    const twin = await openRuntime(
      await readPack(await writePack(await soundingTwin(pack, 1), await temporaryFolder())),
    );
    const [own, random] = [await recognised(runtime, embeddings, sounds), await twinRecognised(twin)];
    await twin.close();
    expect(own).toBeGreaterThanOrEqual(5);
    expect(random).toBeLessThan(own);
  });

  async function twinRecognised(twin: PackRuntime): Promise<number> {
    const vectors: Float32Array[] = [];
    const made: Sonification[] = [];
    for (const waveform of waveforms) {
      const z = await twin.embed(waveform, 1);
      vectors.push(z);
      made.push(await sonify(twin, z, { seed: 1, signal, steps: 8 }));
    }
    expect(distance(vectors[0], embeddings[0])).toBeGreaterThan(0.1);
    return recognised(twin, vectors, made);
  }
});

/** How many sonifications lie nearest, by angle, to the very vector they were made from. */
async function recognised(
  runtime: PackRuntime,
  vectors: readonly Float32Array[],
  sounds: readonly Sonification[],
) {
  let count = 0;
  for (const [i, { samples }] of sounds.entries()) {
    const z = await runtime.embed(samples, 1);
    const cosines = vectors.map((vector) => cosine(vector, z));
    if (cosines.indexOf(Math.max(...cosines)) === i) count += 1;
  }
  return count;
}

/** The first window of a demo sound; short sounds are repeated, so that silence does not make all alike. */
async function firstWindow(name: string, pack: Pack): Promise<Float32Array> {
  const { sampleRate, windowSamples } = pack.manifest;
  const samples = createRequire(import.meta.url).resolve('supersonic-scsynth-samples/package.json');
  const path = join(dirname(samples), 'samples', `${name}.flac`);
  for await (const window of cutWindows(decodeMono(path, { sampleRate, signal }), { windowSamples }))
    return window.samples.map((_, i) => window.samples[i % window.validSamples] ?? 0);
  throw new Error(`${name} is empty`);
}

async function* windowsOf(waveforms: readonly Float32Array[]) {
  for (const [index, samples] of waveforms.entries()) {
    await Promise.resolve();
    yield { index, startSample: 0, validSamples: samples.length, samples };
  }
}

function maxDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0);
}

function distance(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return a && b ? Math.hypot(...a.map((value, i) => value - (b[i] ?? NaN))) : NaN;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
