import type { TensorSource } from '../checkpoint/index.ts';
import { encodecmaeLayout, findEncodecmae } from '../onnx/graphs/encodecmae.ts';
import { melFrontEnd, waveformFrontEnd, type FrontEnd } from './front-ends.ts';
import type { HeadSetting } from './settings.ts';

/** An EnCodecMAE, and what it listens through. */
export interface EncodecmaePart {
  source: TensorSource;
  /** Where it stands in the checkpoint. */
  prefix: string;
  version: 'v1' | 'v2';
  frontEnd: FrontEnd;
  /** D: numbers per frame of the result. */
  dim: number;
  /** F: numbers per frame that go in. */
  featureDim: number;
}

/** First convolution of a SEANet, encoder or decoder, as EnCodec's own code stores it. */
export const SEANET_FIRST = 'model.0.conv.conv.weight_v';

/** The base model has 12 heads of 64 numbers, and so the other sizes are expected to. */
const DEFAULT_HEAD_SIZE = 64;

/** Heads of EnCodecMAE's own attention; every model that holds one has this setting. */
export const encoderHeads: HeadSetting = {
  name: 'encoderHeads',
  subject: 'EnCodecMAE',
  what: 'the attention heads of EnCodecMAE',
  option: '--encoder-heads',
  read: (gin) =>
    gin.macro('NUM_ENCODER_HEADS') ?? gin.binding(/^encoder\/.*MultiHeadAttention$/, 'num_heads'),
  fallback: (dim) => dim / DEFAULT_HEAD_SIZE,
};

/** The EnCodecMAE in a checkpoint, or null. */
export function encodecmaeIn(source: TensorSource): EncodecmaePart | null {
  const found = findEncodecmae(source);
  if (found === null) return null;
  const root = source.under(found.prefix);
  const layout = encodecmaeLayout(root) ?? found.layout;
  const [dim = 0, featureDim = 0] = root.shape(`${layout.projection}.weight`);
  const place = ['wav_encoder.model', 'wav_encoder.encoder.model'].find((at) =>
    root.has(`${at}.${SEANET_FIRST}`),
  );
  return {
    source: root,
    prefix: found.prefix,
    version: layout.version,
    frontEnd: place === undefined ? melFrontEnd(featureDim) : waveformFrontEnd(root.under(place)),
    dim,
    featureDim,
  };
}

/** The part of `source` whose names begin where `suffix` does, or null. */
export function rootOf(source: TensorSource, suffix: string): TensorSource | null {
  const name = source.names().find((n) => n === suffix || n.endsWith(`.${suffix}`));
  return name === undefined ? null : source.under(name.slice(0, -suffix.length));
}
