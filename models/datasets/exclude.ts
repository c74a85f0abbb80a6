import { DatasetError } from './errors.ts';
import type { Dataset } from './types.ts';

/**
 * A data set without some of its features; the data set itself stays as it is. Warnings about those columns go.
 * @throws DatasetError `unknown-column`; `shape` when no feature is left
 */
export function excludeColumns(dataset: Dataset, columns: readonly string[]): Dataset {
  if (columns.length === 0) return dataset;
  const out = new Set(columns);
  const unknown = columns.find((name) => !dataset.featureNames.includes(name));
  if (unknown !== undefined)
    throw new DatasetError(
      'unknown-column',
      `${dataset.name} has no feature “${unknown}” to leave out.`,
      'Use the names of the data set exactly.',
    );
  const kept = dataset.featureNames.flatMap((name, column) => (out.has(name) ? [] : [column]));
  if (kept.length === 0)
    throw new DatasetError(
      'shape',
      `No feature of ${dataset.name} would be left.`,
      'Leave out fewer columns.',
    );
  const { count, dim } = dataset;
  const features = new Float64Array(count * kept.length);
  for (let row = 0, to = 0; row < count; row++)
    for (const column of kept) features[to++] = dataset.features[row * dim + column] as number;
  return {
    ...dataset,
    features,
    dim: kept.length,
    featureNames: kept.map((column) => dataset.featureNames[column] ?? ''),
    warnings: dataset.warnings.flatMap((warning) => {
      if (warning.columns === undefined || warning.code.includes('label')) return [warning];
      const left = warning.columns.filter((name) => !out.has(name));
      return left.length === warning.columns.length
        ? [warning]
        : left.length === 0
          ? []
          : [{ ...warning, columns: left }];
    }),
  };
}
