import { describe, expect, it } from 'vitest';
import {
  deform,
  neededBy,
  scenarioOf,
  ScenarioError,
  withFiles,
} from '../../../models/deformations/scenario.ts';
import type { DeformationStep, DeformationTools } from '../../../models/deformations/deformation.ts';
import { powerOf, shiftInCents, signalToNoise } from '../../../models/deformations/measures.ts';
import { Random } from '../../../models/numerics/random.ts';

const RATE = 44_100;
const tools: DeformationTools = { mp3: null, response: () => Promise.reject(new Error('no file')) };

const tone = (hertz: number, seconds = 2): Float32Array =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hertz * i) / RATE));
/** A note with partials that fades, and noise under it. */
const note = (): Float32Array => {
  const random = new Random(3);
  return Float32Array.from({ length: 2 * RATE }, (_, i) => {
    const t = i / RATE;
    const partials = [1, 2, 3, 5].reduce((sum, n) => sum + Math.sin(2 * Math.PI * 196 * n * t) / n, 0);
    return 0.3 * Math.exp(-t) * partials + 0.002 * random.normal();
  });
};
const step = (type: string, name: string, value: number): DeformationStep => ({
  type,
  params: { [`min_${name}`]: value, [`max_${name}`]: value },
});
const run = (samples: Float32Array, ...steps: DeformationStep[]) =>
  deform({ samples, sampleRate: RATE }, scenarioOf(steps), 1, tools);

describe('deformations', () => {
  it.each([30, 15, 0, -10])('noise comes out at %d dB, within 0.1', async (snr) => {
    const { samples, measures } = await run(note(), step('AddGaussianSNR', 'snr_in_db', snr));
    expect(signalToNoise(note(), samples)).toBeCloseTo(snr, 0);
    expect(Math.abs((signalToNoise(note(), samples) ?? NaN) - snr)).toBeLessThan(0.1);
    expect(measures).toMatchObject([{ name: 'SNR', wanted: snr }]);
  });

  it('gain is exact, and clips nothing', async () => {
    const { samples } = await run(note(), step('Gain', 'gain_in_db', 20));
    expect(10 * Math.log10(powerOf(samples) / powerOf(note()))).toBeCloseTo(20, 4);
    expect(Math.max(...samples)).toBeGreaterThan(1);
  });

  it.each([5, 20, 40])('clipping cuts %d %% of the samples', async (percent) => {
    const { samples, measures } = await run(
      note(),
      step('ClippingDistortion', 'percentile_threshold', percent),
    );
    const high = samples.reduce((a, b) => Math.max(a, b), 0);
    const low = samples.reduce((a, b) => Math.min(a, b), 0);
    const cut = samples.filter((value) => value === high || value === low).length;
    expect((100 * cut) / samples.length).toBeCloseTo(percent, 0);
    expect(Math.abs((measures[0]?.found ?? NaN) - percent)).toBeLessThan(0.5);
  });

  it('of a sound that was clipped before counts what lies on the bounds', async () => {
    const square = tone(440).map((value) => (value < 0 ? -0.5 : 0.5));
    const { samples, measures } = await run(square, step('ClippingDistortion', 'percentile_threshold', 20));
    expect(samples).toEqual(square);
    expect(measures).toMatchObject([{ name: 'clipped', wanted: 20, found: 20 }]);
  });

  it('the pitch of noise is not measured', async () => {
    const random = new Random(4);
    const noise = Float32Array.from({ length: 2 * RATE }, () => 0.1 * random.normal());
    expect((await run(noise, step('PitchShift', 'semitones', 2))).measures).toEqual([]);
  });

  it('is known by what its files hold, not by their names', async () => {
    const room = (name: string) =>
      scenarioOf([{ type: 'ApplyImpulseResponse', params: { ir_path: `${name}.wav` } }]);
    const found = (name: string, sha256: string) =>
      withFiles(room(name), (file) => Promise.resolve({ path: `/rooms/${file}`, sha256 }));
    const one = await found('hall', 'a');
    expect(one).toMatchObject({ title: 'room hall.wav', steps: [{ file: '/rooms/hall.wav' }] });
    expect((await found('church', 'a')).key).toBe(one.key);
    expect((await found('hall', 'b')).key).not.toBe(one.key);
    const gain = scenarioOf([step('Gain', 'gain_in_db', 1)]);
    expect((await withFiles(gain, () => Promise.reject(new Error('no file')))).key).toBe(gain.key);
  });

  it.each([-7, -1, 1, 4, 12])(
    '%d semitones move a tone within 5 cents and keep its length',
    async (semitones) => {
      const { samples, measures } = await run(tone(440), step('PitchShift', 'semitones', semitones));
      expect(samples).toHaveLength(2 * RATE);
      const cents = shiftInCents(tone(440), samples, RATE, 100 * semitones);
      expect(Math.abs((cents ?? NaN) - 100 * semitones)).toBeLessThanOrEqual(5);
      const own = shiftInCents(
        note(),
        (await run(note(), step('PitchShift', 'semitones', semitones))).samples,
        RATE,
        100 * semitones,
      );
      expect(Math.abs((own ?? NaN) - 100 * semitones)).toBeLessThanOrEqual(5);
      expect(measures).toHaveLength(1);
      // As loud as before.
      expect(Math.abs(10 * Math.log10(powerOf(samples) / powerOf(tone(440))))).toBeLessThan(1);
    },
  );

  it('a synthetic room answers an impulse, and sounds on after it', async () => {
    const click = new Float32Array(RATE);
    click[100] = 1;
    const { samples } = await run(click, { type: 'ApplyImpulseResponse', params: {} });
    expect(samples.subarray(0, 100).every((value) => Math.abs(value) < 1e-6)).toBe(true);
    expect(powerOf(samples.subarray(200, 5000))).toBeGreaterThan(0);
    expect(powerOf(samples) * RATE).toBeCloseTo(1, 2);
  });

  it('a chain depends on its order, and on its seed alone', async () => {
    const [noise, gain] = [
      step('AddGaussianSNR', 'snr_in_db', 15),
      step('ClippingDistortion', 'percentile_threshold', 30),
    ];
    const a = await run(note(), noise, gain);
    expect(a.samples).toEqual((await run(note(), noise, gain)).samples);
    expect(a.samples).not.toEqual((await run(note(), gain, noise)).samples);
    const other = await deform({ samples: note(), sampleRate: RATE }, scenarioOf([noise, gain]), 2, tools);
    expect(other.samples).not.toEqual(a.samples);
  });

  it('takes both spellings, and says what it does not understand', () => {
    expect(scenarioOf([step('AddGaussianSNR', 'snr_db', 15)]).key).toBe(
      scenarioOf([step('AddGaussianSNR', 'snr_in_db', 15)]).key,
    );
    expect(scenarioOf([step('Gain', 'gain_in_db', -12)])).toMatchObject({
      title: 'gain −12 dB',
      value: { type: 'Gain', at: -12 },
    });
    expect(neededBy(scenarioOf([step('Mp3Compression', 'bitrate', 32)]))).toBe('ffmpeg');
    for (const [bad, words] of [
      [{ type: 'TimeMask', params: {} }, /TimeMask.*no deformation/],
      [{ type: 'Gain', params: {} }, /needs min_gain_in_db/],
      [step('PitchShift', 'semitones', 99), /between -24 and 24/],
      [{ type: 'Gain', params: { min_gain_in_db: 3, max_gain_in_db: 1 } }, /above/],
    ] as const)
      expect(() => scenarioOf([bad])).toThrow(words);
  });

  it('refuses what makes silence of a sound', async () => {
    const faint = new Float32Array(RATE).fill(1e-4);
    await expect(run(faint, step('Gain', 'gain_in_db', -120))).rejects.toThrow(ScenarioError);
    const silence = await run(new Float32Array(RATE), step('AddGaussianSNR', 'snr_in_db', 0));
    expect(silence.measures).toEqual([]);
  });
});
