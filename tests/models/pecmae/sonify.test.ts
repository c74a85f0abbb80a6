import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { openRuntime, readPack, type PackRuntime } from '../../../models/packs/index.ts';
import { sonifyBest } from '../../../models/pecmae/candidates.ts';
import { Random } from '../../../models/numerics/random.ts';
import { cosine } from '../../../models/numerics/distances.ts';
import { schedule } from '../../../models/pecmae/sampler.ts';
import { sonify } from '../../support/sonify.ts';
import { rmsDbfs, spectralCentroid } from '../../support/sound.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { TINY, writeTinyPack, type TinyPackOptions } from '../../support/tiny-pack.ts';

const signal = new AbortController().signal;
const runtimes: PackRuntime[] = [];
async function tinyRuntime(options: Partial<TinyPackOptions> = {}): Promise<PackRuntime> {
  const pack = await readPack(await writeTinyPack(await temporaryFolder(), { seed: 11, ...options }));
  const runtime = await openRuntime(pack, { threads: 1 });
  runtimes.push(runtime);
  return runtime;
}
let runtime: PackRuntime;
beforeAll(async () => (runtime = await tinyRuntime()));
afterAll(() => Promise.all(runtimes.map((open) => open.close())));

const vectorOf = (hz: number) =>
  runtime.embed(
    Float32Array.from({ length: TINY.S }, (_, i) => 0.2 * Math.sin((2 * Math.PI * hz * i) / TINY.sampleRate)),
    1,
  );

describe('sonify', () => {
  it('makes the sound that the vector stands for', async () => {
    const low = await sonify(runtime, await vectorOf(200), { seed: 1, signal });
    const high = await sonify(runtime, await vectorOf(2400), { seed: 1, signal });
    expect(low.samples.length).toBe(TINY.S);
    expect(low.sampleRate).toBe(TINY.sampleRate);
    expect(spectralCentroid(low.samples, TINY.sampleRate)).toBeLessThan(600);
    expect(spectralCentroid(high.samples, TINY.sampleRate)).toBeGreaterThan(1800);
    expect(rmsDbfs(low.samples)).toBeGreaterThan(-40);
  });

  it('gives the same sound for the same seed and another for another', async () => {
    const z = await vectorOf(800);
    const first = await sonify(runtime, z, { seed: 42, signal });
    expect(await sonify(runtime, z, { seed: 42, signal })).toEqual(first);
    expect((await sonify(runtime, z, { seed: 43, signal })).samples).not.toEqual(first.samples);
    expect(first).toMatchObject({ seed: 42, steps: 4, guidance: 0.1 });
  });

  it('follows the sampler, step by step, with both branches in one run', async () => {
    const z = await vectorOf(800);
    const denoise = vi.spyOn(runtime, 'denoise');
    const steps: string[] = [];
    await sonify(runtime, z, {
      seed: 1,
      signal,
      steps: 3,
      guidance: 2,
      onStep: (n, of) => steps.push(`${n}/${of}`),
    });
    expect(steps).toEqual(['1/3', '2/3', '3/3']);
    const sigmas = schedule(3).sigmas;
    expect(denoise.mock.calls.map(([, sigma]) => [...sigma])).toEqual(
      [0, 1, 2].map((i) => [sigmas[i], sigmas[i]]),
    );
    const [x, , conditions] = denoise.mock.calls[0] ?? [];
    expect(conditions?.subarray(0, TINY.D)).toEqual(z);
    expect(conditions?.subarray(TINY.D)).toEqual(new Float32Array(TINY.D));
    expect(x?.subarray(0, TINY.T * TINY.F)).toEqual(x?.subarray(TINY.T * TINY.F));
    denoise.mockClear();
    await sonify(runtime, z, { seed: 1, signal, steps: 3, guidance: 0 });
    expect(denoise.mock.calls.map(([, sigma]) => sigma.length)).toEqual([1, 1, 1]);
    denoise.mockRestore();
  });

  it('starts from noised features at the share asked for, and is the way from noise at a share of one', async () => {
    const z = await vectorOf(800);
    const features = await runtime.features(
      Float32Array.from({ length: TINY.S }, (_, i) => 0.2 * Math.sin(i / 3)),
      1,
    );
    const denoise = vi.spyOn(runtime, 'denoise');
    const counts: string[] = [];
    const plain = { seed: 1, signal, steps: 10, guidance: 0 };
    for (const sampler of ['ddim', 'multistep'] as const) {
      const noise = await sonify(runtime, z, { ...plain, sampler });
      denoise.mockClear();
      const onStep = (n: number, of: number) => counts.push(`${n}/${of}`);
      await sonify(runtime, z, { ...plain, sampler, from: { features, share: 0.35 }, onStep });
      const sigmas = denoise.mock.calls.map(([, sigma]) => sigma[0] ?? 0);
      const below = [...schedule(10, sampler).sigmas].filter((s) => s < 0.35 && s > 0);
      expect(sigmas).toEqual([Math.fround(0.35), ...below]);
      expect(counts.splice(0).at(-1)).toBe(`${sigmas.length}/${sigmas.length}`);
      // x = cos(πσ/2)·features + sin(πσ/2)·noise
      const [x] = denoise.mock.calls[0] ?? [];
      const drawn = new Random(1).normals(TINY.T * TINY.F);
      const [alpha, beta] = [Math.cos(0.175 * Math.PI), Math.sin(0.175 * Math.PI)];
      for (const i of [0, 7, 50])
        expect(x?.[i]).toBeCloseTo(alpha * (features[i] ?? 0) + beta * (drawn[i] ?? 0), 5);
      const whole = await sonify(runtime, z, { ...plain, sampler, from: { features, share: 1 } });
      const loudest = Math.max(...noise.samples);
      whole.samples.forEach((value, i) =>
        expect(Math.abs(value - (noise.samples[i] ?? 0))).toBeLessThan(1e-3 * loudest),
      );
    }
    denoise.mockRestore();
    for (const share of [0, 1.1, Number.NaN])
      await expect(sonify(runtime, z, { ...plain, from: { features, share } })).rejects.toThrow(RangeError);
    const short = { features: features.subarray(1), share: 0.5 };
    await expect(sonify(runtime, z, { ...plain, from: short })).rejects.toThrow(RangeError);
  });

  it('samples as the pack says unless told otherwise', async () => {
    const z = await vectorOf(800);
    const plain = await sonify(runtime, z, { seed: 1, signal });
    const multistep = await sonify(runtime, z, { seed: 1, signal, sampler: 'multistep' });
    expect([plain.sampler, multistep.sampler]).toEqual(['ddim', 'multistep']);
    expect(multistep.samples).not.toEqual(plain.samples);
    const { manifest } = runtime.pack;
    const method = 'multistep' as const;
    const sampler = { steps: 4, guidance: 0.1, initialNoise: 1, candidates: 1, accept: 1, method };
    const asking = Object.create(runtime, {
      pack: { value: { ...runtime.pack, manifest: { ...manifest, sampler } } },
    }) as PackRuntime;
    vi.spyOn(asking, 'denoise').mockImplementation((...x) => runtime.denoise(...x));
    vi.spyOn(asking, 'decode').mockImplementation((...x) => runtime.decode(...x));
    expect(await sonify(asking, z, { seed: 1, signal })).toEqual(multistep);
  });

  it('draws candidates until one is heard as like enough, and keeps the likest', async () => {
    const z = await vectorOf(800);
    const decode = vi.spyOn(runtime, 'decode');
    const hear = vi.spyOn(runtime, 'embedFeatures');
    const draw = (candidates: number, accept: number) =>
      sonifyBest(runtime, z, { seed: 5, signal, candidates, accept });
    const one = { signal, candidates: 1, accept: 1 };
    const single = await draw(1, 1);
    expect(single).toMatchObject({ candidate: 0, seed: 5 });
    expect(hear).not.toHaveBeenCalled();
    decode.mockClear();
    const best = await draw(6, 1);
    // The first draw alone, then four together.
    expect(hear.mock.calls.map(([, batch]) => batch)).toEqual([1, 4, 1]);
    expect(decode).toHaveBeenCalledTimes(2);
    const drawn = hear.mock.calls.flatMap(([features, batch]) => {
      const size = features.length / batch;
      return Array.from({ length: batch }, (_, i) => features.slice(i * size, (i + 1) * size));
    });
    const likeness = await Promise.all(
      drawn.map(async (features) => cosine(z, await runtime.embedFeatures(features, 1))),
    );
    const order = [0, 1, 2, 3, 4, 5].sort((a, b) => (likeness[b] ?? 0) - (likeness[a] ?? 0));
    expect(decode.mock.calls.map(([features]) => features)).toEqual(
      order.slice(0, 2).map((candidate) => drawn[candidate]),
    );
    const finals = await Promise.all(
      order.slice(0, 2).map((candidate) => sonifyBest(runtime, z, { ...one, seed: 5 + candidate })),
    );
    // A draw among others is the draw alone, but for rounding.
    expect(best.cycleCosine).toBeCloseTo(Math.max(...finals.map(({ cycleCosine }) => cycleCosine)), 2);
    expect(await draw(6, 1)).toEqual(best);
    hear.mockClear();
    decode.mockClear();
    const enough = Math.min(...likeness.slice(0, 6), best.cycleCosine);
    expect((await draw(6, enough)).candidate).toBe(0);
    expect(hear).toHaveBeenCalledTimes(1);
    expect(decode).toHaveBeenCalledTimes(1);
    // The first draw can be heard while the others are made, unless it is the only one.
    const onFirst = vi.fn();
    const settings = { seed: 5, signal, accept: 1, onFirst };
    await sonifyBest(runtime, z, { ...settings, candidates: 1 });
    expect(onFirst).not.toHaveBeenCalled();
    await sonifyBest(runtime, z, { ...settings, candidates: 3 });
    expect(onFirst.mock.calls).toEqual([[single]]);
    decode.mockRestore();
    hear.mockRestore();
  });

  it('hears draws as sound in a pack that cannot embed frame features', async () => {
    const z = await vectorOf(800);
    const { manifest } = runtime.pack;
    const fused = Object.create(runtime, {
      pack: {
        value: {
          ...runtime.pack,
          manifest: { ...manifest, graphs: { ...manifest.graphs, embed: manifest.graphs.encoder } },
        },
      },
    }) as PackRuntime;
    vi.spyOn(fused, 'denoise').mockImplementation((...x) => runtime.denoise(...x));
    vi.spyOn(fused, 'embed').mockImplementation((...x) => runtime.embed(...x));
    vi.spyOn(fused, 'embedFeatures').mockRejectedValue(new Error('it cannot'));
    const decode = vi.spyOn(fused, 'decode').mockImplementation((...x) => runtime.decode(...x));
    const best = await sonifyBest(fused, z, { seed: 5, signal, candidates: 3, accept: 1 });
    expect(decode.mock.calls.map(([, batch]) => batch)).toEqual([1, 2, 1, 1]);
    expect(best.cycleCosine).toBe(cosine(z, await runtime.embed(best.samples, 1)));
  });

  it('stops between steps', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onStep = vi.fn((n: number) => {
      if (n === 5) controller.abort(reason);
    });
    const run = sonify(runtime, await vectorOf(300), {
      seed: 1,
      steps: 500,
      signal: controller.signal,
      onStep,
    });
    await expect(run).rejects.toBe(reason);
    expect(onStep).toHaveBeenCalledTimes(5);
  });

  it('lets the event loop turn between steps, so that cancelling from outside works', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const run = sonify(runtime, await vectorOf(300), {
      seed: 1,
      steps: 1000,
      guidance: 1,
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow(/aborted/i);
  });

  it('turns a sound beyond full scale down as a whole', async () => {
    const g = new GraphBuilder('loud');
    const features = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
    const flat = g.reshape(g.op('Tile', [features, g.integers([1, 1, 7])]), [0, -1]);
    const cut = g.op('Slice', [flat, g.integers([0]), g.integers([TINY.S]), g.integers([1])]);
    g.output('waveform', g.mul(cut, 20), ['batch', TINY.S]);
    const loud = await tinyRuntime({ replace: { decoder: g.build() } });
    const { samples, limited } = await sonify(loud, await vectorOf(300), { seed: 1, signal });
    expect(limited).toBe(true);
    const peak = Math.max(...samples.map(Math.abs));
    expect(peak).toBeCloseTo(0.99, 5);
    // Turned down, not clipped: only the peak itself is at the limit, and the shape is that of the features.
    const distinct = new Set(samples);
    expect(distinct.size).toBeGreaterThan(TINY.F);
    const quiet = await sonify(runtime, await vectorOf(300), { seed: 1, signal, guidance: 0 });
    expect(quiet.limited).toBe(false);
  });

  it('refuses what it cannot use', async () => {
    const z = await vectorOf(300);
    const run = (vector: Float32Array, options: object) =>
      sonify(runtime, vector, { seed: 1, signal, ...options });
    await expect(run(z.subarray(1), {})).rejects.toThrow('the vector has 31 numbers');
    await expect(
      run(
        z.map(() => NaN),
        {},
      ),
    ).rejects.toThrow('not finite');
    await expect(run(z, { steps: 0 })).rejects.toThrow(RangeError);
    await expect(run(z, { steps: 2.5 })).rejects.toThrow(RangeError);
    await expect(run(z, { guidance: -1 })).rejects.toThrow(RangeError);
    await expect(run(z, { seed: 0.5 })).rejects.toThrow(RangeError);
    const mute = await tinyRuntime({ kind: 'embedding-only' });
    await expect(sonify(mute, z, { seed: 1, signal })).rejects.toMatchObject({ code: 'not-generative' });
  });

  it('refuses a denoiser whose numbers are not finite', async () => {
    const g = new GraphBuilder('broken');
    const x = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
    g.input('sigma', 'float32', ['batch']);
    g.input('z', 'float32', ['batch', TINY.D]);
    g.output('v', g.log(g.neg(g.mul(x, x))), ['batch', TINY.T, TINY.F]);
    const broken = await tinyRuntime({ replace: { denoiser: g.build() } });
    const run = sonify(broken, await vectorOf(300), { seed: 1, signal });
    await expect(run).rejects.toMatchObject({ code: 'graph', file: 'denoiser.onnx' });
  });
});
