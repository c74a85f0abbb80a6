import type { ClassReport, Experiment, LabelThreshold, Metrics } from '../../engine/api/experiments.ts';
import { metricNames, type MetricName } from '../../engine/api/metric-names.ts';
import { list, number, seedNumber, wholeNumber } from '../options.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { duration, pairs, percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options {
  library: string;
  taxonomy: string;
  prototypes: number;
  seed: number;
  task: 'single' | 'multi';
  steps?: number;
  batch?: number;
  learningRate?: number;
  lambda?: number;
  temperature?: number;
  adaptor?: 'none' | 'transformer';
  initialisation?: 'kmeans' | 'medoid';
  projection?: 'none' | 'nearest';
  groupBy?: 'track' | 'artist' | 'album' | 'folder';
  minimumTracks?: number;
  classes?: string[];
  rest?: true;
}

export const trainVerb: AddVerb = (program, cli) => {
  program
    .command('train')
    .description(
      'Train a prototype network on the labels of a library, score it by track, classify every track.',
    )
    .requiredOption('--library <dir>', "folder with the library's data")
    .requiredOption('--taxonomy <source>', `where the labels come from: ${TAXONOMY_HELP}`)
    .option('--prototypes <n>', 'prototypes per class', wholeNumber(1, 100), 5)
    .option('--seed <n>', 'the same seed gives the same network', seedNumber, 1)
    .addOption(
      program
        .createOption('--task <task>', 'single: one class a track (the first label); multi: any number')
        .choices(['single', 'multi'])
        .default('single'),
    )
    .option('--steps <n>', 'training steps', wholeNumber(1, 200_000))
    .option('--batch <n>', 'windows per step', wholeNumber(1, 4096))
    .option('--learning-rate <x>', 'highest learning rate', number(0, 10, false))
    .option('--lambda <x>', 'weight of the classification loss, 0 to 1', number(0, 1))
    .option('--temperature <x>', 'τ of the softmax', number(0, 10, false))
    .addOption(
      program
        .createOption('--adaptor <kind>', 'layer in front of the prototypes')
        .choices(['none', 'transformer']),
    )
    .addOption(
      program
        .createOption('--initialisation <kind>', 'where prototypes start: k-means centroids, or real windows')
        .choices(['kmeans', 'medoid']),
    )
    .addOption(
      program
        .createOption('--projection <kind>', 'nearest: put trained prototypes onto real windows')
        .choices(['none', 'nearest']),
    )
    .addOption(
      program
        .createOption('--group-by <what>', 'tracks of one group never cross the split')
        .choices(['track', 'artist', 'album', 'folder']),
    )
    .option('--minimum-tracks <n>', 'classes with fewer tracks are left out', wholeNumber(1, 1_000_000))
    .option('--classes <names>', 'learn only these, parted by commas', list)
    .option('--rest', 'with --classes: all other labelled tracks are one class together')
    .addHelpText(
      'after',
      `
Examples:
  archetone train --library ~/archetone-music --taxonomy folders
  archetone train --library ~/archetone-music --taxonomy folders --classes bass --rest
  archetone train --library ~/archetone-music --taxonomy csv:labels.csv --task multi --prototypes 8 --json`,
    )
    .action((options: Options) =>
      cli.answer(async () => {
        const source = parseTaxonomy(options.taxonomy);
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const taxonomy = await taxonomyOf(session.client, libraryId, source, {
            say: (message) => cli.say(message),
            signal: session.signal,
          });
          const request = { taxonomyId: taxonomy.id, ...trainingOptions(options) };
          const { experimentId } = await session.run('train', (client) =>
            client.call('experiments.train', { libraryId, request }),
          );
          const experiment = await session.client.call('experiments.get', { libraryId, experimentId });
          return {
            json: { experiment, taxonomy },
            text: describeExperiment(experiment),
          };
        });
      }),
    );
};

function trainingOptions(options: Options) {
  const { prototypes, seed, task, steps, batch, learningRate, lambda, temperature, adaptor } = options;
  const { groupBy, minimumTracks, initialisation, projection, classes, rest } = options;
  return {
    prototypesPerClass: prototypes,
    seed,
    task,
    ...given({ steps, batchSize: batch, learningRate, lambda, temperature }),
    ...given({ adaptor, initialisation, projection, groupBy, minimumTracks, classes }),
    ...(rest ? { others: 'one-class' as const } : {}),
  };
}

/** Without what was not given, so that the engine's defaults apply. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Experiment, metrics and the report per class, for people. */
function describeExperiment(experiment: Experiment): string {
  const { classes, counts, thresholds } = experiment;
  const head = pairs([
    ['experiment', experiment.id],
    ['taxonomy', `${experiment.taxonomyName}, ${experiment.classes.length} classes`],
    ...(experiment.droppedClasses.length === 0
      ? []
      : [['left out', `${experiment.droppedClasses.join(', ')} (too few tracks)`] as const]),
    [
      'tracks',
      `${counts.train.tracks} train, ${counts.validation.tracks} validation, ${counts.test.tracks} test`,
    ],
    ['time', duration(experiment.seconds)],
  ]);
  const scores = table<Metrics>(
    [
      { title: 'split', value: (m) => m.split },
      { title: 'tracks', value: (m) => String(m.tracks), align: 'right' },
      ...metricNames[experiment.parameters.task].map(({ key, title }) => ({
        title,
        value: (m: Metrics) => figureText(key, m[key]),
        align: 'right' as const,
      })),
    ],
    experiment.metrics,
  );
  const test = experiment.metrics.find((metrics) => metrics.split === 'test');
  const perClass = test
    ? table(
        [
          { title: 'class', value: (row) => row.class },
          { title: 'precision', value: (row) => percent(row.precision), align: 'right' },
          { title: 'recall', value: (row) => percent(row.recall), align: 'right' },
          { title: 'F1', value: (row) => percent(row.f1), align: 'right' },
          ...(thresholds === null
            ? []
            : [
                {
                  title: 'threshold',
                  value: (row: ClassReport) => thresholdText(thresholds[classes.indexOf(row.class)]),
                  align: 'right' as const,
                },
              ]),
          { title: 'tracks', value: (row) => String(row.support), align: 'right' },
        ],
        test.perClass,
      )
    : '';
  return [head, scores, perClass].filter((part) => part !== '').join('\n\n');
}

/** A figure of a split as people read it. */
function figureText(key: MetricName['key'], value: number | null): string {
  if (value === null) return '–';
  return key === 'hammingLoss' ? value.toFixed(4) : percent(value);
}

function thresholdText(threshold: LabelThreshold | undefined): string {
  return threshold ? `${threshold.value.toFixed(3)} ${threshold.source}` : '–';
}
