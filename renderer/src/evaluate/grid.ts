import {
  absoluteMetric,
  shareOfBest,
  targetMetric,
  type EvaluationRow,
  type EvaluationTask,
} from '../../../engine/api/evaluations.ts';

/** A column of the heat table: a probe on a data set. */
export interface GridColumn {
  dataset: string;
  probe: string;
}

/** The rows of one metric under one deformation, as a table of spaces by columns. */
export interface Grid {
  columns: GridColumn[];
  spaces: string[];
  cell: (space: string, column: GridColumn) => EvaluationRow | undefined;
  /** 0…1 among the cells of its data set, the best one 1: the highest score, or the smallest error. */
  shade: (row: EvaluationRow) => number;
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** The metric of each data set that says most: the first that was scored. */
export function metricsOf(rows: readonly EvaluationRow[]): string[] {
  return distinct(rows.map(({ metric }) => metric));
}

export const deformationsOf = (rows: readonly EvaluationRow[]): string[] =>
  distinct(rows.map(({ deformation }) => deformation));

/** @param metric where a data set has none of it, its first is shown */
export function gridOf(rows: readonly EvaluationRow[], deformation: string, metric: string): Grid {
  const metricIn = new Map<string, string>();
  for (const row of rows)
    if (row.metric === metric || !metricIn.has(row.dataset)) metricIn.set(row.dataset, row.metric);
  const ofMetric = rows.filter((row) => metricIn.get(row.dataset) === row.metric);
  const shown = ofMetric.filter((row) => row.deformation === deformation);
  const keyOf = ({ space, dataset, probe }: { space: string } & GridColumn): string =>
    JSON.stringify([space, dataset, probe]);
  const cells = new Map(shown.map((row) => [keyOf(row), row]));
  const columns = new Map(
    shown.map(({ dataset, probe }) => [JSON.stringify([dataset, probe]), { dataset, probe }]),
  );
  // Over all deformations: how much is lost is seen by the colour.
  const means = new Map<string, number[]>();
  for (const { dataset, mean } of ofMetric) means.set(dataset, [...(means.get(dataset) ?? []), mean]);
  return {
    columns: [...columns.values()],
    spaces: distinct(shown.map(({ space }) => space)),
    cell: (space, column) => cells.get(keyOf({ space, ...column })),
    shade: (row) => shareOfBest(row, means.get(row.dataset) ?? []),
  };
}

/** How a space fares over the deformations of one column: points in the order of the file, clean first. */
export function curvesOf(
  rows: readonly EvaluationRow[],
  { dataset, probe }: GridColumn,
  metric: string,
): { deformations: string[]; curves: { space: string; values: (EvaluationRow | undefined)[] }[] } {
  const own = rows.filter((row) => row.dataset === dataset && row.probe === probe);
  const shown = own.some((row) => row.metric === metric) ? metric : own[0]?.metric;
  const ofMetric = own.filter((row) => row.metric === shown);
  const deformations = deformationsOf(ofMetric);
  const curves = distinct(ofMetric.map(({ space }) => space)).map((space) => ({
    space,
    values: deformations.map((deformation) =>
      ofMetric.find((row) => row.space === space && row.deformation === deformation),
    ),
  }));
  return { deformations, curves };
}

/** What is learned in a column, by the metrics it is scored with; null where it has no scores. */
export function taskOf(
  rows: readonly EvaluationRow[],
  { dataset, probe }: Pick<EvaluationRow, 'dataset' | 'probe'>,
): EvaluationTask | null {
  const metrics = rows
    .filter((row) => row.dataset === dataset && row.probe === probe)
    .map(({ metric }) => metric);
  if (metrics.length === 0) return null;
  if (metrics.includes('weightedScore')) return 'key';
  if (metrics.some((metric) => metric.startsWith(targetMetric))) return 'mir';
  if (metrics.includes('R²') || metrics.includes(absoluteMetric)) return 'regression';
  return metrics.includes('averagePrecision') || metrics.includes('f1Micro') ? 'multi' : 'single';
}
