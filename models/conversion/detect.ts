import { CheckpointError, type TensorSource } from '../checkpoint/index.ts';
import { encodecmaeLayout, findEncodecmae } from '../onnx/graphs/encodecmae.ts';
import { regressorLayout } from '../onnx/graphs/regressor.ts';

/** An EnCodecMAE, and what it listens through. */
export interface EncodecmaePart {
  source: TensorSource;
  version: 'v1' | 'v2';
  /** SEANet on the waveform (tensors `model.{i}…`), or mel bands computed from it. */
  frontEnd: { kind: 'waveform'; seanet: TensorSource } | { kind: 'mel'; bands: number };
  /** D: numbers per frame of the result. */
  dim: number;
  /** F: numbers per frame that go in. */
  featureDim: number;
}

/** What a checkpoint file turned out to be. */
export type ModelPart =
  | { kind: 'encodec'; encoder: TensorSource; decoder: TensorSource }
  | { kind: 'encodecmae'; encodecmae: EncodecmaePart }
  | { kind: 'diffusion'; source: TensorSource; encodecmae: EncodecmaePart }
  | { kind: 'regressor'; source: TensorSource; encodecmae: EncodecmaePart };

const CLS = 'encoder.cls_tokens.weight';
const SEANET_FIRST = 'model.0.conv.conv.weight_v';
const CODEBOOK = 'quantizer.vq.layers.0._codebook.embed';

/** For messages: what would have been accepted. */
export const EXPECTED_MODELS =
  'an EnCodecMAE diffusion autoencoder, an EnCodecMAE (v1 or v2), an ecmae2ec regressor, or EnCodec 24 kHz';

/**
 * Tells which of the published models a checkpoint is, by the names of its tensors, under whatever prefix.
 * @param name of the file, for messages
 * @throws CheckpointError `unknown-model`, saying what the file has instead.
 */
export function detectModel(source: TensorSource, name: string): ModelPart {
  const diffusion = rootOf(source, CLS);
  if (diffusion !== null && diffusion.has('denoiser.final_norm.weight'))
    return { kind: 'diffusion', source: diffusion, encodecmae: encodecmaeIn(diffusion, name) };
  const found = findEncodecmae(source);
  if (found !== null) {
    const encodecmae = encodecmaeIn(source, name);
    // The regressor stands one level above its encoder.
    const above = source.under(found.prefix.replace(/(^|\.)encoder$/, ''));
    if (found.prefix.endsWith('encoder') && regressorLayout(above) !== null)
      return { kind: 'regressor', source: above, encodecmae };
    return { kind: 'encodecmae', encodecmae };
  }
  const codec = rootOf(source, CODEBOOK);
  if (codec !== null && codec.has(`encoder.${SEANET_FIRST}`) && codec.has(`decoder.${SEANET_FIRST}`))
    return { kind: 'encodec', encoder: codec.under('encoder'), decoder: codec.under('decoder') };
  throw unknownModel(source, name);
}

/** The part of `source` whose names begin where `suffix` does, or null. */
function rootOf(source: TensorSource, suffix: string): TensorSource | null {
  const name = source.names().find((n) => n === suffix || n.endsWith(`.${suffix}`));
  return name === undefined ? null : source.under(name.slice(0, -suffix.length));
}

function encodecmaeIn(source: TensorSource, name: string): EncodecmaePart {
  const found = findEncodecmae(source);
  if (found === null) throw unknownModel(source, name);
  const root = source.under(found.prefix);
  const layout = encodecmaeLayout(root) ?? found.layout;
  const [dim = 0, featureDim = 0] = root.shape(`${layout.projection}.weight`);
  const place = ['wav_encoder.model', 'wav_encoder.encoder.model'].find((at) =>
    root.has(`${at}.${SEANET_FIRST}`),
  );
  return {
    source: root,
    version: layout.version,
    frontEnd:
      place === undefined
        ? { kind: 'mel', bands: featureDim }
        : { kind: 'waveform', seanet: root.under(place) },
    dim,
    featureDim,
  };
}

function unknownModel(source: TensorSource, name: string): CheckpointError {
  const names = source.names();
  const what = known.find(({ mark }) => names.some((n) => mark.test(n)))?.what;
  const some = names.slice(0, 3).join(', ');
  const found =
    names.length === 0
      ? 'has no tensors'
      : what === undefined
        ? `is a model that Archetone does not know (${names.length} tensors: ${some}${names.length > 3 ? ', …' : ''})`
        : `is ${what}`;
  return new CheckpointError(
    'unknown-model',
    `${name} ${found}; expected is ${EXPECTED_MODELS}`,
    'Choose one of the files that “Bringing the official models” lists.',
  );
}

/** Files that lie about on the disks of people who work with these models. */
const known: readonly { mark: RegExp; what: string }[] = [
  { mark: /^protos$/, what: 'a trained prototype network, not an encoder' },
  {
    mark: /^encoder\.layers\.0\.conv\.(weight_g|parametrizations)/,
    what: 'EnCodec as Transformers stores it',
  },
  { mark: /visible_encoder\./, what: 'a part of an EnCodecMAE, without its first layers' },
];
