import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { openRuntime, readPack } from '../../../models/packs/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { TINY, writeTinyPack, type TinyPackOptions } from '../../support/tiny-pack.ts';

async function tinyRuntime(options: Partial<TinyPackOptions> = {}) {
  const pack = await readPack(await writeTinyPack(await temporaryFolder(), { seed: 5, ...options }));
  return openRuntime(pack, { threads: 1 });
}

function tones(frequencies: readonly number[]): Float32Array {
  return Float32Array.from(
    { length: frequencies.length * TINY.S },
    (_, i) =>
      0.3 *
      Math.sin((2 * Math.PI * (frequencies[Math.floor(i / TINY.S)] ?? 0) * (i % TINY.S)) / TINY.sampleRate),
  );
}

const distance = (a: Float32Array, b: Float32Array) =>
  Math.hypot(...a.map((value, i) => value - (b[i] ?? NaN)));

describe('PackRuntime', () => {
  it('embeds a batch exactly as one by one, and tells spectra apart', async () => {
    const runtime = await tinyRuntime();
    const waveforms = tones([200, 205, 1000]);
    const all = await runtime.embed(waveforms, 3);
    expect(all.length).toBe(3 * TINY.D);
    const rows = [0, 1, 2].map((i) => all.subarray(i * TINY.D, (i + 1) * TINY.D));
    for (const [i, row] of rows.entries()) {
      const alone = await runtime.embed(waveforms.subarray(i * TINY.S, (i + 1) * TINY.S), 1);
      expect(distance(alone, row)).toBeLessThan(1e-4);
    }
    const [low, nearly, high] = rows as [Float32Array, Float32Array, Float32Array];
    expect(distance(low, high)).toBeGreaterThan(3 * distance(low, nearly));
    await runtime.close();
  });

  it('gives the same embedding by the fused graph', async () => {
    const [fused, chained] = [await tinyRuntime({ fused: true }), await tinyRuntime()];
    const waveforms = tones([440]);
    expect(distance(await fused.embed(waveforms, 1), await chained.embed(waveforms, 1))).toBeLessThan(1e-5);
    await Promise.all([fused.close(), chained.close()]);
  });

  it('has features, denoiser and decoder of the promised shapes', async () => {
    const runtime = await tinyRuntime();
    const features = await runtime.features(tones([300, 600]), 2);
    expect(features.length).toBe(2 * TINY.T * TINY.F);
    const z = await runtime.embed(tones([300, 600]), 2);
    const v = await runtime.denoise(features, Float32Array.of(0.5, 1), z);
    expect(v.length).toBe(features.length);
    expect((await runtime.decode(features, 2)).length).toBe(2 * TINY.S);
    await runtime.close();
  });

  it('answers calls made at the same time', async () => {
    const runtime = await tinyRuntime();
    const frequencies = [200, 400, 800, 1600];
    const together = await Promise.all(frequencies.map((hz) => runtime.embed(tones([hz]), 1)));
    for (const [i, hz] of frequencies.entries())
      expect(together[i]).toEqual(await runtime.embed(tones([hz]), 1));
    await runtime.close();
  });

  it('refuses wrong sizes', async () => {
    const runtime = await tinyRuntime();
    await expect(runtime.embed(new Float32Array(TINY.S - 1), 1)).rejects.toThrow(RangeError);
    await expect(runtime.embed(new Float32Array(TINY.S), 2)).rejects.toThrow('[2, 4000] was expected');
    await expect(runtime.embed(new Float32Array(0), 0)).rejects.toThrow(RangeError);
    const x = new Float32Array(TINY.T * TINY.F);
    await expect(runtime.denoise(x, Float32Array.of(1), new Float32Array(3))).rejects.toThrow(RangeError);
    await runtime.close();
  });

  it('refuses numbers that are not finite', async () => {
    const runtime = await tinyRuntime();
    const waveform = tones([440]);
    waveform[100] = NaN;
    await expect(runtime.embed(waveform, 1)).rejects.toMatchObject({ code: 'graph', file: 'features.onnx' });
    await runtime.close();
  });

  it('refuses an output of another size than promised', async () => {
    const g = new GraphBuilder('short');
    const hidden = g.input('hidden', 'float32', ['batch', TINY.T, TINY.D]);
    // The declared width is free, so that only the run can tell.
    g.output(
      'z',
      g.op('Slice', [g.reduceMean(hidden, [1], false), g.integers([0]), g.integers([3]), g.integers([1])]),
      ['batch', 'width'],
    );
    const runtime = await tinyRuntime({ replace: { summary: g.build() } });
    await expect(runtime.embed(tones([440]), 1)).rejects.toMatchObject({
      code: 'graph',
      file: 'summary.onnx',
    });
    await runtime.close();
  });

  it('never runs a file that was exchanged after verification, and recovers when it is back', async () => {
    const runtime = await tinyRuntime();
    const path = join(runtime.pack.folder, 'encoder.onnx');
    const bytes = await readFile(path);
    const changed = Uint8Array.from(bytes);
    changed[2000] = (changed[2000] ?? 0) ^ 1;
    await writeFile(path, changed);
    await expect(runtime.embed(tones([440]), 1)).rejects.toMatchObject({ code: 'hash' });
    await writeFile(path, bytes);
    await expect(runtime.embed(tones([440]), 1)).resolves.toHaveLength(TINY.D);
    await runtime.close();
  });

  it('does not generate with an embedding-only pack', async () => {
    const runtime = await tinyRuntime({ kind: 'embedding-only' });
    await expect(runtime.decode(new Float32Array(TINY.T * TINY.F), 1)).rejects.toMatchObject({
      code: 'not-generative',
    });
    await runtime.close();
  });

  it('is closed once and for all', async () => {
    const runtime = await tinyRuntime();
    const last = runtime.embed(tones([440]), 1);
    await Promise.all([last, runtime.close()]);
    await expect(runtime.embed(tones([440]), 1)).rejects.toThrow('closed');
    await runtime.close();
  });
});
