import { createHash } from 'node:crypto';
import { meansOf } from '../../models/packs/patches.ts';
import type { Tagger } from '../packs/tagger.ts';
import type { Listener } from './vectors.ts';

/**
 * What a tagger says of windows, kept and read as if it were the vectors of a space: the mean of its predictions for the
 * patches of each window.
 */
export function predictionsOf({ pack, classes, key, predict }: Tagger): Listener {
  return {
    pack: {
      manifest: { ...pack.manifest, embeddingDim: classes.length },
      encoderSha256: createHash('sha256').update(`predictions ${key}`).digest('hex'),
    },
    embed: async (waveforms, windows) => meansOf(await predict(waveforms, windows), windows, classes.length),
  };
}
