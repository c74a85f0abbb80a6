import { createHash } from 'node:crypto';
import { soundingPatches, type Tagger } from '../packs/tagger.ts';
import type { Listener } from './vectors.ts';

/**
 * What a tagger says of every patch, kept and read as if it were the vectors of a space: as in a taggram, patches that reach
 * beyond the end are left out.
 */
export function predictionsOf(tagger: Tagger): Listener {
  const { pack, classes, key, predict } = tagger;
  return {
    pack: {
      manifest: { ...pack.manifest, embeddingDim: classes.length },
      encoderSha256: createHash('sha256').update(`predictions of patches ${key}`).digest('hex'),
    },
    embed: predict,
    sounding: (validSamples) => soundingPatches(tagger, validSamples),
  };
}
