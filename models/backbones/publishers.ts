/** Under which terms a model was published, as far as its publisher says. */
export interface Terms {
  /** What is accepted by name. */
  id: string;
  /** Whose work it is. */
  subject: string;
  /** Name of the licence, as its publisher names it. */
  licence: string;
  /** Where the publisher says so. */
  url: string;
  /** It forbids commercial use. */
  nonCommercial?: boolean;
  /** Who must be named. */
  attribution: string;
}

export const encodec: Terms = {
  id: 'encodec',
  subject: 'EnCodec 24 kHz (Meta AI)',
  licence: 'MIT',
  url: 'https://github.com/facebookresearch/encodec/blob/main/LICENSE',
  attribution:
    'EnCodec: A. Défossez, J. Copet, G. Synnaeve, Y. Adi: High Fidelity Neural Audio Compression, 2022; Meta Platforms, Inc.',
};

export const encodecmae: Terms = {
  id: 'encodecmae',
  subject: 'EnCodecMAE (Laboratorio de Inteligencia Artificial Aplicada)',
  licence: 'MIT',
  url: 'https://huggingface.co/lpepino/encodecmae-base',
  attribution:
    'EnCodecMAE: L. Pepino, P. Riera, L. Ferrer: EnCodecMAE: Leveraging neural codecs for universal audio representation learning, 2023.',
};

export const encodecmae2wav: Terms = {
  id: 'encodecmae2wav',
  subject: 'EnCodecMAE autoencoders and regressors (L. Pepino)',
  licence:
    'as stated by the publisher on the page of the model; where none is stated, ask before you share it',
  url: 'https://huggingface.co/lpepino/encodecmae2wav',
  attribution:
    'Diffusion autoencoder: P. Alonso-Jiménez, L. Pepino, R. Batlle-Roca, P. Zinemanas, D. Bogdanov, X. Serra, M. Rocamora: Leveraging Pre-trained Autoencoders for Interpretable Prototype Learning of Music Audio, 2024.',
};

/** A window length in an identifier: a dot has no place in those of the engine's API. */
export function idOfSeconds(seconds: number): string {
  return `${String(seconds).replace('.', '_')}s`;
}
