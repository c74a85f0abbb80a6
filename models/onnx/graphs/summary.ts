import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder, type Value } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import { Weights } from '../weights.ts';
import { matrixShape } from './linear.ts';
import { addPositions } from './positions.ts';
import { keyPaddingMask, residualTransformer } from './residual-transformer.ts';

/** How the summary graph is built. */
export interface SummaryConfig {
  /** T: frames per window. */
  frames: number;
  /** Attention heads of the CLS encoder: 8 unless the model's config.gin says otherwise. */
  heads: number;
  /** Adds the input `valid [batch]` (int64): frames from there on are not attended to. Packs do without. */
  masked?: boolean;
}

/**
 * The summary of a window: a CLS token put before the frames and read after two layers. `hidden [batch, T, D]` →
 * `z [batch, D]`. The token itself has no position; frames count from 0.
 * @param source a diffusion autoencoder (`encoder.cls_tokens`, `encoder.encoder`, `encoder.pos_encoder`)
 * @throws GraphBuildError; CheckpointError
 */
export async function summaryGraph(source: TensorSource, config: SummaryConfig): Promise<Uint8Array> {
  const { frames, heads } = config;
  const g = new GraphBuilder('summary');
  const weights = new Weights(g, source).under('encoder');
  const [tokens, dim] = matrixShape(weights, 'cls_tokens.weight');
  if (tokens !== 1) throw new GraphBuildError('summary', `${tokens} summary tokens; Archetone reads one`);
  const hidden = g.input('hidden', 'float32', ['batch', frames, dim]);
  const valid = config.masked ? g.input('valid', 'int64', ['batch']) : null;
  const mask = valid === null ? undefined : keyPaddingMask(g, g.add(valid, g.integers([1])), frames + 1);
  g.section('encoder');
  const placed = await addPositions(weights, hidden, 'pos_encoder.scale');
  const token = repeated(g, await weights.load('cls_tokens.weight'), dim, hidden);
  const x = g.concat([token, placed], 1);
  const out = await residualTransformer(weights.under('encoder'), x, { heads, mask, firstOnly: true });
  g.output('z', g.reshape(out, [-1, dim]), ['batch', dim]);
  return g.build();
}

/** The token `[1, D]` once for each item of the batch: `[B, 1, D]`. */
function repeated(g: GraphBuilder, token: Value, dim: number, batch: Value): Value {
  const size = g.op('Shape', [batch], { start: 0, end: 1 }, 'int64');
  const target = g.concat([size, g.integers([1, dim])], 0);
  return g.call('Expand', [token, target], {}, { shapes: [['batch', 1, dim]] })[0];
}
