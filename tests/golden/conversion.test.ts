import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertFiles, inspectFiles } from '../../models/conversion/index.ts';
import { openRuntime, type PackRuntime } from '../../models/packs/index.ts';
import { testFolder } from '../support/engine.ts';
import { limits, npy, officialFolder, stages, tiny, worstDifference } from './official-support.ts';

const checkpointPath = (name: string): string => join(officialFolder ?? '', 'ckpt', name);
const AUTOENCODER = 'diffae_tiny/weights.pt';
/** The tiny autoencoder's configuration names the heads of the autoencoder only; the tiny EnCodecMAE has 4. */
const choices = { encoderHeads: tiny.heads };

async function converted(
  files: readonly string[],
  options: Parameters<typeof inspectFiles>[1] = choices,
): Promise<{ runtime: PackRuntime; notes: string[]; packsFolder: string }> {
  const packsFolder = testFolder();
  const { pack, notes } = await convertFiles(
    files.map((name) => ({ path: checkpointPath(name) })),
    { packsFolder, choices: options },
  );
  return { runtime: await openRuntime(pack, { threads: 1 }), notes, packsFolder };
}

describe.skipIf(officialFolder === null)('packs from official checkpoints', () => {
  const window = (index: number): Float32Array =>
    npy('wav.npy').slice(index * tiny.window, (index + 1) * tiny.window);

  it.each(['encodec_tiny.th', 'encodec_tiny_legacy.th', 'encodec_tiny.safetensors'])(
    'an autoencoder and %s: a generative pack that embeds and decodes as the reference does',
    async (codec) => {
      const { runtime, notes, packsFolder } = await converted([AUTOENCODER, codec]);
      const { manifest } = runtime.pack;
      expect(manifest).toMatchObject({
        id: 'pecmae-0_4s',
        kind: 'generative',
        windowSeconds: 0.4,
        windowSamples: 9600,
        framesPerWindow: 30,
        frameRate: 75,
        featureDim: 16,
        embeddingDim: 48,
        sampler: { steps: 16, guidance: 1, method: 'multistep' },
      });
      expect(manifest.sources).toMatchObject([
        { file: 'weights.pt', bytes: 1121169 },
        { file: codec.split('/').at(-1) },
      ]);
      expect(notes).toEqual([]);
      // Nothing but the pack is left.
      expect(await readdir(packsFolder)).toEqual(['pecmae-0_4s']);
      expect(await readdir(runtime.pack.folder)).toEqual([
        'decoder.onnx',
        'denoiser.onnx',
        'encoder.onnx',
        'features.onnx',
        'pack.json',
        'summary.onnx',
      ]);
      const codes = npy('diffae/z_codes.npy');
      for (const index of [0, 1]) {
        const z = await runtime.embed(window(index), 1);
        expect(worstDifference(z, codes.slice(index * tiny.dim, (index + 1) * tiny.dim))).toBeLessThan(
          limits.z,
        );
      }
      const batch = await runtime.embed(npy('wav.npy').slice(0, 2 * tiny.window), 2);
      expect(worstDifference(batch, codes.slice(0, 2 * tiny.dim))).toBeLessThan(limits.z);
      const latents = npy('diffae/e2e_latents_w0.npy');
      const wave = await runtime.decode(latents, 1);
      expect(worstDifference(wave, npy('diffae/e2e_wave_s10_g4.npy').slice(0, tiny.window))).toBeLessThan(
        limits.wave,
      );
      await runtime.close();
    },
  );

  it('an autoencoder alone only embeds, and says why', async () => {
    const { runtime } = await converted([AUTOENCODER]);
    const { manifest } = runtime.pack;
    expect(manifest.kind).toBe('embedding-only');
    expect(manifest.soundless).toMatch(/without EnCodec 24 kHz/);
    const z = await runtime.embed(window(0), 1);
    expect(worstDifference(z, npy('diffae/z_codes.npy').slice(0, tiny.dim))).toBeLessThan(limits.z);
    await runtime.close();
  });

  it.each([
    ['ecmae_v1_tiny/model.pt', { windowSeconds: 0.4, encoderHeads: 4 }, 'encodecmae-v1-48'],
    ['ecmae_v2_tiny/mel256-tiny.pt', {}, 'encodecmae-mel256-48'],
    ['regressor_tiny/weights_v1.pt', { encoderHeads: 4 }, 'ecmae2ec-0_4s'],
    ['regressor_tiny/weights_v2layout.pt', { encoderHeads: 4 }, 'ecmae2ec-0_4s'],
  ])('%s: an embedding-only pack of mean frames', async (file, options, id) => {
    const { runtime } = await converted([file], options);
    const { manifest } = runtime.pack;
    expect(manifest).toMatchObject({
      id,
      kind: 'embedding-only',
      windowSamples: tiny.window,
      embeddingDim: tiny.dim,
    });
    const folder = file.startsWith('ecmae_v2') ? 'ecmae_v2' : 'ecmae_v1';
    const hidden = file.startsWith('regressor')
      ? npy('regressor/visible_0.npy')
      : stages(`${folder}/window0_stages.safetensors`)('visible_embeddings');
    const z = await runtime.embed(window(0), 1);
    expect(worstDifference(z, meanOfRows(hidden, tiny.dim))).toBeLessThan(limits.hidden);
    await runtime.close();
  });
});

function meanOfRows(rows: Float32Array, columns: number): Float32Array {
  const count = rows.length / columns;
  const mean = new Float32Array(columns);
  for (const [i, value] of rows.entries()) mean[i % columns] = (mean[i % columns] ?? 0) + value / count;
  return mean;
}
