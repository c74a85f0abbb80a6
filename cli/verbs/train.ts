import {
  channelWeightings,
  prototypeLosses,
  type ClassReport,
  type Experiment,
  type LabelThreshold,
  type Metrics,
} from '../../engine/api/experiments.ts';
import {
  viewHeads,
  viewWeightings,
  type BlendPoint,
  type ExperimentView,
  type ViewsRequest,
} from '../../engine/api/views.ts';
import { metricNames, untested, type MetricName } from '../../engine/api/metric-names.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { list, number, seedNumber, wholeNumber } from '../options.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { duration, pairs, percent, someOf, table } from '../text.ts';
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
  prototypeLoss?: (typeof prototypeLosses)[number];
  coverage?: number;
  channelWeights?: (typeof channelWeightings)[number];
  groupBy?: 'track' | 'artist' | 'album' | 'folder';
  minimumTracks?: number;
  classes?: string[];
  rest?: true;
  view?: string[];
  weighting?: ViewsRequest['weighting'];
  head?: ViewsRequest['head'];
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
        .createOption(
          '--prototype-loss <kind>',
          'class: prototypes are drawn to windows of their class; two-sided: to any, and windows to them (APNet)',
        )
        .choices(prototypeLosses),
    )
    .option('--coverage <x>', "of a two-sided loss the share of the windows' side, 0 to 1", number(0, 1))
    .addOption(
      program
        .createOption('--channel-weights <kind>', 'learned: every number of a prototype has a weight (APNet)')
        .choices(channelWeightings),
    )
    .addOption(
      program
        .createOption('--group-by <what>', 'tracks of one group never cross the split')
        .choices(['track', 'artist', 'album', 'folder']),
    )
    .option('--minimum-tracks <n>', 'classes with fewer tracks are left out', wholeNumber(1, 1_000_000))
    .option('--classes <names>', 'learn only these, parted by commas', list)
    .option('--rest', 'with --classes: all other labelled tracks are one class together')
    .addOption(
      program
        .createOption(
          '--view <space>',
          'look at this space and others together, by pack or key; once for each view',
        )
        .argParser((name: string, before: string[] | undefined) => [...(before ?? []), name]),
    )
    .addOption(
      program
        .createOption(
          '--weighting <kind>',
          `how the losses of views are weighted: ${inWords(viewWeightings)}`,
        )
        .choices(Object.keys(viewWeightings)),
    )
    .addOption(
      program
        .createOption('--head <kind>', `the joint head of several views: ${inWords(viewHeads)}`)
        .choices(Object.keys(viewHeads)),
    )
    .addHelpText(
      'after',
      `
Examples:
  archetone train --library ~/archetone-music --taxonomy folders
  archetone train --library ~/archetone-music --taxonomy folders --classes bass --rest
  archetone train --library ~/archetone-music --taxonomy csv:labels.csv --task multi --prototypes 8 --json
  archetone train --library ~/archetone-music --taxonomy folders --view compact --view modulation --view mfcc`,
    )
    .action((options: Options) =>
      cli.answer(async () => {
        const source = parseTaxonomy(options.taxonomy);
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const training = trainingOptions(options);
          const taxonomy = await taxonomyOf(session.client, libraryId, source, {
            say: (message) => cli.say(message),
            signal: session.signal,
          });
          const request = { taxonomyId: taxonomy.id, ...training };
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

/** “p1: blend by losses, …” */
function inWords(table: Readonly<Record<string, string>>): string {
  return Object.entries(table)
    .map(([name, says]) => `${name}: ${says}`)
    .join(', ');
}

function viewsOf({ view, weighting, head }: Options) {
  if (view) return { views: { spaces: view, ...given({ weighting, head }) } };
  if (weighting !== undefined || head !== undefined)
    throw new EngineError(
      'bad-input',
      '--weighting and --head are of a training of several views, and no --view is given.',
      'Name the views, or leave these options out.',
    );
  return {};
}

function trainingOptions(options: Options) {
  if (options.rest && !options.classes)
    throw new EngineError(
      'bad-input',
      '--rest is what --classes leave over, and no --classes are given.',
      'Name the classes, or leave --rest out.',
    );
  const { prototypes, seed, task, steps, batch, learningRate, lambda, temperature, adaptor } = options;
  const { groupBy, minimumTracks, initialisation, projection, classes, rest } = options;
  const { prototypeLoss, coverage, channelWeights } = options;
  return {
    prototypesPerClass: prototypes,
    seed,
    task,
    ...given({ steps, batchSize: batch, learningRate, lambda, temperature }),
    ...given({ adaptor, initialisation, projection, groupBy, minimumTracks, classes }),
    ...given({ prototypeLoss, coverage, channelWeights }),
    ...(rest ? { others: 'one-class' as const } : {}),
    ...viewsOf(options),
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
  const notTested = counts.test.tracks === 0 ? 'any class' : someOf(untested(experiment));
  const head = pairs([
    ['experiment', experiment.id],
    ['taxonomy', `${experiment.taxonomyName}, ${counted(experiment.classes.length, 'class', 'classes')}`],
    ...(experiment.droppedClasses.length === 0
      ? []
      : [['left out', `${someOf(experiment.droppedClasses)} (too few tracks)`] as const]),
    ...(notTested === '' ? [] : [['not tested', `${notTested} (${whyUntested(experiment)})`] as const]),
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
  return [head, scores, viewsText(experiment), perClass].filter((part) => part !== '').join('\n\n');
}

function whyUntested({ parameters: { task, groupBy } }: Experiment): string {
  const why = task === 'single' ? `; a class of fewer than three ${groupBy}s is learned from as a whole` : '';
  return `no test track bears them${why}`;
}

/** The views of an experiment, each on its own, and what weighed in the end; empty where it looks at one space. */
function viewsText({ views }: Experiment): string {
  if (views === null) return '';
  const last = views.blend.at(-1);
  const rows = [
    ...views.views.map((view, v) => ({ name: view.space.packId, view, ...branch(last, v) })),
    { name: 'together (joint head)', view: null, ...branch(last, views.views.length) },
  ];
  const figure = (of: (row: (typeof rows)[number]) => number | undefined) => (row: (typeof rows)[number]) =>
    of(row)?.toFixed(4) ?? '–';
  const share = (part: keyof ExperimentView['accuracy']) => (row: (typeof rows)[number]) => {
    const value = row.view?.accuracy[part] ?? null;
    return value === null ? '' : percent(value);
  };
  const text = table(
    [
      { title: 'view', value: (row) => row.name },
      { title: 'alone: test', value: share('test'), align: 'right' },
      { title: 'validation', value: share('validation'), align: 'right' },
      { title: 'train', value: share('train'), align: 'right' },
      { title: 'weight', value: figure((row) => row.weight), align: 'right' },
      { title: 'G', value: figure((row) => row.generalisation), align: 'right' },
      { title: 'O', value: figure((row) => row.overfitting), align: 'right' },
      { title: '', value: (row) => (row.view?.overfitting === true ? 'is overfitting' : '') },
    ],
    rows,
  );
  const { tracks, listed } = views.lacking;
  const names = views.views.map(({ space }) => space.packId);
  const lacking = listed
    .slice(0, MOST_LACKING)
    .map(({ path, views: lacks }) => `  ${path} (not in ${lacks.map((v) => names[v] ?? '').join(', ')})`);
  const note =
    tracks === 0
      ? []
      : [
          `Without a view: ${counted(tracks, 'track')}, not learned from, and classified by the other views:`,
          ...lacking,
        ];
  return [text, ...views.notes, note.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** Tracks without a view that are printed; all stand in the JSON. */
const MOST_LACKING = 10;

function branch(point: BlendPoint | undefined, b: number) {
  const { weights, generalisation, overfitting } = point ?? {};
  return { weight: weights?.[b], generalisation: generalisation?.[b], overfitting: overfitting?.[b] };
}

/** A figure of a split as people read it. */
function figureText(key: MetricName['key'], value: number | null): string {
  if (value === null) return '–';
  return key === 'hammingLoss' ? value.toFixed(4) : percent(value);
}

function thresholdText(threshold: LabelThreshold | undefined): string {
  return threshold ? `${threshold.value.toFixed(3)} ${threshold.source}` : '–';
}
