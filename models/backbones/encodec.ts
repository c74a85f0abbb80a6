import { encodecDecoderGraph } from '../onnx/graphs/encodec.ts';
import type { Backbone } from './backbone.ts';
import { rootOf, SEANET_FIRST } from './encodecmae-part.ts';
import { encodec as terms } from './publishers.ts';

const CODEBOOK = 'quantizer.vq.layers.0._codebook.embed';

/** EnCodec's decoder, through which the diffusion autoencoders are heard. */
export const encodec: Backbone = {
  title: 'EnCodec 24 kHz',
  expected: 'EnCodec 24 kHz',
  detect: (source) => {
    const root = rootOf(source, CODEBOOK);
    if (root?.has(`encoder.${SEANET_FIRST}`) !== true || !root.has(`decoder.${SEANET_FIRST}`)) return null;
    const decoder = root.under('decoder');
    return {
      codec: {
        featureDim: () => decoder.shape(SEANET_FIRST)[1] ?? 0,
        decoder: () => encodecDecoderGraph(decoder, { prefix: 'model' }),
      },
    };
  },
  settings: [],
  terms: [terms],
};
