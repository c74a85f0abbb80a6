import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../models/checkpoint/index.ts';
import type { GraphBuilder, Value } from '../../models/onnx/builder.ts';
import { encoderGraph, findEncodecmae, type EncoderConfig } from '../../models/onnx/graphs/encodecmae.ts';
import { checkpoint, compare, Graph, limits, npy, officialFolder, stages, tiny } from './official-support.ts';

const { dim, frames, heads } = tiny;

async function encoder(source: TensorSource, changes: Partial<EncoderConfig> = {}): Promise<Graph> {
  const found = findEncodecmae(source);
  if (found === null) throw new Error('no EnCodecMAE');
  return Graph.open(await encoderGraph(source.under(found.prefix), { frames, heads, ...changes }));
}

/** Makes outputs of the stages on the way. */
const outputs = (g: GraphBuilder) => (stage: string, value: Value) =>
  g.output(stage, value, value.shape ?? []);

describe.skipIf(officialFolder === null)('EnCodecMAE v1 against the reference', () => {
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

describe.skipIf(officialFolder === null)('the regressor’s EnCodecMAE, in both layouts', () => {
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
