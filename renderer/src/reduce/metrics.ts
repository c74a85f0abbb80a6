import type { MetricInfo } from '../../../engine/api/studies.ts';

/** What is worth seeing beside any other metric. */
const always = ['hammingLoss', 'f1Samples', 'f1Macro', 'exactMatch'];

/** The chosen metric first, then those always shown, of the ones that were measured. */
export function shownMetrics(measured: readonly MetricInfo[], chosen: MetricInfo): MetricInfo[] {
  const others = always.flatMap((id) => measured.find((metric) => metric.id === id) ?? []);
  return [chosen, ...others.filter(({ id }) => id !== chosen.id)];
}
