import { readDataset } from '../../engine/datasets/read.ts';
import type { Dataset, LabelChoice } from '../../models/datasets/index.ts';
import { knnClassifiers, predictKnn, type KnnClassifier } from '../../models/knn/index.ts';
import {
  multilabelMetrics,
  perLabelReport,
  type MultilabelMetrics,
} from '../../models/evaluation/metrics/multilabel.ts';
import type { Metric } from '../../models/neighbours/brute.ts';
import type { RankingMetrics } from '../../models/evaluation/metrics/ranking.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { withSameColumns } from '../../engine/reductions/corpus/file.ts';
import { list, wholeNumber } from '../options.ts';
import { pairs, percent, table } from '../text.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options {
  train: string;
  test: string;
  classifier: KnnClassifier;
  k: number;
  metric: Metric;
  metrics: 'main' | 'all';
  labels?: string;
  labelCount?: number;
  exclude: string[];
  missing: 'refuse' | 'drop-rows';
}

type Metrics = MultilabelMetrics & RankingMetrics;
/** What is told without `--metrics all`. */
const mainMetrics = ['hammingLoss', 'exactMatch', 'accuracy', 'f1Samples', 'f1Micro', 'f1Macro'] as const;
/** Losses and counts are no shares of anything, and read better as plain numbers. */
const plainMetrics = new Set<keyof Metrics>([
  'hammingLoss',
  'rankingLoss',
  'rankingLossHard',
  'oneError',
  'coverage',
]);

export const knnVerb: AddVerb = (program, cli) => {
  program
    .command('knn')
    .description(
      'Predict the labels of one data set from the nearest rows of another, and score the prediction.',
    )
    .requiredOption(
      '--train <dataset>',
      'rows to learn from: .arff, .csv (both also .gz), .npz, .parquet, or a bundle',
    )
    .requiredOption('--test <dataset>', 'rows to predict, with the same features and labels')
    .addOption(
      program
        .createOption('--classifier <name>', 'kNN classifier')
        .choices(knnClassifiers.map(({ name }) => name))
        .default('lpknn'),
    )
    .option('-k, --k <n>', 'neighbours, at most the rows of --train', wholeNumber(1, 1_000_000), 1)
    .addOption(
      program
        .createOption('--metric <name>', 'distance between rows')
        .choices(['euclidean', 'cosine'])
        .default('euclidean'),
    )
    .addOption(
      program
        .createOption('--metrics <which>', 'all adds every measure and a report of every label')
        .choices(['main', 'all'])
        .default('main'),
    )
    .option('--labels <file.xml>', 'the Mulan XML that names the labels; else one beside each file is used')
    .option(
      '--label-count <n>',
      'how many of the last columns are 0/1 labels; 1: the last may also name the class of each row',
      wholeNumber(1, 100_000),
    )
    .option('--exclude <columns>', 'columns that are neither features nor labels', list, [])
    .addOption(
      program
        .createOption('--missing <how>', 'what to do with rows that miss a value')
        .choices(['refuse', 'drop-rows'])
        .default('refuse'),
    )
    .addHelpText(
      'after',
      `
Examples:
  archetone knn --train emotions-train.arff --test emotions-test.arff --labels emotions.xml --classifier mlknn --k 5
  archetone knn --train train.csv.gz --test test.csv.gz --label-count 6 --classifier brknn-a --k 3 --metrics all --json`,
    )
    .action((options: Options) => cli.answer(() => predictAndScore(cli, options)));
};

async function predictAndScore(cli: Cli, options: Options): Promise<Answer> {
  const { signal } = cli.interrupt;
  const { classifier, k, metric } = options;
  const started = performance.now();
  const train = await read(cli, options.train, options);
  const test = withSameColumns(train, await read(cli, options.test, options), options.test);
  const readSeconds = (performance.now() - started) / 1000;
  const before = process.cpuUsage();
  const begun = performance.now();
  const { labels, scores } = await predictKnn(classifier, train, test, { k, metric, signal });
  const predictSeconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const all = multilabelMetrics(test.labels, labels, test.count, test.labelNames.length, scores);
  const names = options.metrics === 'all' ? metricNames(all) : mainMetrics;
  const metrics = Object.fromEntries(names.map((name) => [name, all[name]]));
  const perLabel = perLabelReport(test.labels, labels, test.count, test.labelNames);
  const json = {
    train: { path: options.train, rows: train.count, features: train.dim },
    test: { path: options.test, rows: test.count },
    labels: test.labelNames,
    parameters: { classifier, k, metric },
    metrics,
    ...(options.metrics === 'all' && { perLabel }),
    seconds: { read: readSeconds, predict: predictSeconds, predictProcessor: (user + system) / 1e6 },
    warnings: [...train.warnings, ...test.warnings],
  };
  const facts = pairs([
    ['classifier', `${classifier}, k = ${k}, ${metric}`],
    ['rows', `${train.count} to learn from, ${test.count} predicted`],
    ['time', `${predictSeconds.toFixed(2)} s`],
  ]);
  const notes = new Set(json.warnings.map(({ message }) => `Note: ${message}`));
  const figures = pairs(names.map((name) => [titleOf(name), shown(name, all[name])]));
  const text = [facts, ...notes, figures, ...(options.metrics === 'all' ? [labelTable(perLabel)] : [])];
  return { json, text: text.join('\n\n') };
}

function read({ places, interrupt }: Cli, path: string, options: Options): Promise<Dataset> {
  const { labels, labelCount, exclude, missing } = options;
  if (labels !== undefined && labelCount !== undefined)
    throw new EngineError('bad-input', 'Labels are told twice.', 'Give --labels or --label-count, not both.');
  const choice: LabelChoice | undefined =
    labels !== undefined
      ? { kind: 'xml', path: labels }
      : labelCount !== undefined
        ? { kind: 'last', count: labelCount }
        : undefined;
  const { parquetWorker } = places;
  const { signal } = interrupt;
  return readDataset(requireExisting(path), { labels: choice, exclude, missing, parquetWorker, signal });
}

function metricNames(metrics: Metrics): (keyof Metrics)[] {
  // The object was made with these keys and no others.
  return Object.keys(metrics) as (keyof Metrics)[];
}

/** `f1Samples` → `F1 samples`. */
function titleOf(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/^f1/, 'F1');
}

function shown(name: keyof Metrics, value: number): string {
  return plainMetrics.has(name) ? value.toFixed(4) : percent(value);
}

function labelTable(reports: ReturnType<typeof perLabelReport>): string {
  return table<(typeof reports)[number]>(
    [
      { title: 'label', value: ({ label }) => label },
      { title: 'rows', value: ({ support }) => String(support), align: 'right' },
      { title: 'predicted', value: ({ predicted }) => String(predicted), align: 'right' },
      { title: 'right', value: ({ hits }) => String(hits), align: 'right' },
      { title: 'precision', value: ({ precision }) => percent(precision), align: 'right' },
      { title: 'recall', value: ({ recall }) => percent(recall), align: 'right' },
      { title: 'F1', value: ({ f1 }) => percent(f1), align: 'right' },
    ],
    reports,
  );
}
