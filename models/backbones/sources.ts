/** A published model that has a name of its own here. */
export interface KnownSource {
  id: string;
  title: string;
  /** Repository of the hub and the folder of the model in it. */
  repository: string;
  folder: string;
  /** Also needs EnCodec's decoder. */
  codec: boolean;
}

/** The hub's repository of the autoencoders and regressors. */
const AUTOENCODERS = 'lpepino/encodecmae2wav';

/** What packs can be added by name. Apart from what reads the models: a list of names needs none of that. */
export const knownSources: readonly KnownSource[] = [
  ...['4s', '10s'].map((window) => ({
    id: `pecmae-${window}`,
    title: `PECMAE: diffusion autoencoder, windows of ${window.slice(0, -1)} s, with EnCodec`,
    repository: AUTOENCODERS,
    folder: `models/DiffTransformerAE2L8L1CLS-${window}`,
    codec: true,
  })),
  {
    id: 'ecmae2ec-base',
    title: 'ecmae2ec regressor: embeddings only',
    repository: AUTOENCODERS,
    folder: 'models/ecmae2ec-base-1LTransformer',
    codec: false,
  },
  {
    id: 'encodecmae-base',
    title: 'EnCodecMAE base (v1): embeddings only',
    repository: 'lpepino/encodecmae-base',
    folder: '',
    codec: false,
  },
];
