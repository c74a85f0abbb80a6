import { predictKnn } from '../../models/knn/index.ts';
import { multilabelMetrics, perLabelReport } from '../../models/evaluation/metrics/multilabel.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { KnnAnswer } from '../api/datasets.ts';
import type { EngineContext } from '../context.ts';
import { readAsAsked, withSameColumns } from './corpus/file.ts';

/**
 * Predicts the labels of a data set's rows from the nearest rows of another, and scores the prediction.
 * @throws DatasetError; EngineError `bad-input` when the columns differ; NumericError for a bad `k`; the signal's reason
 */
export async function scoreKnn(
  { readers }: Pick<EngineContext, 'readers'>,
  { train: trainPath, test: testPath, classifier, k, metric, ...reading }: ParsedInput<'datasets.knn'>,
  signal: AbortSignal,
): Promise<KnnAnswer> {
  const started = performance.now();
  const options = { ask: readers.ask, signal };
  const train = await readAsAsked(trainPath, reading, options);
  const test = withSameColumns(train, await readAsAsked(testPath, reading, options), testPath);
  const read = (performance.now() - started) / 1000;
  const before = process.cpuUsage();
  const begun = performance.now();
  const { labels, scores } = await predictKnn(classifier, train, test, { k, metric, signal });
  const predict = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    train: { rows: train.count, features: train.dim },
    test: { rows: test.count },
    labels: test.labelNames,
    metrics: { ...multilabelMetrics(test.labels, labels, test.count, test.labelNames.length, scores) },
    perLabel: perLabelReport(test.labels, labels, test.count, test.labelNames),
    seconds: { read, predict, predictProcessor: (user + system) / 1e6 },
    warnings: [...train.warnings, ...test.warnings].map(({ code, message, columns = [] }) => ({
      code,
      message,
      columns,
    })),
  };
}
