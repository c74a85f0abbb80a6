import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder } from '../builder.ts';
import { Weights } from '../weights.ts';
import { linear, matrixShape } from './linear.ts';
import { addPositions } from './positions.ts';
import { residualTransformer, type Observe } from './residual-transformer.ts';

/** How the denoiser graph is built. */
export interface DenoiserConfig {
  /** T: frames per window. */
  frames: number;
  /** Attention heads: 8 unless the model's config.gin says otherwise. */
  heads: number;
  /** Sees `time_embedding`, `denoiser_in`, `denoiser_out` and the stages of the transformer. */
  observe?: (graph: GraphBuilder) => Observe;
}

/** The condition and the noise level, before the frames. */
const PREFIX_TOKENS = 2;

/**
 * The denoiser of a diffusion autoencoder: `features [batch, T, F]` (noisy), `sigma [batch]`, `z [batch, D]` → `v
 * [batch, T, F]`. Tokens are z, the noise level's embedding and the frames; only frames have positions. Without a
 * condition z is zero, so both branches of guidance are two items of one batch.
 * @param source a diffusion autoencoder (`denoiser`, `in_adapter`, `out_adapter`, `time_embedding`)
 * @throws GraphBuildError; CheckpointError
 */
export async function denoiserGraph(source: TensorSource, config: DenoiserConfig): Promise<Uint8Array> {
  const { frames, heads } = config;
  const g = new GraphBuilder('denoiser');
  const weights = new Weights(g, source);
  const observe = config.observe?.(g);
  const [dim, featureDim] = matrixShape(weights, 'in_adapter.weight');
  const features = g.input('features', 'float32', ['batch', frames, featureDim]);
  const sigma = g.input('sigma', 'float32', ['batch']);
  const z = g.input('z', 'float32', ['batch', dim]);

  g.section('time_embedding');
  const level = g.relu(await linear(weights.under('time_embedding.0'), g.unsqueeze(sigma, [1])));
  const time = await linear(weights.under('time_embedding.2'), level);
  observe?.('time_embedding', time);
  g.section('in_adapter');
  const adapted = await linear(weights.under('in_adapter'), features);
  const placed = await addPositions(weights, adapted, 'encoder.pos_encoder.scale');
  const x = g.concat([g.unsqueeze(z, [1]), g.unsqueeze(time, [1]), placed], 1);
  observe?.('denoiser_in', x);
  const out = await residualTransformer(weights.under('denoiser'), x, { heads, observe });
  observe?.('denoiser_out', out);
  g.section('out_adapter');
  const framesOut = g.slice(out, PREFIX_TOKENS, PREFIX_TOKENS + frames, 1);
  g.output('v', await linear(weights.under('out_adapter'), framesOut), ['batch', frames, featureDim]);
  return g.build();
}
