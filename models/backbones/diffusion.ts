import { denoiserGraph } from '../onnx/graphs/denoiser.ts';
import { summaryGraph } from '../onnx/graphs/summary.ts';
import type { Backbone } from './backbone.ts';
import { encodecmaeIn, encoderHeads, rootOf } from './encodecmae-part.ts';
import { encodec, encodecmae, encodecmae2wav, idOfSeconds } from './publishers.ts';

const CLS = 'encoder.cls_tokens.weight';
/** `num_heads` of TransformerAEDiffusion, which no published configuration sets. */
const DEFAULT_HEADS = 8;

/** The diffusion autoencoders of PECMAE, each around a whole EnCodecMAE. */
export const diffusion: Backbone = {
  title: 'EnCodecMAE diffusion autoencoder',
  expected: 'an EnCodecMAE diffusion autoencoder',
  detect: (checkpoint) => {
    const source = rootOf(checkpoint, CLS);
    if (source?.has('denoiser.final_norm.weight') !== true) return null;
    const part = encodecmaeIn(source);
    if (part === null) return null;
    return {
      embedder: {
        encodecmae: part,
        name: (seconds) => ({
          id: `pecmae-${idOfSeconds(seconds)}`,
          title: `PECMAE, windows of ${seconds} s`,
        }),
        summary: ({ frames, settled }) => summaryGraph(source, { frames, heads: settled('heads') }),
        sound: {
          denoiser: ({ frames, settled }) => denoiserGraph(source, { frames, heads: settled('heads') }),
          withoutCodec:
            'It was added without EnCodec 24 kHz, which turns what the model imagines into sound. Add both files together to hear prototypes.',
        },
      },
    };
  },
  settings: [
    encoderHeads,
    {
      name: 'heads',
      subject: 'the autoencoder',
      what: 'the attention heads of the autoencoder',
      option: '--heads',
      read: (gin) => gin.binding(/TransformerAEDiffusion$/, 'num_heads'),
      fallback: () => DEFAULT_HEADS,
    },
  ],
  terms: [encodecmae2wav, encodecmae, encodec],
};
