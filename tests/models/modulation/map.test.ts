import { describe, expect, it } from 'vitest';
import { MODULATION_RATES } from '../../../models/modulation/filters.ts';
import { keepModulation } from '../../../models/modulation/keep.ts';
import { meanMap, modulationMap, strengthOf, type ModulationMap } from '../../../models/modulation/map.ts';
import { carrierCentres, SAMPLE_RATE } from '../../../models/modulation/spectra.ts';
import { Random } from '../../../models/numerics/random.ts';

const RATES = MODULATION_RATES.length;
const centres = carrierCentres();

/** A tone that swells and fades as `1 + Σ depth · cos`. */
function tone(
  hz: number,
  swings: readonly { rate: number; depth: number }[],
  { seconds = 4, level = 0.3 }: { seconds?: number; level?: number } = {},
): Float32Array {
  return Float32Array.from({ length: seconds * SAMPLE_RATE }, (_, n) => {
    const t = n / SAMPLE_RATE;
    const envelope = swings.reduce(
      (sum, { rate, depth }) => sum + depth * Math.cos(2 * Math.PI * rate * t),
      1,
    );
    return level * envelope * Math.sin(2 * Math.PI * hz * t);
  });
}

const bandOf = (hz: number): number =>
  centres.reduce(
    (best, centre, i) => (Math.abs(centre - hz) < Math.abs((centres[best] ?? 0) - hz) ? i : best),
    0,
  );
const columnOf = (rate: number): number =>
  MODULATION_RATES.reduce<number>(
    (best, centre, i) =>
      Math.abs(Math.log2(centre / rate)) < Math.abs(Math.log2((MODULATION_RATES[best] ?? 1) / rate))
        ? i
        : best,
    0,
  );
const depthAt = (map: ModulationMap, hz: number, rate: number): number =>
  map.depth[bandOf(hz) * RATES + columnOf(rate)] ?? NaN;

function strongest(map: ModulationMap): { band: number; rate: number } {
  const strength = strengthOf(map);
  const at = strength.indexOf(Math.max(...strength));
  return { band: Math.floor(at / RATES), rate: at % RATES };
}

describe('a modulation map', () => {
  it.each([
    [1000, 8],
    [440, 4],
    [440, 16],
    [440, 60],
    [880, 4],
    [880, 16],
    [880, 60],
    [3000, 1],
  ])('has a tone of %i Hz that swells %i times a second in its cell', async (hz, rate) => {
    const map = await modulationMap(tone(hz, [{ rate, depth: 0.8 }]));
    const found = strongest(map);
    expect(Math.abs(found.band - bandOf(hz))).toBeLessThanOrEqual(1);
    expect(found.rate).toBe(columnOf(rate));
  });

  it('reads the depth of a modulation, in proportion', async () => {
    for (const depth of [0.1, 0.2, 0.4, 0.8]) {
      const map = await modulationMap(tone(1000, [{ rate: 8, depth }]));
      expect(depthAt(map, 1000, 8) / depth).toBeGreaterThan(0.95);
      expect(depthAt(map, 1000, 8) / depth).toBeLessThan(1.05);
    }
  });

  it('is the same at every gain', async () => {
    const [loud, quiet] = [
      await modulationMap(tone(1000, [{ rate: 8, depth: 0.5 }])),
      await modulationMap(tone(1000, [{ rate: 8, depth: 0.5 }], { level: 0.003 })),
    ];
    expect(Math.max(...loud.depth.map((value, i) => Math.abs(value - (quiet.depth[i] ?? 0))))).toBeLessThan(
      1e-3,
    );
  });

  it('is zero in silence, and next to zero of a steady tone', async () => {
    const silent = await modulationMap(new Float32Array(4 * SAMPLE_RATE));
    expect(silent.depth.every((value) => value === 0)).toBe(true);
    expect(silent.levels.every((value) => Number.isFinite(value))).toBe(true);
    const steady = await modulationMap(tone(1000, []));
    expect(Math.max(...strengthOf(steady))).toBeLessThan(0.02);
  });

  it('leaves out what an excerpt is too short for', async () => {
    const short = await modulationMap(tone(1000, [{ rate: 16, depth: 0.5 }], { seconds: 0.5 }));
    expect(MODULATION_RATES[short.slowest]).toBe(4);
    expect(depthAt(short, 1000, 1)).toBe(0);
    expect(depthAt(short, 1000, 16)).toBeGreaterThan(0.4);
    const none = await modulationMap(new Float32Array(100));
    expect(none.slowest).toBe(RATES);
    expect(none.depth.every((value) => value === 0)).toBe(true);
  });

  it('of several sounds is their mean', async () => {
    const maps = await Promise.all(
      [0.2, 0.6].map((depth) => modulationMap(tone(1000, [{ rate: 8, depth }]))),
    );
    const mean = meanMap(maps);
    expect(depthAt(mean, 1000, 8)).toBeCloseTo(0.4, 1);
    // Silence says nothing of how a band swells.
    const silent = await modulationMap(new Float32Array(SAMPLE_RATE));
    expect(depthAt(meanMap([...maps, silent]), 1000, 8)).toBeCloseTo(depthAt(mean, 1000, 8), 6);
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(modulationMap(new Float32Array(SAMPLE_RATE), signal)).rejects.toThrow(/abort/i);
  });
});

const dB = (after: number, before: number): number => 20 * Math.log10(after / before);

describe('modulations that are kept', () => {
  const all = [0, centres.length - 1] as const;

  it.each([
    [4, 16],
    [16, 4],
    [8, 32],
    [32, 4],
    [4, 64],
    [64, 4],
    [1, 8],
  ])('are %i Hz, and those of %i Hz are gone', async (kept, other) => {
    const swings = [
      { rate: kept, depth: 0.4 },
      { rate: other, depth: 0.4 },
    ];
    const sound = tone(1000, swings, { seconds: Math.min(kept, other) < 4 ? 4 : 2 });
    const rates = [columnOf(kept), columnOf(kept)] as const;
    const { samples, chosenDb, othersDb } = await keepModulation(sound, {
      mode: 'only',
      carriers: all,
      rates,
    });
    const [before, after] = [await modulationMap(sound), await modulationMap(samples)];
    expect(samples.length).toBe(sound.length);
    expect(Math.abs(dB(depthAt(after, 1000, kept), depthAt(before, 1000, kept)))).toBeLessThan(1);
    expect(dB(depthAt(after, 1000, other), depthAt(before, 1000, other))).toBeLessThan(-15);
    expect(Math.abs(chosenDb ?? NaN)).toBeLessThan(1);
    expect(othersDb).toBeLessThan(-15);
  });

  it.each([
    [4, 16],
    [32, 4],
  ])('can be all but %i Hz', async (gone, other) => {
    const swings = [
      { rate: gone, depth: 0.4 },
      { rate: other, depth: 0.4 },
    ];
    const sound = tone(1000, swings, { seconds: 2 });
    const rates = [columnOf(gone), columnOf(gone)] as const;
    const { samples } = await keepModulation(sound, { mode: 'without', carriers: all, rates });
    const [before, after] = [await modulationMap(sound), await modulationMap(samples)];
    expect(dB(depthAt(after, 1000, gone), depthAt(before, 1000, gone))).toBeLessThan(-15);
    expect(Math.abs(dB(depthAt(after, 1000, other), depthAt(before, 1000, other)))).toBeLessThan(1);
  });

  it('leave a sound alone where they are all there are', async () => {
    const random = new Random(1);
    const sound = Float32Array.from({ length: 2 * SAMPLE_RATE }, () => 0.1 * random.normal());
    const rates = [0, 0] as const;
    // Outside the chosen bands nothing is touched; inside noise hardly has anything as slow as this.
    const { samples } = await keepModulation(sound, { mode: 'without', carriers: [0, 0], rates });
    const rms = (values: Float32Array): number =>
      Math.sqrt(values.subarray(1000, -1000).reduce((sum, value) => sum + value ** 2, 0));
    const error = sound.map((value, i) => value - (samples[i] ?? 0));
    expect(dB(rms(error), rms(sound))).toBeLessThan(-20);
  });

  it('are heard of the chosen bands alone', async () => {
    const [low, high] = [tone(440, [{ rate: 4, depth: 0.5 }]), tone(3000, [{ rate: 4, depth: 0.5 }])];
    const sound = low.map((value, n) => value + (high[n] ?? 0));
    const around = bandOf(3000);
    const { samples } = await keepModulation(sound, {
      mode: 'only',
      carriers: [around - 2, around + 2],
      rates: [columnOf(4), columnOf(4)],
    });
    const after = await modulationMap(samples);
    expect(strongest(after).band).toBeGreaterThan(around - 3);
    expect(after.levels[bandOf(440)]).toBeLessThan(-40);
  });

  it('of silence are silence', async () => {
    const kept = await keepModulation(new Float32Array(SAMPLE_RATE), {
      mode: 'only',
      carriers: all,
      rates: [3, 3],
    });
    expect(kept.samples.every((value) => value === 0)).toBe(true);
    expect(kept.chosenDb).toBeNull();
    const nothing = await keepModulation(new Float32Array(10), {
      mode: 'only',
      carriers: all,
      rates: [3, 3],
    });
    expect(nothing.samples.length).toBe(10);
  });
});
