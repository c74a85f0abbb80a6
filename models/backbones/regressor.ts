import type { Backbone } from './backbone.ts';
import { encodecmaeIn, encoderHeads } from './encodecmae-part.ts';
import { meanSummaryGraph } from './mean-summary.ts';
import { encodec, encodecmae, encodecmae2wav, idOfSeconds } from './publishers.ts';

/** Tensors that tell the transformer and the last layer of the way back, by age of the file, newest first. */
const wayBack = [
  ['decoder.trans.final_norm.weight', 'decoder.lin.weight', 'decoder.posenc.scale'],
  ['trans.final_norm.weight', 'lin.weight', 'posenc.scale'],
  ['decoder.final_norm.weight', 'decoder_proj.weight'],
];

/** An EnCodecMAE with a way from its frames back to EnCodec's. */
export const regressor: Backbone = {
  title: 'ecmae2ec regressor',
  expected: 'an ecmae2ec regressor',
  detect: (source) => {
    const part = encodecmaeIn(source);
    if (part?.prefix.endsWith('encoder') !== true) return null;
    // The regressor stands one level above its encoder.
    const above = source.under(part.prefix.replace(/(^|\.)encoder$/, ''));
    if (!wayBack.some((tensors) => tensors.every((name) => above.has(name)))) return null;
    return {
      embedder: {
        encodecmae: part,
        name: (seconds) => ({
          id: `ecmae2ec-${idOfSeconds(seconds)}`,
          title: 'ecmae2ec regressor, embeddings',
        }),
        summary: ({ frames }) => Promise.resolve(meanSummaryGraph(frames, part.dim)),
        sound: {
          none: 'Its way back to sound needs every frame of a window, and a prototype is one vector.',
        },
      },
    };
  },
  settings: [encoderHeads],
  terms: [encodecmae2wav, encodecmae, encodec],
};
