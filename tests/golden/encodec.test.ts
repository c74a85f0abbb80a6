import { describe, expect, it } from 'vitest';
import { encodecDecoderGraph, encodecEncoderGraph } from '../../models/onnx/graphs/encodec.ts';
import { Random } from '../../models/numerics/random.ts';
import { flipped, runGraph } from './codec-support.ts';
import { checkpoint, compare, limits, npy, official, stages } from './official-support.ts';

const CHANNELS = 16;
const FRAMES = 76;
const HOP = 320;
const encoder = { prefix: 'encoder.model' };
const decoder = { prefix: 'decoder.model' };
const containers = ['.th', '_torch1x.th', '_legacy.th', '_cudaflat.th', '.safetensors'];

describe.skipIf(official.missing)('EnCodec against the reference', () => {
  it.each(containers)('encodes and decodes alike from encodec_tiny%s', async (ending) => {
    const source = await checkpoint(`encodec_tiny${ending}`);
    const wave = npy('wav.npy');
    const encoded = await runGraph(await encodecEncoderGraph(source, encoder), {
      waveform: [wave, [1, wave.length]],
    });
    const features = only(encoded, 'features');
    expect(features.dims).toEqual([1, FRAMES, CHANNELS]);
    const expected = flipped(npy('encodec/latents_full.npy'), CHANNELS, FRAMES);
    compare(`EnCodec encoder, encodec_tiny${ending}`, features.data, expected, limits.latents);

    const decoded = await runGraph(await encodecDecoderGraph(source, decoder), {
      features: [expected, [1, FRAMES, CHANNELS]],
    });
    const sound = only(decoded, 'waveform');
    expect(sound.dims).toEqual([1, FRAMES * HOP]);
    compare(
      `EnCodec decoder, encodec_tiny${ending}`,
      sound.data,
      npy('encodec/decoded_from_latents.npy'),
      limits.wave,
    );
  });

  it('gives every module of the encoder', async () => {
    const graph = await encodecEncoderGraph(await checkpoint('encodec_tiny.th'), {
      ...encoder,
      probes: true,
    });
    const golden = stages('encodec/encoder_layers_1603.safetensors');
    const found = await runGraph(graph, { waveform: [golden('in'), [1, 1603]] });
    for (let i = 0; i < 16; i++)
      compare(
        'EnCodec encoder, each module',
        only(found, `module.${i}`).data,
        golden(`enc.${i}`),
        limits.latents,
      );
    compare(
      'EnCodec encoder, output',
      only(found, 'features').data,
      flipped(golden('out'), CHANNELS, 6),
      limits.latents,
    );
  });

  it('gives every module of the decoder', async () => {
    const graph = await encodecDecoderGraph(await checkpoint('encodec_tiny.th'), {
      ...decoder,
      probes: true,
    });
    const golden = stages('encodec/decoder_layers_6frames.safetensors');
    const found = await runGraph(graph, { features: [flipped(golden('in'), CHANNELS, 6), [1, 6, CHANNELS]] });
    // Inside, values reach several tens; only the sound itself is held to the limit of sounds.
    for (let i = 0; i < 15; i++)
      compare(
        'EnCodec decoder, each module',
        only(found, `module.${i}`).data,
        golden(`dec.${i}`),
        limits.latents,
      );
    compare('EnCodec decoder, output', only(found, 'waveform').data, golden('out'), limits.wave);
  });

  it.each([1, 7, 319, 320, 321, 640, 1000])('takes %i samples', async (length) => {
    const graph = await encodecEncoderGraph(await checkpoint('encodec_tiny.th'), encoder);
    const frames = Math.ceil(length / HOP);
    const found = await runGraph(graph, { waveform: [npy('wav.npy').subarray(0, length), [1, length]] });
    const features = only(found, 'features');
    expect(features.dims).toEqual([1, frames, CHANNELS]);
    const expected = flipped(npy(`encodec/latents_len${length}.npy`), CHANNELS, frames);
    compare(`EnCodec encoder, ${length} samples`, features.data, expected, limits.latents);
  });

  it('gives each item of a batch what it gives the item alone', async () => {
    const source = await checkpoint('encodec_tiny.th');
    const graph = await encodecEncoderGraph(source, encoder);
    const wave = npy('wav.npy');
    const parts = [wave.subarray(0, 9600), wave.subarray(9600, 19_200)];
    const both = Float32Array.from(parts.flatMap((part) => [...part]));
    const together = only(await runGraph(graph, { waveform: [both, [2, 9600]] }), 'features').data;
    const apart: number[] = [];
    for (const part of parts)
      apart.push(...only(await runGraph(graph, { waveform: [part, [1, 9600]] }), 'features').data);
    compare('EnCodec encoder, batch of 2 and alone', together, apart, limits.latents);

    const decode = await encodecDecoderGraph(source, decoder);
    const sound = only(await runGraph(decode, { features: [together, [2, 30, CHANNELS]] }), 'waveform').data;
    const alone: number[] = [];
    for (const i of [0, 1]) {
      const latents = together.subarray(i * 30 * CHANNELS, (i + 1) * 30 * CHANNELS);
      alone.push(
        ...only(await runGraph(decode, { features: [latents, [1, 30, CHANNELS]] }), 'waveform').data,
      );
    }
    compare('EnCodec decoder, batch of 2 and alone', sound, alone, limits.wave);
  });

  it('hears only the past: a window of ten seconds begins as its first four', async () => {
    const graph = await encodecEncoderGraph(await checkpoint('encodec_tiny.th'), encoder);
    const random = new Random(1);
    const long = Float32Array.from(random.normals(240_000), (value) => 0.1 * value);
    const ten = only(await runGraph(graph, { waveform: [long, [1, 240_000]] }), 'features');
    expect(ten.dims).toEqual([1, 750, CHANNELS]);
    const four = only(
      await runGraph(graph, { waveform: [long.subarray(0, 96_000), [1, 96_000]] }),
      'features',
    );
    expect(four.dims).toEqual([1, 300, CHANNELS]);
    const beginning = ten.data.subarray(0, 300 * CHANNELS);
    compare('EnCodec encoder, first 4 s of 10 s', beginning, four.data, limits.latents);
  });

  it('encodes alike with the encoder that lies inside EnCodecMAE', async () => {
    const source = await checkpoint('diffae_tiny/weights.pt');
    const graph = await encodecEncoderGraph(source, {
      prefix: 'encoder.encodecmae_model.wav_encoder.model.model',
    });
    const found = await runGraph(graph, { waveform: [npy('wav.npy').subarray(0, 9600), [1, 9600]] });
    const golden = stages('ecmae_v1/window0_stages.safetensors')('wav_features');
    compare('EnCodec encoder inside EnCodecMAE v1', only(found, 'features').data, golden, limits.latents);
  });
});

function only<T>(found: ReadonlyMap<string, T>, name: string): T {
  const value = found.get(name);
  if (value === undefined) throw new Error(`no output ${name}`);
  return value;
}
