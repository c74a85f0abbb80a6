import type { Backbone } from './backbone.ts';
import { encodecmaeIn, encoderHeads } from './encodecmae-part.ts';
import { meanSummaryGraph } from './mean-summary.ts';
import { encodec, encodecmae as terms } from './publishers.ts';

/** EnCodecMAE by itself, in both of its layouts. */
export const encodecmae: Backbone = {
  title: 'EnCodecMAE',
  expected: 'an EnCodecMAE (v1 or v2)',
  detect: (source) => {
    const part = encodecmaeIn(source);
    if (part === null) return null;
    const { version, frontEnd, dim } = part;
    return {
      embedder: {
        encodecmae: part,
        name: () => ({
          id: `encodecmae-${frontEnd.id ?? version}-${dim}`,
          title: `EnCodecMAE ${version}, ${frontEnd.title}`,
        }),
        summary: ({ frames }) => Promise.resolve(meanSummaryGraph(frames, dim)),
        sound: {
          none: 'EnCodecMAE only listens: the diffusion autoencoders trained on it can also make sound.',
        },
      },
    };
  },
  settings: [encoderHeads],
  // It holds EnCodec's encoder.
  terms: [terms, encodec],
};
