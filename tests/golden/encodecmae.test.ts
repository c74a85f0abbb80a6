import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../models/checkpoint/index.ts';
import type { GraphBuilder, Value } from '../../models/onnx/builder.ts';
import { encoderGraph, findEncodecmae, type EncoderConfig } from '../../models/onnx/graphs/encodecmae.ts';
import { encodecEncoderGraph } from '../../models/onnx/graphs/encodec.ts';
import { melFrames, melGraph } from '../../models/onnx/graphs/mel.ts';
import { encoderTwin } from './residual-twin.ts';
import {
  checkpoint,
  compare,
  Graph,
  limits,
  npy,
  official,
  stages,
  tiny,
  worstDifference,
} from './official-support.ts';

const { dim, frames, heads } = tiny;

async function encoder(source: TensorSource, changes: Partial<EncoderConfig> = {}): Promise<Graph> {
  const found = findEncodecmae(source);
  if (found === null) throw new Error('no EnCodecMAE');
  return Graph.open(await encoderGraph(source.under(found.prefix), { frames, heads, ...changes }));
}

/** Makes outputs of the stages on the way. */
const outputs = (g: GraphBuilder) => (stage: string, value: Value) =>
  g.output(stage, value, value.shape ?? []);

describe.skipIf(official.missing)('EnCodecMAE v1 against the reference', () => {
  const golden = stages('ecmae_v1/window0_stages.safetensors');

  it('every stage of one window', async () => {
    const graph = await encoder(await checkpoint('ecmae_v1_tiny/model.pt'), { observe: outputs });
    const found = await graph.all({ features: golden('wav_features') });
    const stage = (name: string): Float32Array => found.get(name) ?? new Float32Array();
    compare('EnCodecMAE v1: projection', stage('projected'), golden('projected'), limits.hidden);
    compare(
      'EnCodecMAE v1: positions',
      stage('projected_plus_pos'),
      golden('projected_plus_pos'),
      limits.hidden,
    );
    for (const name of ['q', 'k', 'v'])
      // The graph holds each head's channels side by side, the reference deals them out.
      compare(`EnCodecMAE v1: ${name}`, dealt(stage(`l0.${name}`)), golden(`l0.${name}`), limits.hidden);
    compare(
      'EnCodecMAE v1: attention weights',
      attentionWeights(stage('l0.q'), stage('l0.k')),
      golden('l0.att_probs'),
      limits.hidden,
    );
    compare('EnCodecMAE v1: attention', stage('l0.att_out'), golden('l0.att_out'), limits.hidden);
    for (const i of [0, 1, 2])
      for (const x of ['x0', 'x1'])
        compare(`EnCodecMAE v1: residual streams`, stage(`l${i}.${x}`), golden(`l${i}.${x}`), limits.hidden);
    compare('EnCodecMAE v1: hidden', stage('hidden'), golden('visible_embeddings'), limits.hidden);
    const layers = npy('ecmae_v1/extract_activations_window0.npy');
    compare(
      'EnCodecMAE v1: activations of each layer',
      Float32Array.from([0, 1, 2].flatMap((i) => [...stage(`l${i}.x0`)])),
      layers,
      limits.hidden,
    );
  });

  it.each([
    ['a diffusion autoencoder', 'diffae_tiny/weights.pt', 'encoder.encodecmae_model', 'v1'],
    ['a file of its own', 'ecmae_v1_tiny/model.pt', '', 'v1'],
  ])('is found in %s and gives the same', async (_, file, prefix, version) => {
    const source = await checkpoint(file);
    const found = findEncodecmae(source);
    expect([found?.prefix, found?.layout.version]).toEqual([prefix, version]);
    const hidden = await (await encoder(source)).run({ features: golden('wav_features') });
    compare('EnCodecMAE v1: hidden', hidden, golden('visible_embeddings'), limits.hidden);
  });

  it('stores the shared feed-forward part once', async () => {
    const source = await checkpoint('ecmae_v1_tiny/model.pt');
    const bytes = await encoderGraph(source, { frames, heads });
    const text = Buffer.from(bytes).toString('latin1');
    const stored = new Set(text.match(/encoder_layers\.\d+\.ff_layer\.0\.weight\.transposed/g));
    expect([...stored]).toEqual(['encoder_layers.0.ff_layer.0.weight.transposed']);
  });

  it.each([0, 5, 7])('refuses %i heads', async (wrong) => {
    await expect(encoder(await checkpoint('ecmae_v1_tiny/model.pt'), { heads: wrong })).rejects.toThrow(
      /heads/,
    );
  });
});

/** Chunks of one window's length, as the library's feature extraction cuts them; the last one is shorter. */
function chunks(sound: Float32Array): Float32Array[] {
  const starts = Array.from({ length: Math.ceil(sound.length / tiny.window) }, (_, i) => i * tiny.window);
  return starts.map((start) => sound.subarray(start, start + tiny.window));
}

/** Frames that the reference attends to: whole hops of 320 samples, for mel models too. */
const valid = (samples: number) => BigInt64Array.of(BigInt(Math.floor(samples / 320)));

describe.skipIf(official.missing)('EnCodecMAE v1 with padding', () => {
  it('a batch of two lengths', async () => {
    const golden = stages('ecmae_v1/batch2_padded.safetensors');
    const source = await checkpoint('ecmae_v1_tiny/model.pt');
    const seanet = await Graph.open(await encodecEncoderGraph(source, { prefix: 'wav_encoder.model.model' }));
    const features = await seanet.run({ waveform: golden('wav') }, { batch: 2, samples: tiny.window });
    const lengths = BigInt64Array.from(golden('features_len'), BigInt);
    const graph = await encoder(source, { masked: true });
    const hidden = await graph.run({ features, valid: lengths }, { batch: 2 });
    compare('EnCodecMAE v1: padded batch', hidden, golden('visible_embeddings'), limits.hidden);
    // The mask is what makes the difference: without it the padded clip comes out otherwise.
    const unmasked = await (await encoder(source)).run({ features }, { batch: 2 });
    expect(worstDifference(unmasked, golden('visible_embeddings'))).toBeGreaterThan(0.1);
  });

  it('whole sounds in chunks, the last frame of the last one masked', async () => {
    const source = await checkpoint('ecmae_v1_tiny/model.pt');
    const seanet = await Graph.open(await encodecEncoderGraph(source, { prefix: 'wav_encoder.model.model' }));
    const all: number[] = [];
    for (const waveform of chunks(npy('wav.npy'))) {
      const features = await seanet.run({ waveform }, { samples: waveform.length });
      const graph = await encoder(source, { masked: true, frames: Math.ceil(waveform.length / 320) });
      all.push(...(await graph.run({ features, valid: valid(waveform.length) })));
    }
    const expected = npy('ecmae_v1/extract_features_from_array_chunk0.4.npy');
    compare('EnCodecMAE v1: features of a sound in chunks', all, expected, limits.hidden);
  });
});

describe.skipIf(official.missing)('EnCodecMAE on windows of ten seconds', () => {
  const sizes = { dim, heads, features: tiny.features };

  it('the twin in double precision gives the reference’s window', async () => {
    const golden = stages('ecmae_v1/window0_stages.safetensors');
    const twin = await encoderTwin(await checkpoint('ecmae_v1_tiny/model.pt'), golden('wav_features'), sizes);
    compare('Twin in double precision: hidden', twin, golden('visible_embeddings'), limits.hidden);
  });

  it('750 frames, against the twin', async () => {
    const source = await checkpoint('ecmae_v1_tiny/model.pt');
    const seanet = await Graph.open(await encodecEncoderGraph(source, { prefix: 'wav_encoder.model.model' }));
    const sound = npy('wav.npy');
    // Ten seconds of the golden sound, over and over.
    const waveform = Float32Array.from({ length: 240_000 }, (_, i) => sound[i % sound.length] ?? NaN);
    const features = await seanet.run({ waveform }, { samples: waveform.length });
    expect(features.length).toBe(750 * tiny.features);
    const hidden = await (await encoder(source, { frames: 750 })).run({ features });
    const twin = await encoderTwin(source, features, sizes);
    compare('EnCodecMAE v1: window of 10 s', hidden, twin, limits.hidden);
  });
});

describe.skipIf(official.missing)('EnCodecMAE v2 against the reference', () => {
  const open = (changes: Partial<EncoderConfig>) =>
    checkpoint('ecmae_v2_tiny/mel256-tiny.pt').then((source) => encoder(source, changes));

  it('every stage of one window of mel bands', async () => {
    const golden = stages('ecmae_v2/window0_stages.safetensors');
    const graph = await open({ frames: 29, observe: outputs });
    const found = await graph.all({ features: golden('wav_features_in') });
    const stage = (name: string) => found.get(name) ?? [];
    compare('EnCodecMAE v2: projection', stage('projected'), golden('projected'), limits.hidden);
    compare('EnCodecMAE v2: positions', stage('projected_plus_pos'), golden('visible_tokens'), limits.hidden);
    compare('EnCodecMAE v2: hidden', stage('hidden'), golden('visible_embeddings'), limits.hidden);
  });

  it('whole sounds in chunks, from sound, every layer', async () => {
    const mel = await Graph.open(melGraph());
    const layers: number[][] = [[], [], []];
    const last: number[] = [];
    for (const waveform of chunks(npy('wav.npy'))) {
      const features = await mel.run({ waveform }, { samples: waveform.length });
      const graph = await open({ frames: melFrames(waveform.length), masked: true, observe: outputs });
      const found = await graph.all({ features, valid: valid(waveform.length) });
      for (const [i, layer] of layers.entries()) layer.push(...(found.get(`l${i}.x0`) ?? []));
      last.push(...(found.get('hidden') ?? []));
    }
    compare(
      'EnCodecMAE v2: features of a sound in chunks',
      last,
      npy('ecmae_v2/extract_features_chunk9600.npy'),
      limits.hidden,
    );
    const expected = npy('ecmae_v2/extract_features_all_layers.npy');
    const size = expected.length / layers.length;
    // The last one includes the final sum, unlike in v1.
    layers[2] = last;
    for (const [i, layer] of layers.entries())
      compare(
        'EnCodecMAE v2: activations of layers',
        layer,
        expected.subarray(i * size, (i + 1) * size),
        limits.hidden,
      );
  });
});

describe.skipIf(official.missing)('the regressor’s EnCodecMAE, in both layouts', () => {
  it.each([
    ['weights_v1.pt', 'v1'],
    ['weights_v2layout.pt', 'v2'],
  ])('%s', async (file, version) => {
    const source = await checkpoint(`regressor_tiny/${file}`);
    expect(findEncodecmae(source)).toMatchObject({ prefix: 'encoder', layout: { version } });
    const bytes = await encoderGraph(source.under('encoder'), { frames, heads });
    // The second file has lost the sharing; equal contents restore it.
    expect(
      Buffer.from(bytes)
        .toString('latin1')
        .match(/ff_layer\.2\.weight\.transposed/g)?.length,
    ).toBe(4);
  });
});

/** The reference's order of channels: c of head `c mod H`. */
function dealt(x: Float32Array): Float32Array {
  const size = dim / heads;
  return x.map((_, at) => {
    const c = at % dim;
    return x[at - c + (c % heads) * size + Math.floor(c / heads)] ?? NaN;
  });
}

/** Softmax of the scaled products of queries and keys, `[H, T, T]`. */
function attentionWeights(q: Float32Array, k: Float32Array): Float32Array {
  const size = dim / heads;
  const result = new Float32Array(heads * frames * frames);
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < frames; t++) {
      const scores = Array.from({ length: frames }, (_, s) => {
        let sum = 0;
        for (let c = h * size; c < (h + 1) * size; c++)
          sum += (q[t * dim + c] ?? NaN) * (k[s * dim + c] ?? NaN);
        return sum / Math.sqrt(size);
      });
      const highest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - highest));
      const total = weights.reduce((a, b) => a + b, 0);
      result.set(
        weights.map((w) => w / total),
        (h * frames + t) * frames,
      );
    }
  return result;
}
