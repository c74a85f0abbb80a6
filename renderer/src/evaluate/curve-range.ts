import type { EvaluationRow } from '../../../engine/api/evaluations.ts';

/**
 * From where to where curves of scores are drawn, so that every interval is seen whole. Errors in the labels' unit go as far
 * as they go; shares lie within 0 and 1, in whole tenths, and what is worse than the mean of the training tracks lies at 0.
 */
export function rangeOf(
  rows: readonly Pick<EvaluationRow, 'mean' | 'interval'>[],
  absolute: boolean,
): { low: number; high: number } {
  const highest = Math.max(0, ...rows.map(({ mean, interval }) => mean + (interval ?? 0)));
  if (absolute) return { low: 0, high: Math.max(1e-9, highest) };
  const lowest = Math.min(1, ...rows.map(({ mean, interval }) => mean - (interval ?? 0)));
  // In tenths, which are whole; one that is a rounding error more than itself is that tenth.
  const low = Math.min(9, Math.max(0, Math.floor(10 * lowest + 1e-9)));
  const high = Math.min(10, Math.max(low + 1, Math.ceil(10 * highest - 1e-9)));
  return { low: low / 10, high: high / 10 };
}
