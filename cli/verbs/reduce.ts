import { statSync } from 'node:fs';
import { exportFormats, exportFormatSchema, formatsOf, type ExportFormat } from '../../engine/api/exports.ts';
import type { Reduction, ReductionScore } from '../../engine/api/reductions.ts';
import {
  classifierSchema,
  SEARCHED_SPLITS,
  type KnnClassifierId,
  type Recommendation,
  type RecommendedSet,
  type StudySplit,
} from '../../engine/api/studies.ts';
import { balanceOf, type LabelBalance, type LabelCount } from '../../engine/api/label-balance.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { isBundle } from '../../engine/bundles/is-bundle.ts';
import { methods } from '../../engine/reductions/study/methods.ts';
import { datasetLabels } from '../dataset-labels.ts';
import { list, number, seedNumber, wholeNumber } from '../options.ts';
import { parametersOf, parameterTexts, type ParameterText } from '../parameters.ts';
import { studyOfMany, studyOfOne } from '../study.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { duration, pairs, percent, table } from '../text.ts';
import type { Session } from '../session.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';
import { requireExisting } from './classify.ts';
import { parseFormats } from './export.ts';

interface Options {
  method?: string;
  within?: number;
  param: ParameterText[];
  seed: number;
  k: number;
  classifier: KnnClassifierId;
  taxonomy: string;
  level: 'track' | 'window';
  labels?: string;
  labelCount?: number;
  exclude: string[];
  missing: 'refuse' | 'drop-rows';
  testFraction: number;
  test?: string;
  formats?: string[];
  out: string;
  raw?: boolean;
  rareLabels?: boolean;
}

const onlyOfTracks = exportFormats
  .filter(({ sources }) => !sources.includes('dataset'))
  .map(({ id }) => id)
  .join(', ');

export const reduceVerb: AddVerb = (program, cli) => {
  program
    .command('reduce')
    .description(
      'Replace a labelled library or data set by a smaller set of generated prototypes, and score both.',
    )
    .argument(
      '<library dir|dataset>',
      'data folder of a library; a data set as .arff, .csv (both also .gz), .npz or .parquet; or an exported bundle',
    )
    .option(
      '--within <loss>',
      'instead of --method: try every method at several sizes on four splits, and take the smallest set whose F1 over samples is at most this much below that of the whole, e.g. 0.02',
      number(0, 1),
    )
    .option('--method <name>', `reduction method: ${methods.map(({ id }) => id).join(', ')}`)
    .option(
      '--param <value>',
      'size in per cent of the corpus, or name=value of a parameter of the method; may be repeated or parted by commas',
      parameterTexts,
      [],
    )
    .option('--seed <n>', 'seed of the split and of methods that draw', seedNumber, 1)
    .addOption(
      program
        .createOption('--classifier <name>', 'the kNN classifier that scores and is exported')
        .choices(classifierSchema.options)
        .default('lpknn'),
    )
    .option('-k <n>', 'neighbours of the kNN that scores', wholeNumber(1, 101), 1)
    .option('--taxonomy <source>', `library: where the labels come from: ${TAXONOMY_HELP}`, 'folders')
    .addOption(
      program
        .createOption('--level <level>', 'library: what is reduced')
        .choices(['track', 'window'])
        .default('track'),
    )
    .option(
      '--labels <file.xml>',
      'data set: the Mulan XML that names the labels; else one beside it is used',
    )
    .option(
      '--label-count <n>',
      'data set: how many of the last columns are 0/1 labels; 1: the last may also name the class of each row',
      wholeNumber(1, 100_000),
    )
    .option('--exclude <columns>', 'data set: columns that are neither features nor labels', list, [])
    .addOption(
      program
        .createOption('--missing <how>', 'data set: what to do with rows that miss a value')
        .choices(['refuse', 'drop-rows'])
        .default('refuse'),
    )
    .option(
      '--test-fraction <x>',
      'share held out for scoring; data set: 0 reduces all rows unscored',
      number(0, 0.9),
      0.3,
    )
    .option('--test <dataset>', 'data set: score on this file instead, and reduce all rows')
    .option(
      '--formats <list>',
      `what to write, parted by commas: ${exportFormatSchema.options.join(', ')} (${onlyOfTracks}: libraries)`,
      list,
    )
    .option(
      '--raw',
      'leave names in CSV files as they are, also where a spreadsheet would run them as formulas',
    )
    .option(
      '--rare-labels',
      'also tell what became of rare labels: IRLbl and MeanIR of the training rows and of the prototypes',
    )
    .requiredOption('--out <dir>', 'folder to write; must not exist or be empty')
    .addHelpText(
      'after',
      `
Examples:
  archetone reduce ~/archetone-music --method MChen --param 10 --taxonomy tokens --out reduced
  archetone reduce ~/archetone-music --within 0.02 --out reduced
  archetone reduce emotions-train.arff --test emotions-test.arff --method MChen --param 10 --out reduced
  archetone reduce emotions.csv.gz --label-count 6 --method MRSP2 --param p=30,variant=reference --out reduced --json`,
    )
    .action((subject: string, options: Options) =>
      cli.answer(async () => {
        const path = requireExisting(subject);
        const isLibrary = statSync(path).isDirectory() && !isBundle(path);
        return isLibrary ? reduceLibrary(cli, path, options) : reduceFile(cli, path, options);
      }),
    );
};

function reduceLibrary(cli: Cli, folder: string, options: Options): Promise<Answer> {
  const source = parseTaxonomy(options.taxonomy);
  const split = splitOf(options);
  if (split.kind !== 'holdout')
    throw new EngineError(
      'bad-input',
      'A library is reduced with tracks held out for scoring.',
      'Give --test-fraction above 0, and no --test.',
    );
  const task = taskOf(options);
  // Sounds are a matter of `archetone export --reduction`: making hundreds takes long.
  const formats = parseFormats(options.formats ?? ['csv', 'npz', 'm3u8']);
  return cli.withLibrary(folder, async (session) => {
    const { id: libraryId } = await session.library();
    const taxonomy = await taxonomyOf(session.client, libraryId, source, {
      say: (message) => cli.say(message),
      signal: session.signal,
    });
    const corpus = { kind: 'library', taxonomyId: taxonomy.id, level: options.level } as const;
    return reduce(session, libraryId, { source: corpus, split }, task, formats, options);
  });
}

/** A study lives in a library: a file gets one of its own that lasts as long as it takes. */
async function reduceFile(cli: Cli, path: string, options: Options): Promise<Answer> {
  const source = { kind: 'dataset', path, labels: datasetLabels(options) } as const;
  const { exclude, missing } = options;
  const task = taskOf(options);
  const possible = formatsOf('dataset');
  const formats = options.formats ? parseFormats(options.formats, possible) : possible;
  return cli.withoutLibrary(async (session, folder) => {
    const { id } = await session.client.call('libraries.open', { folder });
    const corpus = { source: { ...source, exclude, missing }, split: splitOf(options) };
    return reduce(session, id, corpus, task, formats, options);
  });
}

/** What is made: one reduction, or the smallest of many that loses little. */
type Task = { method: string; parameters: Record<string, number | string> } | { within: number };

function taskOf({ method, param, within }: Options): Task {
  if (within === undefined && method !== undefined)
    return { method, parameters: parametersOf(method, param) };
  if (within !== undefined && method === undefined && param.length === 0) return { within };
  throw new EngineError(
    'bad-input',
    'What is to be made is not clear.',
    'Give --method with its --param, or --within alone to try them all.',
  );
}

async function reduce(
  session: Session,
  libraryId: string,
  corpus: Pick<Parameters<typeof studyOfOne>[2], 'source' | 'split'>,
  task: Task,
  formats: readonly ExportFormat[],
  { classifier, k, seed, raw = false, out, rareLabels }: Options,
): Promise<Answer> {
  const scored = { ...corpus, classifiers: [classifier], k: [k], seed };
  const { study, reduction, recommendation } =
    'within' in task
      ? await studyOfMany(session, libraryId, scored, task.within)
      : { ...(await studyOfOne(session, libraryId, { ...scored, run: task })), recommendation: null };
  const { export: result } = await session.run('export', (client) =>
    client.call('exports.start', {
      libraryId,
      subject: { kind: 'reduction', reductionId: reduction.id },
      ...{ folder: out, formats: [...formats], seed, raw },
    }),
  );
  const shares = rareLabels
    ? await session.client.call('reductions.labelsets', { libraryId, reductionId: reduction.id })
    : null;
  const balance = shares && {
    before: balanceOf(reduction.labels, shares, ({ rows }) => rows),
    after: balanceOf(reduction.labels, shares, ({ prototypes }) => prototypes),
  };
  const notes = study.corpus?.warnings ?? [];
  const text = [
    describe(reduction),
    ...(recommendation ? [chosenAmong(recommendation)] : []),
    ...notes.map(({ message }) => `Note: ${message}`),
    ...(reduction.full && reduction.reduced ? [scores(reduction.full, reduction.reduced)] : []),
    ...(balance ? [rareLabelsText(balance)] : []),
    result.folder,
  ];
  return {
    json: {
      ...{ study, reduction, export: result },
      ...(recommendation && { recommendation }),
      ...(balance && { rareLabels: balance }),
    },
    text: text.join('\n\n'),
  };
}

/** The labels, rarest first, with what is left of each. */
function rareLabelsText({ before, after }: Record<'before' | 'after', LabelBalance>): string {
  const left = new Map(after.labels.map((label) => [label.name, label]));
  const times = (imbalance: number | null | undefined): string => imbalance?.toFixed(1) ?? '–';
  return [
    table<LabelCount>(
      [
        { title: 'label', value: ({ name }) => name },
        { title: 'rows', value: ({ count }) => String(count), align: 'right' },
        { title: 'IRLbl', value: ({ imbalance }) => times(imbalance), align: 'right' },
        {
          title: 'prototypes',
          value: ({ name, count }) => {
            const kept = left.get(name)?.count ?? 0;
            return kept === 0 && count > 0 ? 'lost' : String(kept);
          },
          align: 'right',
        },
        { title: 'IRLbl', value: ({ name }) => times(left.get(name)?.imbalance), align: 'right' },
      ],
      before.labels,
    ),
    `MeanIR ${times(before.meanImbalance)} of the training rows, ${times(after.meanImbalance)} of the prototypes`,
  ].join('\n');
}

function splitOf({ test, testFraction, within }: Options): StudySplit {
  if (test !== undefined) return { kind: 'file', path: test };
  if (testFraction > 0)
    return { kind: 'holdout', test: testFraction, repeats: within === undefined ? 1 : SEARCHED_SPLITS };
  if (within === undefined) return { kind: 'none' };
  throw new EngineError('bad-input', 'A search needs rows to score on.', 'Give --test-fraction above 0.');
}

/** The sets on the way to the one that was chosen, smallest first. */
function chosenAmong({ sets, whole, chosen, independent }: Recommendation): string {
  const end = sets.findIndex(({ reductionId }) => reductionId === chosen);
  const rows = sets.slice(0, end + 1);
  return [
    `F1 samples of the whole: ${whole.toFixed(4)}${independent ? ', on the splits that did not choose' : ''}`,
    table<RecommendedSet>(
      [
        { title: 'set', value: ({ name }) => name },
        { title: 'size', value: ({ size }) => `${size.toFixed(1)} %`, align: 'right' },
        { title: 'loss', value: ({ loss }) => loss.toFixed(4), align: 'right' },
        {
          title: 'labels lost',
          value: ({ lostLabels, labels }) =>
            lostLabels.length === labels ? 'all' : String(lostLabels.length),
          align: 'right',
        },
      ],
      rows,
    ),
  ].join('\n');
}

function describe({ id, source, corpusRows, prototypeRows, labels, seconds }: Reduction): string {
  return pairs([
    // Of a file only the bundle stays.
    ...(source.kind === 'library' ? [['reduction', id] as const] : []),
    ['rows', `${corpusRows} → ${prototypeRows} (${percent(prototypeRows / corpusRows)})`],
    ['labels', String(labels.length)],
    ['time', duration(seconds)],
  ]);
}

function scores(full: ReductionScore, reduced: ReductionScore): string {
  const rows = [
    { name: 'full set', score: full },
    { name: 'reduced set', score: reduced },
  ];
  return table<(typeof rows)[number]>(
    [
      { title: `${full.classifier} on`, value: ({ name }) => name },
      { title: 'k', value: ({ score }) => String(score.k), align: 'right' },
      { title: 'Hamming loss', value: ({ score }) => score.hammingLoss.toFixed(4), align: 'right' },
      { title: 'exact match', value: ({ score }) => percent(score.exactMatch), align: 'right' },
      { title: 'F1 samples', value: ({ score }) => percent(score.f1Samples), align: 'right' },
      { title: 'F1 macro', value: ({ score }) => percent(score.f1Macro), align: 'right' },
    ],
    rows,
  );
}
