import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import { Weights } from '../weights.ts';
import { linear, matrixShape } from './linear.ts';
import { addPositions } from './positions.ts';
import { residualTransformer } from './residual-transformer.ts';

/** Where a regressor keeps its parts. */
export interface RegressorLayout {
  /** The transformer. */
  stack: string;
  /** The last layer, to EnCodec's latents. */
  output: string;
  /** Learned scale of the positions; the oldest files have none. */
  scale: string | null;
}

/** How the regressor graph is built. */
export interface RegressorConfig {
  /** T: frames per window. */
  frames: number;
  /** Attention heads: 12 unless the model's config.gin says otherwise (`num_decoder_heads`). */
  heads: number;
}

const layouts: readonly RegressorLayout[] = [
  { stack: 'decoder.trans', output: 'decoder.lin', scale: 'decoder.posenc.scale' },
  { stack: 'trans', output: 'lin', scale: 'posenc.scale' },
  { stack: 'decoder', output: 'decoder_proj', scale: null },
];

/** The layout of the regressor in `source`, or null when there is none. */
export function regressorLayout(source: TensorSource): RegressorLayout | null {
  const has = ({ stack, output, scale }: RegressorLayout) =>
    source.has(`${stack}.final_norm.weight`) &&
    source.has(`${output}.weight`) &&
    (scale === null || source.has(scale));
  return layouts.find(has) ?? null;
}

/**
 * The regressor from EnCodecMAE back to EnCodec: `hidden [batch, T, D]` → `features [batch, T, F]`.
 * @param source the whole file: the regressor stands beside its encoder
 * @throws GraphBuildError; CheckpointError
 */
export async function regressorGraph(source: TensorSource, config: RegressorConfig): Promise<Uint8Array> {
  const layout = regressorLayout(source);
  if (layout === null) throw new GraphBuildError('regressor', 'these tensors are no regressor');
  const { frames, heads } = config;
  const g = new GraphBuilder('regressor');
  const weights = new Weights(g, source);
  const [featureDim, dim] = matrixShape(weights, `${layout.output}.weight`);
  const hidden = g.input('hidden', 'float32', ['batch', frames, dim]);
  g.section(layout.stack);
  const x = layout.scale === null ? hidden : await addPositions(weights, hidden, layout.scale);
  const out = await residualTransformer(weights.under(layout.stack), x, { heads });
  g.section(layout.output);
  g.output('features', await linear(weights.under(layout.output), out), ['batch', frames, featureDim]);
  return g.build();
}
