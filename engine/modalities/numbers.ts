import { modalities, type Modality } from '../../models/modalities/kinds.ts';
import type { SharedModel } from '../../models/modalities/projection.ts';
import { WORD_BUCKETS } from '../../models/modalities/words.ts';
import { EngineError } from '../api/errors.ts';
import type { SharedCard } from '../library/shared-spaces.ts';

/** The numbers of a common space: what leads into it, and where covers lie in it. */
export interface SharedNumbers {
  model: SharedModel;
  /** How rare places of words are; null where there are no words. */
  rare: Float32Array | null;
  /** `[covers, dim]` */
  covers: Float32Array;
}

type Layout = Pick<SharedCard, 'inputs' | 'classes' | 'covers'> & { settings: { dim: number } };

/** One after the other: mean and matrix of each modality, class vectors, rarity of words, covers. */
export function packNumbers({ model, rare, covers }: SharedNumbers): Float32Array {
  const parts = [
    ...modalities.flatMap((of) => {
      const own = model.projections[of];
      return own ? [own.mean, own.matrix] : [];
    }),
    model.prototypes,
    rare ?? new Float32Array(0),
    covers,
  ];
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The inverse of {@link packNumbers}. @throws EngineError `database` where they are not as many as the card says */
export function unpackNumbers(
  numbers: Float32Array,
  { inputs, classes, covers, settings }: Layout,
): SharedNumbers {
  const { dim } = settings;
  let at = 0;
  const take = (length: number): Float32Array => numbers.subarray(at, (at += length));
  const projections: SharedModel['projections'] = {};
  for (const of of modalities) {
    const width = inputs[of satisfies Modality];
    if (width !== undefined) projections[of] = { mean: take(width), matrix: take(width * dim) };
  }
  const model = { dim, projections, prototypes: take(classes.length * dim) };
  const rare = inputs.words === undefined ? null : take(WORD_BUCKETS);
  const unpacked = { model, rare, covers: take(covers.length * dim) };
  if (at === numbers.length) return unpacked;
  throw new EngineError(
    'database',
    'The numbers of this space are not whole.',
    'Forget it, and learn it again.',
  );
}
