import { describe, expect, it } from 'vitest';
import { sample } from '../../../models/pecmae/sampling.ts';
import { samplerNames, schedule, type SamplerName } from '../../../models/pecmae/sampler.ts';
import { Random } from '../../../models/numerics/random.ts';

/**
 * Data whose denoiser is known exactly: independent normal numbers of mean μ and standard deviation s. Their v-prediction
 * is linear in x, and the path from noise ε leads to μ + s·ε.
 */
const MEANS = Float32Array.from([0.7, -1.2, 0, 2]);
const SPREADS = [0.05, 0.3, 1, 0.8];

function exactDenoiser(x: Float32Array, sigmas: Float32Array): Promise<Float32Array> {
  return Promise.resolve(
    x.map((value, at) => {
      const angle = ((sigmas[0] ?? NaN) * Math.PI) / 2;
      const [alpha, beta] = [Math.cos(angle), Math.sin(angle)];
      const [mean, spread] = [MEANS[at % 4] ?? NaN, SPREADS[at % 4] ?? NaN];
      const variance = alpha ** 2 * spread ** 2 + beta ** 2;
      const off = value - alpha * mean;
      const signal = mean + (alpha * spread ** 2 * off) / variance;
      const noise = (beta * off) / variance;
      return alpha * noise - beta * signal;
    }),
  );
}

async function errorOf(sampler: SamplerName, steps: number): Promise<number> {
  const noise = new Random(3).normals(64);
  const x = await sample(exactDenoiser, { noise, z: new Float32Array(1), sampler, steps, guidance: 0 });
  const squares = x.map(
    (value, i) => (value - (MEANS[i % 4] ?? 0) - (SPREADS[i % 4] ?? 0) * (noise[i] ?? 0)) ** 2,
  );
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / x.length);
}

describe('samplers on data whose denoiser is known', () => {
  it('multistep comes closer in 12 steps than ddim in 40', async () => {
    const [fast, slow] = [await errorOf('multistep', 12), await errorOf('ddim', 40)];
    expect(fast).toBeLessThan(slow / 3);
  });

  it('multistep closes in faster than ddim, whose error falls like one over the steps', async () => {
    const gain = async (sampler: SamplerName) => (await errorOf(sampler, 10)) / (await errorOf(sampler, 160));
    expect(await gain('ddim')).toBeLessThan(16);
    expect(await gain('multistep')).toBeGreaterThan(24);
  });

  it.each(samplerNames)(
    '%s goes from pure noise to pure signal, finite for any number of steps',
    async (sampler) => {
      for (const steps of [1, 2, 3, 5, 1000]) {
        const { sigmas } = schedule(steps, sampler);
        expect([sigmas[0], sigmas[steps]]).toEqual([1, 0]);
        for (let i = 0; i < steps; i++) expect(sigmas[i + 1]).toBeLessThan(sigmas[i] ?? NaN);
        expect(await errorOf(sampler, steps)).toBeLessThan(2);
      }
    },
  );

  it('multistep has small steps at both ends', () => {
    const { sigmas } = schedule(12, 'multistep');
    const step = (i: number) => (sigmas[i] ?? NaN) - (sigmas[i + 1] ?? NaN);
    expect(step(0)).toBeLessThan(1 / 40);
    expect(step(11)).toBeLessThan(1 / 20);
    expect(step(6)).toBeGreaterThan(1 / 8);
  });

  it('stops where it is told to', async () => {
    const stop = new AbortController();
    const run = sample(exactDenoiser, {
      noise: new Float32Array(4),
      z: new Float32Array(1),
      sampler: 'multistep',
      steps: 9,
      guidance: 0,
      signal: stop.signal,
      onStep: (step) => {
        if (step === 4) stop.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
  });
});
