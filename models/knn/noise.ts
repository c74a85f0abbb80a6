import { NumericError } from '../numerics/errors.ts';
import { PythonRandom } from '../numerics/python-random.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';

/**
 * `proper`: `percent` % of the rows take part in swaps, drawn from the clean labels.
 * `cumulative`: what the reference program does: it walks 20, 40, 60 … up to `percent` and swaps at every step on top
 * of the steps before, so that 40 % touches more rows than 40 % (golden/multilabel/SPEC.md §8). For comparison only.
 */
export type NoiseVariant = 'proper' | 'cumulative';

export interface NoiseOptions {
  /** 0..100: share of rows whose labelset is swapped with another row's. */
  percent: number;
  /** Non-negative safe integer. 123 with `cumulative` gives the swaps of the golden files. */
  seed: number;
  variant: NoiseVariant;
}

/** Step of the reference's noise levels, per cent. */
const referenceStep = 20;

/**
 * Label noise as in the paper: pairs of rows swap their whole labelsets, so that label counts stay as they are.
 * Features are shared with the input, which is left unchanged.
 * @throws NumericError `bad-parameter` for a percentage outside 0..100 or a bad seed.
 */
export function addLabelNoise(set: LabelledVectors, options: NoiseOptions): LabelledVectors {
  const width = set.labelNames.length;
  const labels = new Uint8Array(set.labels.length);
  noisePermutation(set.count, options).forEach((source, row) =>
    labels.set(set.labels.subarray(source * width, (source + 1) * width), row * width),
  );
  return { ...set, labels };
}

/**
 * Which row's labelset each row gets.
 * @returns `[count]`: row `i` gets the labelset of row `result[i]`.
 * @throws as {@link addLabelNoise}.
 */
export function noisePermutation(count: number, { percent, seed, variant }: NoiseOptions): Int32Array {
  if (!(percent >= 0 && percent <= 100))
    throw new NumericError(
      'bad-parameter',
      `Noise of ${percent} % cannot be made.`,
      'Give 0 to 100 per cent.',
    );
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new NumericError('bad-parameter', `The seed ${seed} is no whole number of at least 0.`, 'Try 123.');
  const random = new PythonRandom(seed);
  const source = Int32Array.from({ length: count }, (_, row) => row);
  for (const level of variant === 'cumulative' ? stepsTo(percent) : [percent]) {
    const drawn = random.sample(count, Math.min(count - (count % 2), swappedRows(level, count)));
    for (let i = 0; i < drawn.length / 2; i++) {
      const [a, b] = [at(drawn, i), at(drawn, drawn.length - 1 - i)];
      [source[a], source[b]] = [at(source, b), at(source, a)];
    }
  }
  return source;
}

function stepsTo(percent: number): number[] {
  const steps: number[] = [];
  for (let level = referenceStep; level < percent; level += referenceStep) steps.push(level);
  return [...steps, percent];
}

/** Twice `percent · count / 200`, rounded half to even as Python does. */
function swappedRows(percent: number, count: number): number {
  const pairs = (percent * count) / 200;
  const low = Math.floor(pairs);
  const up = pairs - low > 0.5 || (pairs - low === 0.5 && low % 2 === 1);
  return 2 * (up ? low + 1 : low);
}
