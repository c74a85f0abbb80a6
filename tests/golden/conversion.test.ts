import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { convertFiles, inspectFiles } from '../../models/conversion/index.ts';
import {
  precisionLimits,
  remeasurePrecision,
  requireWithinLimits,
  type PrecisionFigures,
  type PrecisionReport,
} from '../../models/conversion/precision.ts';
import { processorName } from '../../models/packs/computed-by.ts';
import { relativeRms } from '../../models/onnx/variant-error.ts';
import { openRuntime, type Pack, type PackRuntime } from '../../models/packs/index.ts';
import { cosine } from '../../models/numerics/distances.ts';
import { sonify } from '../support/sonify.ts';
import { testFolder } from '../support/music.ts';
import { limits, npy, official, stages, tiny, worstDifference } from './official-support.ts';

const checkpointPath = (name: string): string => official.path('ckpt', name);
const AUTOENCODER = 'diffae_tiny/weights.pt';
/** The tiny autoencoder's configuration names the heads of the autoencoder only; the tiny EnCodecMAE has 4. */
const choices = { encoderHeads: tiny.heads };

async function converted(
  files: readonly string[],
  options: Parameters<typeof inspectFiles>[1] = choices,
  packsFolder = testFolder(),
): Promise<{ runtime: PackRuntime; notes: string[]; packsFolder: string }> {
  const { pack, notes } = await convertFiles(
    files.map((name) => ({ path: checkpointPath(name) })),
    // Every product of the tiny models counts as large, as those of the full-size layers do.
    { packsFolder, choices: options, smallestReduced: 2000 },
  );
  return { runtime: await openRuntime(pack, { threads: 1 }), notes, packsFolder };
}

describe.skipIf(official.missing)('packs from official checkpoints', () => {
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

  it('float16 and int8 beside float32: smaller, and the card says what it costs', async () => {
    const packsFolder = testFolder();
    const files = [AUTOENCODER, 'encodec_tiny.th'];
    const { runtime: whole } = await converted(files, choices, packsFolder);
    const z = npy('diffae/z_codes.npy').slice(0, tiny.dim);
    const settings = { seed: 3, steps: 4, signal: new AbortController().signal };
    const sound = (await sonify(whole, z, settings)).samples;
    for (const precision of ['float16', 'int8'] as const) {
      const { runtime, notes } = await converted(files, { ...choices, precision }, packsFolder);
      const { id, title, graphs, quality } = runtime.pack.manifest;
      expect([id, title]).toEqual([`pecmae-0_4s-${precision}`, `PECMAE, windows of 0.4 s, ${precision}`]);
      for (const name of ['encoder', 'denoiser'] as const)
        expect(graphs[name]?.bytes).toBeLessThan(0.75 * (whole.pack.manifest.graphs[name]?.bytes ?? 0));
      for (const name of ['features', 'summary', 'decoder'] as const)
        expect(graphs[name]).toEqual(whole.pack.manifest.graphs[name]);

      const report = quality['precision'] as PrecisionReport;
      const limits = precisionLimits[precision];
      expect(report.kind).toBe(precision);
      for (const figures of [report.encoder, report.denoiser]) {
        expect(figures?.relativeRms).toBeGreaterThan(0);
        expect(figures?.relativeRms).toBeLessThanOrEqual(limits.relativeRms);
      }
      expect(report.z.smallestCosine).toBeGreaterThanOrEqual(limits.smallestCosine);
      expect(notes.at(-1)).toMatch(
        new RegExp(`^In ${precision} the encoder differs by .* % and the denoiser by `),
      );

      expect(report.measuredOn).toBe(processorName());
      // On this processor the card's figures stand; on another they are measured again.
      const embed = (sound: Float32Array) => runtime.embed(sound, 1);
      expect(await remeasurePrecision(runtime.pack, embed)).toBeNull();
      const elsewhere = withCard(runtime.pack, { ...report, measuredOn: 'Another processor' });
      const again = await remeasurePrecision(elsewhere, embed);
      expect(again?.smallestCosine).toBeCloseTo(report.z.smallestCosine, 5);
      const wrong = async () => (await embed(window(0))).map((value, i) => (i % 2 === 0 ? -value : value));
      await expect(remeasurePrecision(elsewhere, wrong)).rejects.toThrow(
        `in ${precision} an embedding has a cosine of`,
      );

      // On music, which the card was not measured on, it holds as well.
      expect(cosine(await runtime.embed(window(0), 1), z)).toBeGreaterThan(limits.smallestCosine);
      const { samples } = await sonify(runtime, z, settings);
      expect(relativeRms([samples], [sound])).toBeLessThan(2 * limits.relativeRms);
      await runtime.close();
    }
    await whole.close();
    expect((await readdir(packsFolder)).sort()).toEqual([
      'pecmae-0_4s',
      'pecmae-0_4s-float16',
      'pecmae-0_4s-int8',
    ]);
  });

  it('a model too small for int8 is refused rather than kept as float32 by that name', async () => {
    const packsFolder = testFolder();
    const adding = convertFiles([{ path: checkpointPath(AUTOENCODER) }], {
      packsFolder,
      choices: { ...choices, precision: 'int8' },
    });
    await expect(adding).rejects.toMatchObject({ code: 'graph', hint: 'Add the model in float32.' });
    expect(await readdir(packsFolder)).toEqual([]);
  });

  it('says which of the files are one too many', async () => {
    const codecs = ['encodec_tiny.th', 'encodec_tiny.safetensors'];
    const names = codecs.map((name) => `${name} (EnCodec 24 kHz)`).join(' and ');
    await expect(inspectFiles([AUTOENCODER, ...codecs].map(checkpointPath), choices)).rejects.toMatchObject({
      code: 'unknown-model',
      message: `${names}: only one of them can make the sound of a pack`,
    });
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

describe('limits of reduced precision', () => {
  const fine: PrecisionFigures = {
    kind: 'int8',
    encoder: { relativeRms: 0.05 },
    denoiser: { relativeRms: 0.05 },
    z: { smallestCosine: 0.999 },
  };

  it('are kept by a pack near float32', () => {
    expect(() => requireWithinLimits(fine)).not.toThrow();
  });

  it.each<[Partial<PrecisionFigures>, string]>([
    [{ encoder: { relativeRms: 0.2 } }, 'in int8 the encoder differs by 20 % from float32, more than 10 %'],
    [{ encoder: { relativeRms: NaN } }, 'in int8 the encoder differs by NaN % from float32'],
    [{ denoiser: { relativeRms: 0.11 } }, 'in int8 the denoiser differs by 11 % from float32'],
    [{ z: { smallestCosine: 0.98 } }, 'in int8 an embedding has a cosine of 0.9800'],
    [{ kind: 'float16' }, 'in float16 the encoder differs by 5.0 % from float32, more than 1.0 %'],
  ])('refuse %j', (change, message) => {
    expect(() => requireWithinLimits({ ...fine, ...change })).toThrow(message);
  });
});

function withCard(pack: Pack, precision: PrecisionReport): Pack {
  return { ...pack, manifest: { ...pack.manifest, quality: { ...pack.manifest.quality, precision } } };
}

function meanOfRows(rows: Float32Array, columns: number): Float32Array {
  const count = rows.length / columns;
  const mean = new Float32Array(columns);
  for (const [i, value] of rows.entries()) mean[i % columns] = (mean[i % columns] ?? 0) + value / count;
  return mean;
}
