import { describe, expect, it } from 'vitest';
import { learnSinc, type SwingSet } from '../../../models/modulation/learn.ts';
import { edgesOf, octaveBands, SincFilters, type SincBand } from '../../../models/modulation/sinc.ts';
import { SAMPLE_RATE } from '../../../models/modulation/spectra.ts';
import { studyModulation } from '../../../models/modulation/study.ts';
import {
  CARRIER_GROUPS,
  FREQUENCIES,
  frequenciesHz,
  swingSpectrum,
} from '../../../models/modulation/swing.ts';
import { Random } from '../../../models/numerics/random.ts';

/** Spectra of sounds that swell at about `rate` Hz among noise that swells at every speed. */
function swelling(rate: number, random: Random): Float32Array {
  const centres = frequenciesHz();
  return Float32Array.from({ length: CARRIER_GROUPS * FREQUENCIES }, (_, i) => {
    const octaves = Math.log2((centres[i % FREQUENCIES] ?? 1) / rate);
    return 0.002 * random.uniform() + 0.02 * random.uniform() * Math.exp(-((octaves / 0.2) ** 2));
  });
}

function twoClasses(count: number, seed: number): SwingSet {
  const random = new Random(seed);
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  return { labels, spectra: labels.map((label) => swelling(label === 0 ? 4 : 11, random)) };
}

describe('the spectrum of swings', () => {
  it('holds the energy of a modulation in its eighth of an octave', async () => {
    const samples = Float32Array.from({ length: 4 * SAMPLE_RATE }, (_, n) => {
      const t = n / SAMPLE_RATE;
      return 0.3 * (1 + 0.5 * Math.cos(2 * Math.PI * 8 * t)) * Math.sin(2 * Math.PI * 1000 * t);
    });
    const energies = await swingSpectrum(samples);
    // 1 kHz lies among the bands of the fourth group.
    const group = energies.subarray(3 * FREQUENCIES, 4 * FREQUENCIES);
    const strongest = group.indexOf(Math.max(...group));
    expect(Math.abs(Math.log2((frequenciesHz()[strongest] ?? 0) / 8))).toBeLessThan(0.2);
    // A band that swells as 1 + d·cos has the mean square d²/2.
    const sum = group.reduce((all, value) => all + value, 0);
    expect(sum).toBeGreaterThan(0.11);
    expect(sum).toBeLessThan(0.14);
    expect((await swingSpectrum(new Float32Array(SAMPLE_RATE))).every((value) => value === 0)).toBe(true);
  });
});

describe('a learned filter', () => {
  it('has the derivatives that its response has', () => {
    const filters = new SincFilters();
    const band = { low: 2, width: 0.6 };
    const { gain, byLow, byWidth } = filters.response(band);
    const tiny = 1e-5;
    // The window would change at another centre only by whole values: here it does not.
    const moved = filters.response({ low: 2 + tiny, width: 0.6 });
    const wider = filters.response({ low: 2, width: 0.6 + tiny });
    const highest = gain.indexOf(Math.max(...gain));
    expect(Math.abs(Math.log2((filters.frequencies[highest] ?? 1) / 5.4))).toBeLessThan(0.3);
    for (let u = 0; u < FREQUENCIES; u++) {
      expect(((moved.gain[u] ?? 0) - (gain[u] ?? 0)) / tiny).toBeCloseTo(byLow[u] ?? NaN, 3);
      expect(((wider.gain[u] ?? 0) - (gain[u] ?? 0)) / tiny).toBeCloseTo(byWidth[u] ?? NaN, 3);
    }
  });

  it.each([
    [4, { low: Math.log2(2.2), width: 0.3 }],
    [11, { low: Math.log2(16), width: 0.5 }],
  ])(
    'moves from beside what tells two classes apart to it (%i Hz), and then tells them apart',
    async (hz, band) => {
      const settings = { classes: 2, steps: 60, seed: 1, bands: [band], learnBands: true };
      const train = twoClasses(80, 1);
      const learned = await learnSinc(train, settings);
      const away = (of: SincBand | undefined): number => {
        const { lowHz, highHz } = edgesOf(of ?? { low: 0, width: 0 });
        return Math.abs(Math.log2(Math.sqrt(lowHz * highHz) / hz));
      };
      expect(away(learned.bands[0])).toBeLessThan(away(band) - 0.2);
      const test = twoClasses(60, 2);
      const right = test.spectra.filter((spectrum, i) => learned.predict(spectrum) === test.labels[i]).length;
      expect(right / 60).toBeGreaterThan(0.95);
      expect((await learnSinc(train, settings)).bands).toEqual(learned.bands);
    },
  );

  it('ends when it is told to', async () => {
    const work = learnSinc(
      twoClasses(20, 1),
      { classes: 2, steps: 10_000, seed: 1, learnBands: true },
      AbortSignal.timeout(50),
    );
    await expect(work).rejects.toThrow(/abort|timeout/i);
  });
});

describe('a study', () => {
  it('tells what is learned from chance, and what a lower rate costs', async () => {
    const set = twoClasses(60, 3);
    const data = { ...set, groups: set.labels.map((_, i) => String(i)) };
    const runs: number[] = [];
    const study = await studyModulation(
      data,
      { classes: 2, steps: 25, splits: 2, seed: 1 },
      undefined,
      (done, total) => runs.push(done / total),
    );
    expect(study.accuracy.learned.mean).toBeGreaterThan(0.95);
    expect(study.accuracy.permuted.mean).toBeLessThan(0.8);
    for (const { low, high } of Object.values(study.accuracy)) {
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
    }
    expect(study.gain.permuted.mean).toBeGreaterThan(0.2);
    expect(study.majority).toBeCloseTo(0.5, 1);
    expect(study.filters.learned).toHaveLength(octaveBands().length);
    // Of 3.1 values a second nothing of 4 or 11 Hz is left.
    const last = study.rates.at(-1);
    expect(last?.rateHz).toBe(3.125);
    expect(last?.accuracy.mean).toBeLessThan(0.8);
    expect(study.rates.find(({ rateHz }) => rateHz === 50)?.accuracy.mean).toBeGreaterThan(0.95);
    expect(study.rates[0]?.perClass).toHaveLength(2);
    expect(runs.at(-1)).toBe(1);
  });
});
