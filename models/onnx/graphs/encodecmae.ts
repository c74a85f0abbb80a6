import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder } from '../builder.ts';
import { GraphBuildError } from '../errors.ts';
import { Weights } from '../weights.ts';
import { linear, matrixShape } from './linear.ts';
import { addPositions } from './positions.ts';
import { keyPaddingMask, residualTransformer, type Observe } from './residual-transformer.ts';

/** Where EnCodecMAE keeps what goes into its transformer. */
export interface EncodecmaeLayout {
  /** `v1`: files of 2023/24 and everything of the diffusion models; `v2`: the rewritten library. */
  version: 'v1' | 'v2';
  /** Linear layer from frame features to the model's width. */
  projection: string;
  /** Learned scale of the positions. */
  scale: string;
}

/** How the encoder graph is built. */
export interface EncoderConfig {
  /** T: frames per window; fixed, because positions and shapes are. */
  frames: number;
  /** Attention heads of EnCodecMAE: 12 in the base model (`NUM_ENCODER_HEADS` of its config.gin). */
  heads: number;
  /** Adds the input `valid [batch]` (int64): frames from there on are not attended to. Packs do without. */
  masked?: boolean;
  /** Sees `projected`, `projected_plus_pos` and the stages of the transformer. */
  observe?: (graph: GraphBuilder) => Observe;
}

const layouts: readonly EncodecmaeLayout[] = [
  { version: 'v1', projection: 'feat_projector', scale: 'positional_encoder.scale' },
  { version: 'v2', projection: 'wav_encoder.post_net', scale: 'masker.positional_encoder.scale' },
];
const MARK = 'visible_encoder.final_norm.weight';

/**
 * The layout of an EnCodecMAE at the root of `source`, or null when there is none.
 * @see findEncodecmae for one further down
 */
export function encodecmaeLayout(source: TensorSource): EncodecmaeLayout | null {
  if (!source.has(MARK)) return null;
  return layouts.find((l) => source.has(`${l.projection}.weight`) && source.has(l.scale)) ?? null;
}

/** Finds an EnCodecMAE under any prefix (`encoder`, `encoder.encodecmae_model`, …), or null. */
export function findEncodecmae(source: TensorSource): { prefix: string; layout: EncodecmaeLayout } | null {
  for (const name of source.names()) {
    if (name !== MARK && !name.endsWith(`.${MARK}`)) continue;
    const prefix = name.slice(0, -MARK.length).replace(/\.$/, '');
    const layout = encodecmaeLayout(source.under(prefix));
    if (layout !== null) return { prefix, layout };
  }
  return null;
}

/**
 * EnCodecMAE's encoder: `features [batch, T, F]` → `hidden [batch, T, D]`, from the frames of EnCodec (v1, waveform v2)
 * or mel bands (mel v2).
 * @param source the EnCodecMAE at its root, in either layout
 * @throws GraphBuildError; CheckpointError
 */
export async function encoderGraph(source: TensorSource, config: EncoderConfig): Promise<Uint8Array> {
  const layout = encodecmaeLayout(source);
  if (layout === null) throw new GraphBuildError('encoder', 'these tensors are no EnCodecMAE');
  const g = new GraphBuilder('encoder');
  const weights = new Weights(g, source);
  const { frames, heads } = config;
  const observe = config.observe?.(g);
  const [dim, featureDim] = matrixShape(weights, `${layout.projection}.weight`);
  const features = g.input('features', 'float32', ['batch', frames, featureDim]);
  const mask = config.masked ? keyPaddingMask(g, g.input('valid', 'int64', ['batch']), frames) : undefined;
  g.section(layout.projection);
  const projected = await linear(weights.under(layout.projection), features);
  const placed = await addPositions(weights, projected, layout.scale);
  observe?.('projected', projected);
  observe?.('projected_plus_pos', placed);
  const hidden = await residualTransformer(weights.under('visible_encoder'), placed, {
    heads,
    mask,
    observe,
  });
  g.output('hidden', hidden, ['batch', frames, dim]);
  return g.build();
}
