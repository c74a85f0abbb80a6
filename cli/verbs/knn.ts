import { resolve } from 'node:path';
import type { LabelScore } from '../../engine/api/datasets.ts';
import { classifierSchema, type KnnClassifierId } from '../../engine/api/studies.ts';
import { datasetLabels } from '../dataset-labels.ts';
import { list, wholeNumber } from '../options.ts';
import { pairs, percent, table } from '../text.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options {
  train: string;
  test: string;
  classifier: KnnClassifierId;
  k: number;
  metric: 'euclidean' | 'cosine';
  metrics: 'main' | 'all';
  labels?: string;
  labelCount?: number;
  exclude: string[];
  missing: 'refuse' | 'drop-rows';
}

/** What is told without `--metrics all`. */
const mainMetrics = ['hammingLoss', 'exactMatch', 'accuracy', 'f1Samples', 'f1Micro', 'f1Macro'];
/** Losses and counts are no shares of anything, and read better as plain numbers. */
const plainMetrics = new Set(['hammingLoss', 'rankingLoss', 'rankingLossHard', 'oneError', 'coverage']);

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
        .choices(classifierSchema.options)
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
  const { classifier, k, metric, exclude, missing } = options;
  const [train, test] = [resolve(requireExisting(options.train)), resolve(requireExisting(options.test))];
  const request = { train, test, classifier, k, metric, labels: datasetLabels(options), exclude, missing };
  const found = await cli.withoutLibrary(({ client, signal }) =>
    client.call('datasets.knn', request, { signal }),
  );
  const { seconds, perLabel, warnings } = found;
  const all = options.metrics === 'all';
  const names = all ? Object.keys(found.metrics) : mainMetrics;
  const metrics = Object.fromEntries(names.map((name) => [name, found.metrics[name] ?? 0]));
  const json = {
    train: { path: options.train, ...found.train },
    test: { path: options.test, ...found.test },
    labels: found.labels,
    parameters: { classifier, k, metric },
    metrics,
    ...(all && { perLabel }),
    ...{ seconds, warnings },
  };
  const facts = pairs([
    ['classifier', `${classifier}, k = ${k}, ${metric}`],
    ['rows', `${found.train.rows} to learn from, ${found.test.rows} predicted`],
    ['time', `${seconds.predict.toFixed(2)} s`],
  ]);
  const notes = new Set(warnings.map(({ message }) => `Note: ${message}`));
  const figures = pairs(Object.entries(metrics).map(([name, value]) => [titleOf(name), shown(name, value)]));
  return { json, text: [facts, ...notes, figures, ...(all ? [labelTable(perLabel)] : [])].join('\n\n') };
}

/** `f1Samples` → `F1 samples`. */
function titleOf(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/^f1/, 'F1');
}

function shown(name: string, value: number): string {
  return plainMetrics.has(name) ? value.toFixed(4) : percent(value);
}

function labelTable(reports: readonly LabelScore[]): string {
  return table<LabelScore>(
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
