import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { HandcraftedFeatures } from '../../../models/benchmarks/handcrafted.ts';
import { learnedFiltersPack, type FilterEdges } from '../../../models/handmade/learned-filters.ts';
import { handmadeManifest, handmadePack } from '../../../models/handmade/pack.ts';
import { handmadeSpaces } from '../../../models/handmade/registry.ts';
import { MODULATION_RATES } from '../../../models/modulation/filters.ts';
import {
  openRuntime,
  readPack,
  verifyPack,
  writePack,
  type PackRuntime,
} from '../../../models/packs/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const vectorsSchema = z.record(z.string(), z.array(z.number()));
const golden = vectorsSchema.parse(
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../golden/handmade.json'), 'utf8')),
);
const runtimes = new Map<string, PackRuntime>();

beforeAll(async () => {
  for (const space of handmadeSpaces) {
    const folder = await writePack(handmadePack(space), join(await temporaryFolder(), space.id));
    runtimes.set(space.id, await openRuntime(await readPack(folder), { threads: 1 }));
  }
});
afterAll(async () => {
  for (const runtime of runtimes.values()) await runtime.close();
});

/** Half a tone that swells four times a second, another one, and a little noise: as `handmade_twin.py` makes it. */
function testSound(samples: number, rate: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: samples }, (_, i) => {
    state = (state * 48_271) % 2_147_483_647;
    const t = i / rate;
    const swell = 1 + 0.8 * Math.sin(2 * Math.PI * 4 * t);
    return (
      0.3 * Math.sin(2 * Math.PI * 440 * t) * swell +
      0.1 * Math.sin(2 * Math.PI * 1319 * t) +
      0.01 * (state / 2_147_483_647 - 0.5)
    );
  });
}

async function embed(id: string, sound: (t: number) => number): Promise<Float32Array> {
  const runtime = runtimes.get(id);
  if (!runtime) throw new Error(id);
  const { windowSamples, sampleRate } = runtime.pack.manifest;
  return runtime.embed(
    Float32Array.from({ length: windowSamples }, (_, i) => sound(i / sampleRate)),
    1,
  );
}

const tone =
  (hertz: number, beat = 0, depth = 0, level = 0.5) =>
  (t: number): number =>
    level * Math.sin(2 * Math.PI * hertz * t) * (1 + depth * Math.sin(2 * Math.PI * beat * t));

const argMax = (values: ArrayLike<number>): number => {
  const all = Array.from(values);
  return all.indexOf(Math.max(...all));
};

describe('hand-made spaces', () => {
  it.each(handmadeSpaces.map((space) => [space.id, space] as const))(
    '%s is within 1e-3 of its twin in NumPy',
    async (id, { sampleRate, windowSeconds }) => {
      const runtime = runtimes.get(id);
      const z = await runtime?.embed(testSound(Math.round(sampleRate * windowSeconds), sampleRate), 1);
      expect(z).toHaveLength(golden[id]?.length ?? NaN);
      z?.forEach((value, i) =>
        expect(Math.abs(value - (golden[id]?.[i] ?? NaN)), `${id}[${i}]`).toBeLessThan(1e-3),
      );
    },
  );

  it('agrees with NumPy, SciPy and librosa where they are there', ({ skip }) => {
    const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
    try {
      execFileSync(python, ['-c', 'import numpy, scipy, librosa'], { stdio: 'ignore' });
    } catch {
      skip('no Python with NumPy, SciPy and librosa');
    }
    const script = resolve(import.meta.dirname, '../../support/handmade_twin.py');
    const twin = vectorsSchema.parse(JSON.parse(execFileSync(python, [script], { encoding: 'utf8' })));
    for (const [id, values] of Object.entries(twin))
      values.forEach((value, i) =>
        expect(Math.abs(value - (golden[id]?.[i] ?? NaN)), `${id}[${i}]`).toBeLessThan(2e-4),
      );
  });

  it('are packs that can be verified', async () => {
    for (const [id, { pack }] of runtimes) await expect(verifyPack(pack), id).resolves.toBeDefined();
  });

  it.skipIf(process.arch !== 'x64')('have graphs of the bytes that are known without building them', () => {
    for (const { id, graph, graphFile } of handmadeSpaces) {
      const bytes = graph();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect({ sha256, bytes: bytes.length }, id).toEqual(graphFile);
    }
  });

  it('have the bytes that come out where those are not known', () => {
    const [space] = handmadeSpaces;
    if (!space) throw new Error('there is no space');
    const bytes = Uint8Array.of(1, 2, 3);
    const { graphs } = handmadeManifest({ ...space, graph: () => bytes }, 'arm64');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(graphs.embed).toMatchObject({ sha256, bytes: 3 });
    expect(handmadeManifest(space, 'x64').graphs.embed).toMatchObject(space.graphFile);
  });

  it.skipIf(process.arch !== 'x64')('refuse a graph that does not come out as it should', () => {
    const [space] = handmadeSpaces;
    if (!space) throw new Error('there is no space');
    const other = { ...space, graph: () => new Uint8Array(8) };
    expect(() => handmadePack(other)).toThrow(expect.objectContaining({ code: 'hash' }));
  });

  it('are made of groups that share no number and leave none out', () => {
    for (const { id, groups, embeddingDim } of handmadeSpaces) {
      expect(groups.length, id).toBeGreaterThan(1);
      const all = groups.flatMap(({ dims }) => [...dims]).sort((a, b) => a - b);
      expect(all, id).toEqual([...Array(embeddingDim).keys()]);
    }
  });

  it('have groups that say what they are called', async () => {
    const largest = async (id: string, name: string, sound: (t: number) => number): Promise<number> => {
      const [z, space] = [await embed(id, sound), handmadeSpaces.find((known) => known.id === id)];
      const dims = space?.groups.find((group) => group.name === name)?.dims ?? [];
      return Math.max(...dims.map((d) => Math.abs(z[d] ?? NaN)));
    };
    // A steady tone has no slopes but at its ends.
    expect(await largest('mfcc', 'Δ', tone(440))).toBeLessThan(
      (await largest('mfcc', 'coefficients', tone(440))) / 10,
    );
    const swelling = tone(440, 4, 0.8);
    const z = await embed('modulation', swelling);
    const rates = (handmadeSpaces.find(({ id }) => id === 'modulation')?.groups ?? []).slice(0, 8);
    const depth = rates.map(({ dims }) => Math.max(...dims.map((d) => z[d] ?? NaN)));
    expect(rates[argMax(depth)]?.name).toBe('4 Hz');
  });

  it('gives numbers for silence and for full scale', async () => {
    for (const id of runtimes.keys())
      for (const sound of [() => 0, () => 1, (t: number) => (Math.floor(t * 8000) % 2) * 2 - 1])
        expect((await embed(id, sound)).every(Number.isFinite), id).toBe(true);
  });

  it('log-mel and mfcc are the features that packs were scored against before', async () => {
    const features = await HandcraftedFeatures.open(24_000);
    const sound = testSound(96_000, 24_000).map((value, i) => (i < 40_000 ? value : 0));
    const wanted = await features.describe(sound);
    await features.close();
    for (const [id, values] of [
      ['log-mel', wanted.logMel],
      ['mfcc', wanted.mfcc],
    ] as const) {
      const z = await runtimes.get(id)?.embed(sound, 1);
      values.forEach((value, i) =>
        expect(Math.abs(value - (z?.[i] ?? NaN)), `${id}[${i}]`).toBeLessThan(1e-3),
      );
    }
  });

  it('chroma hears the pitch class in every octave', async () => {
    for (const [hertz, pitchClass] of [
      [220, 9],
      [440, 9],
      [880, 9],
      [523.25, 0],
      [739.99, 6],
    ] as const)
      expect(argMax((await embed('chroma', tone(hertz))).subarray(0, 12)), `${hertz} Hz`).toBe(pitchClass);
  });

  it('modulation finds band and speed, grows with the depth and knows no gain', async () => {
    const depths = (z: Float32Array): Float32Array =>
      Float32Array.from(
        { length: 320 },
        (_, i) => Math.exp(z[Math.floor(i / 8) * 9 + (i % 8)] ?? NaN) - 1e-3,
      );
    // Bands of 70 Hz: the one whose centre is nearest to the tone.
    for (const [hertz, beat, column] of [
      [440, 4, 3],
      [880, 16, 5],
      [880, 60, 7],
    ] as const) {
      const found = depths(await embed('modulation', tone(hertz, beat, 0.8)));
      const band = Math.round((hertz - 60) / 70.6) - 1;
      const own = found.subarray(band * 8, band * 8 + 8);
      expect(argMax(own), `${hertz} Hz, ${beat} Hz`).toBe(column);
    }
    const at = async (depth: number, level = 0.5): Promise<number> =>
      depths(await embed('modulation', tone(440, 4, depth, level)))[4 * 8 + 3] ?? NaN;
    expect(await at(0)).toBeLessThan(0.02);
    expect((await at(0.8)) / (await at(0.4))).toBeCloseTo(2, 1);
    expect(await at(0.8)).toBeCloseTo(0.8 / Math.SQRT2, 1);
    expect(await at(0.8, 0.05)).toBeCloseTo(await at(0.8), 3);
  });

  it('scattering finds how fast a tone swells', async () => {
    // 440 Hz lies in the fifth octave of wavelets; its second wavelets begin at 87.5 Hz and halve.
    const found = async (beat: number): Promise<number[]> => {
      const z = await embed('scattering', tone(440, beat, 0.8));
      const first = argMax(z.subarray(0, 64));
      const octave = Math.floor(first / 8);
      return secondOf(z, octave, first % 8);
    };
    const steady = await found(0);
    expect(Math.max(...steady.map((value) => Math.exp(value) - 1e-3))).toBeLessThan(0.01);
    const [at16, at4] = [await found(16), await found(4)];
    expect(argMax(at16)).toBeLessThan(argMax(at4));
    // A second wavelet per octave: sixteen swells a second lie two octaves above four.
    expect(argMax(at4) - argMax(at16)).toBe(2);
    expect(Math.exp(Math.max(...at16))).toBeGreaterThan(0.2);
  });
});

/** Second-order values of one first-order wavelet, from fast to slow. */
function secondOf(z: Float32Array, octave: number, wavelet: number): number[] {
  const highest = 1 / (1 + 2 ** (3 / 8));
  const lengths = Array.from(
    { length: 8 },
    (_, o) =>
      Array.from({ length: 13 }, (_, j) => 0.35 * 2 ** -j).filter((c) => c <= (highest * 2 ** -o) / 4).length,
  );
  const before = 64 + lengths.slice(0, octave).reduce((sum, count) => sum + 8 * count, 0);
  return Array.from({ length: lengths[octave] ?? 0 }, (_, j) => z[before + 8 * j + wavelet] ?? NaN);
}

describe('a space of learned modulation filters', () => {
  const opened = async (filters: readonly FilterEdges[]): Promise<PackRuntime> => {
    const files = learnedFiltersPack(filters, {
      ...{ title: 'Mine', libraryId: 'L', statement: 'Learned here.', figures: {} },
    });
    const folder = await writePack(files, join(await temporaryFolder(), files.manifest.id));
    await verifyPack(await readPack(folder));
    const runtime = await openRuntime(await readPack(folder), { threads: 1 });
    runtimes.set(files.manifest.id, runtime);
    return runtime;
  };
  const octaves = MODULATION_RATES.map((hz) => ({ lowHz: hz / Math.SQRT2, highHz: hz * Math.SQRT2 }));

  it('is that of the modulation spectrum where the filters are octaves, and the same bytes for the same edges', async () => {
    const runtime = await opened(octaves);
    const sound = testSound(runtime.pack.manifest.windowSamples, runtime.pack.manifest.sampleRate);
    const [own, fixed] = [await runtime.embed(sound, 1), await runtimes.get('modulation')?.embed(sound, 1)];
    expect(own).toHaveLength(fixed?.length ?? NaN);
    own.forEach((value, i) => expect(value).toBeCloseTo(fixed?.[i] ?? NaN, 4));
    const facts = { title: 'Mine', libraryId: 'L', statement: 'Learned here.', figures: {} };
    expect(learnedFiltersPack(octaves, facts)).toEqual(learnedFiltersPack(octaves, facts));
    const elsewhere = learnedFiltersPack(octaves, { ...facts, libraryId: 'another' });
    expect(elsewhere.manifest.id).not.toBe(learnedFiltersPack(octaves, facts).manifest.id);
  });

  it('answers where its filters lie, whatever the gain', async () => {
    const runtime = await opened([
      { lowHz: 3, highHz: 5 },
      { lowHz: 9, highHz: 14 },
    ]);
    const { windowSamples, sampleRate } = runtime.pack.manifest;
    const of = async (beat: number, level: number): Promise<Float32Array> => {
      const sound = tone(1000, beat, 0.6, level);
      return runtime.embed(
        Float32Array.from({ length: windowSamples }, (_, i) => sound(i / sampleRate)),
        1,
      );
    };
    // 1 kHz lies in the band that is loudest; of each band two depths and a level.
    const columns = (
      z: Float32Array,
    ): { levels: number[]; depth: (band: number, filter: number) => number } => ({
      levels: Array.from({ length: z.length / 3 }, (_, band) => z[3 * band + 2] ?? NaN),
      depth: (band, filter) => z[3 * band + filter] ?? NaN,
    });
    const [slow, fast, quiet] = [
      columns(await of(4, 0.5)),
      columns(await of(11, 0.5)),
      columns(await of(4, 0.05)),
    ];
    const band = argMax(slow.levels);
    // exp of a depth is the RMS of what passes: 0.6 / √2 where all of it does.
    expect(Math.exp(slow.depth(band, 0))).toBeCloseTo(0.6 / Math.SQRT2, 1);
    expect(slow.depth(band, 0) - slow.depth(band, 1)).toBeGreaterThan(1.5);
    expect(fast.depth(band, 1) - fast.depth(band, 0)).toBeGreaterThan(1.5);
    expect(quiet.depth(band, 0)).toBeCloseTo(slow.depth(band, 0), 2);
  });
});
