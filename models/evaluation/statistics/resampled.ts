import jstat from 'jstat';
import { NumericError } from '../../numerics/errors.ts';

/** A mean over repeated splits, with its interval of 95 % and how probable such a mean is where there is nothing. */
export interface Resampled {
  mean: number;
  low: number;
  high: number;
  /** Two-sided, that the mean is 0. */
  pValue: number;
}

/**
 * The corrected resampled t-test (Nadeau & Bengio 2003): repeated random splits share tracks, so their variance counts
 * `1/n + test/train` times instead of `1/n`, which would find differences that are none.
 * @param values a figure, or the difference of two, of each split, n ≥ 2
 * @param testPerTrain test tracks per training track, ≥ 0
 * @throws NumericError `shape` for fewer than two values
 */
export function resampled(values: readonly number[], testPerTrain: number): Resampled {
  const n = values.length;
  if (n < 2) throw new NumericError('shape', `${n} splits have no interval.`, 'Take two or more.');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const error = Math.sqrt((1 / n + testPerTrain) * variance);
  const half = jstat.studentt.inv(0.975, n - 1) * error;
  // Equal values of every split leave no doubt, whichever they are.
  const certain = mean === 0 ? 1 : 0;
  const pValue = error === 0 ? certain : 2 * jstat.studentt.cdf(-Math.abs(mean) / error, n - 1);
  return { mean, low: mean - half, high: mean + half, pValue };
}
