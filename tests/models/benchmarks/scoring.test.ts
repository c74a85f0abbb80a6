import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../../models/numerics/random.ts';
import { accuracyTable } from '../../../models/benchmarks/accuracy-card.ts';
import { accuracyOf, scoredClassifiers } from '../../../models/benchmarks/classifiers.ts';
import { oneHot, type LabelledWindows } from '../../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../../models/embeddings/pooling.ts';
import { borneLabels, classOfTracks } from '../../../models/embeddings/tracks.ts';
import { DistanceMeter } from '../../../models/benchmarks/distances.ts';
import { deformations } from '../../../models/benchmarks/deformations.ts';
import { describeCollection } from '../../../models/benchmarks/embed.ts';
import { Fourier, magnitudes } from '../../../models/benchmarks/fourier.ts';
import { griffinLim } from '../../../models/benchmarks/griffin-lim.ts';
import { HandcraftedFeatures } from '../../../models/benchmarks/handcrafted.ts';
import { handcraftedJudge } from '../../../models/benchmarks/judge.ts';
import { melBank } from '../../../models/audio/mel-bank.ts';
import { neighbourPrecision } from '../../../models/benchmarks/neighbourhood.ts';
import { crossCollection, leaveOneGroupOut, withinCollection } from '../../../models/benchmarks/protocols.ts';
import { spearman } from '../../../models/benchmarks/fidelity.ts';
import { quantile, spreadOf } from '../../../models/benchmarks/summary.ts';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { elementTypes, parseModel } from '../../../models/onnx/proto.ts';
import { variantOf } from '../../../models/onnx/quantise.ts';
import { randomTwin, readPack, writePack } from '../../../models/packs/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { TINY, writeTinyPack } from '../../support/tiny-pack.ts';

const RATE = 24_000;
const signal = new AbortController().signal;

function tone(hertz: number, seconds = 1, level = 0.5): Float32Array {
  return Float32Array.from(
    { length: seconds * RATE },
    (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / RATE),
  );
}

/** Classes as Gaussian clouds `apart` from each other; three windows per sound, two sounds per group. */
function clouds(
  seed: number,
  apart: number,
  classes = ['bell', 'drum', 'flute'],
  perClass = 20,
): LabelledWindows {
  const dim = 8;
  const random = new Random(seed);
  const tracks = classes.flatMap((name, c) =>
    Array.from({ length: perClass }, (_, i) => ({ id: `${name}${i}`, group: `${name}${i >> 1}`, c })),
  );
  const of = Int32Array.from({ length: 3 * tracks.length }, (_, row) => Math.floor(row / 3));
  const columns = Array.from(of, (track) => tracks[track]?.c ?? -1);
  const features = new Float32Array(of.length * dim);
  columns.forEach((c, row) => {
    for (let d = 0; d < dim; d++) features[row * dim + d] = random.normal() + (d === c ? apart : 0);
  });
  return {
    ...{ features, count: of.length, dim, labels: oneHot(columns, classes.length), labelNames: classes },
    tracks: { of, ids: tracks.map(({ id }) => id), groups: tracks.map(({ group }) => group) },
  };
}

describe('Fourier', () => {
  let fourier: Fourier;
  beforeAll(async () => (fourier = await Fourier.open(512, 128)));
  afterAll(() => fourier.close());

  it('finds a tone in its bin, with half the window sum times its amplitude', async () => {
    const spectrum = magnitudes(await fourier.analyse(tone((20 * RATE) / 512)));
    const frame = spectrum.subarray(50 * fourier.bins, 51 * fourier.bins);
    expect(frame.indexOf(Math.max(...frame))).toBe(20);
    expect(frame[20]).toBeCloseTo((0.5 * 512) / 4, 1);
  });

  it('gives a signal back', async () => {
    const samples = new Random(1).normals(5000);
    const again = await fourier.synthesise(await fourier.analyse(samples), samples.length);
    expect(Math.max(...again.map((value, i) => Math.abs(value - (samples[i] ?? 0))))).toBeLessThan(1e-3);
  });

  it('refuses sizes it has no transform for', async () => {
    await expect(Fourier.open(511, 128)).rejects.toThrow(RangeError);
    await expect(Fourier.open(512, 400)).rejects.toThrow(RangeError);
  });

  it('finds phases that fit magnitudes: Griffin-Lim comes close in a few iterations', async () => {
    const samples = tone(440).map((value, i) => value * Math.exp(-i / 8000));
    const target = magnitudes(await fourier.analyse(samples));
    const miss = async (iterations: number): Promise<number> => {
      const made = await griffinLim(fourier, target, samples.length, { iterations });
      const got = magnitudes(await fourier.analyse(made));
      const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
      return norm(got.map((value, i) => value - (target[i] ?? 0))) / norm(target);
    };
    const [few, many] = [await miss(1), await miss(40)];
    expect(many).toBeLessThan(0.15);
    expect(many).toBeLessThan(few / 2);
  });
});

describe('melBank', () => {
  it('covers the spectrum with bands of weight one', () => {
    const { weights, bands, bins } = melBank(128, 1024, RATE);
    for (let band = 0; band < bands; band++) {
      const row = weights.subarray(band * bins, (band + 1) * bins);
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    }
  });
});

describe('HandcraftedFeatures', () => {
  it('ignores the silence around a sound', async () => {
    const features = await HandcraftedFeatures.open(RATE);
    const short = await features.describe(tone(500));
    const padded = new Float32Array(4 * RATE);
    padded.set(tone(500));
    const long = await features.describe(padded);
    await features.close();
    expect(short.logMel).toHaveLength(256);
    expect(short.mfcc).toHaveLength(80);
    // The padded one has one more frame with the tone's end in it.
    const mean = long.mfcc.subarray(0, 20).map((value, i) => Math.abs(value - (short.mfcc[i] ?? 0)));
    expect(Math.max(...mean)).toBeLessThan(2);
    expect(Math.abs((long.mfcc[0] ?? 0) - (short.mfcc[0] ?? 0))).toBeLessThan(2);
  });
});

describe('DistanceMeter', () => {
  let meter: DistanceMeter;
  beforeAll(async () => (meter = await DistanceMeter.open()));
  afterAll(() => meter.close());

  it('is zero between a sound and itself, and grows with noise', async () => {
    const noise = new Random(3).normals(RATE);
    const clean = tone(440);
    const add = (level: number): Float32Array => clean.map((value, i) => value + level * (noise[i] ?? 0));
    expect(await meter.measure(clean, clean)).toEqual({ logSpectral: 0, multiResolution: 0 });
    const some = await meter.measure(clean, add(0.001));
    const more = await meter.measure(clean, add(0.01));
    expect(some?.logSpectral).toBeGreaterThan(0);
    expect(more?.logSpectral).toBeGreaterThan(some?.logSpectral ?? Infinity);
    expect(more?.multiResolution).toBeGreaterThan(some?.multiResolution ?? Infinity);
  });

  it('measures a change of level in dB', async () => {
    const noise = new Random(4).normals(RATE).map((value) => value * 0.1);
    const half = await meter.measure(
      noise,
      noise.map((value) => value / 2),
    );
    expect(half?.logSpectral).toBeCloseTo(6.02, 1);
  });

  it('has no answer for a silent reference', async () => {
    expect(await meter.measure(new Float32Array(RATE), tone(440))).toBeNull();
  });
});

describe('protocols', () => {
  const collection = clouds(1, 3);

  it('keeps groups together and asks for every sound once in five folds', () => {
    const trials = withinCollection(collection, 7);
    const asked = trials.flatMap(({ test }) => test.tracks.ids);
    expect(trials).toHaveLength(5);
    expect(asked.sort()).toEqual([...collection.tracks.ids].sort());
    for (const { train, test } of trials) {
      const groups = new Set(train.tracks.groups);
      expect(test.tracks.groups.some((group) => groups.has(group))).toBe(false);
    }
  });

  it('goes from one collection to the other over shared classes only', () => {
    const other = clouds(2, 3, ['drum', 'flute', 'horn']);
    const [trial] = crossCollection(collection, other, 1);
    if (!trial) throw new Error('no trial');
    expect(borneLabels(trial.train)).toEqual(['drum', 'flute']);
    expect(trial.train.tracks.ids).toHaveLength(32);
    expect(trial.test.tracks.ids).toHaveLength(40);
    const [again] = crossCollection(collection, other, 2);
    expect(again?.train.tracks.ids).not.toEqual(trial.train.tracks.ids);
  });

  it('leaves out one group at a time, and only asks what can be known', () => {
    const classes = classOfTracks(collection);
    const groups = collection.tracks.groups.map((group, track) =>
      classes[track] === 'bell' ? 'all' : group,
    );
    const lone = { ...collection, tracks: { ...collection.tracks, groups } };
    const trials = leaveOneGroupOut(lone);
    expect(trials).toHaveLength(20);
    expect(trials.every(({ test }) => !borneLabels(test).includes('bell'))).toBe(true);
  });

  it('averages the windows of a sound', () => {
    const { features, labels, count } = poolTracks(collection);
    const mean = [0, 1, 2].reduce((sum, row) => sum + (collection.features[row * 8] ?? 0) / 3, 0);
    expect([count, ...labels.subarray(0, 3)]).toEqual([60, 1, 0, 0]);
    expect(features[0]).toBeCloseTo(mean, 5);
  });
});

describe('accuracies', () => {
  it.each(scoredClassifiers.slice(0, 2))(
    'tells classes apart that are apart, and not otherwise: %o',
    async (classifier) => {
      const far = await accuracyOf(classifier, withinCollection(clouds(1, 6), 1), { seed: 1, signal });
      const same = await accuracyOf(classifier, withinCollection(clouds(1, 0), 1), { seed: 1, signal });
      expect(far).toBeGreaterThan(98);
      expect(same).toBeLessThan(60);
    },
  );

  it('puts the same questions to all kinds of features', async () => {
    const [good, bad] = [clouds(1, 5), clouds(1, 0)];
    const views = { embedding: good, randomTwin: bad, logMel: bad, mfcc: bad };
    const table = await accuracyTable({ kind: 'within', collection: views }, [1, 2], {
      signal,
      classifiers: [{ kind: 'knn', k: 5 }],
    });
    expect(table['knn5']?.embedding.mean).toBeGreaterThan(90);
    expect(table['knn5']?.randomTwin).toEqual(table['knn5']?.mfcc);
    expect(table['knn5']?.randomTwin.sd).toBeGreaterThan(0);
  });

  it('knows how pure neighbourhoods are', () => {
    expect(neighbourPrecision(clouds(1, 30)).mean).toBe(100);
    expect(neighbourPrecision(clouds(1, 0)).mean).toBeLessThan(50);
  });
});

describe('deformations', () => {
  const levelOf = (samples: Float32Array): number =>
    Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

  it('change what they say they change', async () => {
    const clean = tone(500);
    const crossings = (samples: Float32Array): number =>
      samples.slice(4000, 16_000).filter((value, i, all) => i > 0 && value >= 0 && (all[i - 1] ?? 0) < 0)
        .length;
    const made = new Map<string, Float32Array>();
    for (const { name, apply } of deformations) made.set(name, await apply(clean, RATE, 1));
    const [quiet, noisy, up, down] = [...made.values()];
    if (!quiet || !noisy || !up || !down) throw new Error('a deformation is missing');
    expect(20 * Math.log10(levelOf(quiet) / levelOf(clean))).toBeCloseTo(-12, 3);
    const noise = noisy.map((value, i) => value - (clean[i] ?? 0));
    expect(20 * Math.log10(levelOf(noise) / levelOf(clean))).toBeCloseTo(-20, 0);
    expect(crossings(up) / crossings(clean)).toBeCloseTo(2 ** (1 / 12), 1);
    expect(crossings(down) / crossings(clean)).toBeCloseTo(2 ** (-1 / 12), 1);
    expect([...made.values()].every((samples) => samples.length === clean.length)).toBe(true);
  });
});

describe('summaries', () => {
  it('gives mean and sample deviation, quantiles and rank correlation', () => {
    expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, sd: 1 });
    expect(spreadOf([4])).toEqual({ mean: 4, sd: 0 });
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([0, 10], 0.05)).toBe(0.5);
    expect(spearman([1, 2, 3, 4], [10, 100, 1000, 10_000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3], [5, 5, 5])).toBe(0);
    expect(spearman([1, 1, 2], [3, 3, 1])).toBeCloseTo(-1, 12);
  });
});

describe('handcraftedJudge', () => {
  it('counts the sounds that are like the real ones of the class they were made for', async () => {
    const features = await HandcraftedFeatures.open(RATE);
    const random = new Random(4);
    const noise = (): Float32Array => Float32Array.from({ length: RATE }, () => 0.1 * random.normal());
    const real = Array.from({ length: 12 }, (_, i) => ({
      name: String(i),
      class: i < 6 ? 'noise' : 'tone',
      group: String(i),
      windows: [i < 6 ? noise() : tone(300 + 20 * i)],
    }));
    const judge = handcraftedJudge(features, (await describeCollection(features, real, { signal })).mfcc);
    const made = [noise(), tone(415), tone(333), noise()];
    expect(await judge(made, ['noise', 'tone', 'tone', 'noise'], signal)).toBe(1);
    expect(await judge(made, ['noise', 'tone', 'noise', 'noise'], signal)).toBe(0.75);
    await features.close();
  });
});

describe('randomTwin', () => {
  it('shuffles 8-bit weights too, and makes a pack of one with the longest id', async () => {
    const g = new GraphBuilder('wide-encoder');
    const input = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
    const wide = g.matMul(input, g.floats(new Random(1).normals(TINY.F * 64), [TINY.F, 64]));
    const hidden = g.matMul(wide, g.floats(new Random(2).normals(64 * TINY.D), [64, TINY.D]));
    g.output('hidden', hidden, ['batch', TINY.T, TINY.D]);
    const encoder = variantOf(g.build(), 'int8', { smallest: 1 });
    const original = await writeTinyPack(await temporaryFolder(), {
      ...{ seed: 1, id: 'x'.repeat(64), replace: { encoder } },
    });
    const folder = await writePack(await randomTwin(await readPack(original), 1), await temporaryFolder());
    expect((await readPack(folder)).manifest.id).toBe('random-twin');
    const [before, after] = [encoder, await readFile(join(folder, 'encoder.onnx'))].map((bytes) =>
      parseModel(bytes)
        .graph.initializer.filter(({ dataType, dims }) => dataType === elementTypes.int8 && dims.length === 2)
        .map(({ rawData }) => [...rawData]),
    );
    expect(before).toHaveLength(2);
    for (const [i, weights] of (before ?? []).entries()) {
      expect(after?.[i]).not.toEqual(weights);
      expect([...(after?.[i] ?? [])].sort()).toEqual([...weights].sort());
    }
  });
});
