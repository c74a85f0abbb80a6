import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE } from '../../models/datasets/index.ts';
import { knnClassifiers, type KnnClassifier } from '../../models/knn/index.ts';
import { reductionMethods } from '../../models/reduction/index.ts';
import { exportFormatSchema } from '../../engine/api/exports.ts';
import type { Reduction, ReductionScore } from '../../engine/api/domain.ts';
import { EngineError } from '../../engine/api/errors.ts';
import {
  datasetFormats,
  reduceDataset,
  type DatasetReduction,
  type DatasetRequest,
} from '../../engine/reductions/dataset.ts';
import { list, number, seedNumber, wholeNumber } from '../options.ts';
import { parametersOf, parameterTexts, type ParameterText } from '../parameters.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { duration, pairs, percent, table } from '../text.ts';
import type { Session } from '../session.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';
import { requireExisting } from './classify.ts';
import { parseFormats } from './export.ts';

interface Options {
  method: string;
  param: ParameterText[];
  seed: number;
  k: number;
  classifier: KnnClassifier;
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
}

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
    .requiredOption(
      '--method <name>',
      `reduction method: ${reductionMethods.map(({ name }) => name).join(', ')}`,
    )
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
        .choices(knnClassifiers.map(({ name }) => name))
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
      'data set: how many of the last columns are 0/1 labels',
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
      `what to write, parted by commas: ${exportFormatSchema.options.join(', ')} (wav, m3u8: libraries)`,
      list,
    )
    .option(
      '--raw',
      'leave names in CSV files as they are, also where a spreadsheet would run them as formulas',
    )
    .requiredOption('--out <dir>', 'folder to write; must not exist or be empty')
    .addHelpText(
      'after',
      `
Examples:
  archetone reduce ~/archetone-music --method MChen --param 10 --taxonomy tokens --out reduced
  archetone reduce emotions-train.arff --test emotions-test.arff --method MChen --param 10 --out reduced
  archetone reduce emotions.csv.gz --label-count 6 --method MRSP2 --param p=30,variant=reference --out reduced --json`,
    )
    .action((subject: string, options: Options) =>
      cli.answer(async () => {
        const path = requireExisting(subject);
        const isLibrary = statSync(path).isDirectory() && !existsSync(join(path, MANIFEST_FILE));
        return isLibrary ? reduceLibrary(cli, path, options) : reduceFile(cli, path, options);
      }),
    );
};

function reduceLibrary(cli: Cli, folder: string, options: Options): Promise<Answer> {
  const source = parseTaxonomy(options.taxonomy);
  if (options.testFraction === 0)
    throw new EngineError(
      'bad-input',
      'A library is reduced with tracks held out for scoring.',
      'Give --test-fraction above 0.',
    );
  const parameters = parametersOf(options.method, options.param);
  // Sounds are a matter of `archetone export --reduction`: making hundreds takes long.
  const formats = parseFormats(options.formats ?? ['csv', 'npz', 'm3u8']);
  return cli.withLibrary(folder, async (session) => {
    const { id: libraryId } = await session.library();
    const taxonomy = await taxonomyOf(session.client, libraryId, source, {
      say: (message) => cli.say(message),
      signal: session.signal,
    });
    const reduction = await reduceTaxonomy(session, libraryId, taxonomy.id, parameters, options);
    const { export: result } = await session.run('export', (client) =>
      client.call('exports.start', {
        libraryId,
        subject: { kind: 'reduction', reductionId: reduction.id },
        folder: options.out,
        formats,
        seed: options.seed,
        raw: options.raw ?? false,
      }),
    );
    return {
      json: { reduction, export: result },
      text: `${describe(reduction)}\n\n${scores(reduction)}\n\n${result.folder}`,
    };
  });
}

/** A reduction made alone takes a size and is scored with LP-kNN; anything else is a study of one reduction. */
async function reduceTaxonomy(
  session: Session,
  libraryId: string,
  taxonomyId: string,
  parameters: Record<string, number | string>,
  { method, level, k, seed, classifier, testFraction }: Options,
): Promise<Reduction> {
  const { p = 10, ...named } = parameters;
  if (classifier === 'lpknn' && Object.keys(named).length === 0) {
    const split = { train: 1 - testFraction, validation: 0, test: testFraction };
    const request = { taxonomyId, level, method, percent: Number(p), k, seed, split };
    const { reductionId } = await session.run('reduce', (client) =>
      client.call('reductions.start', { libraryId, request }),
    );
    return found(await session.client.call('reductions.list', { libraryId }), ({ id }) => id === reductionId);
  }
  const { studyId } = await session.run('study', (client) =>
    client.call('reductions.study', {
      libraryId,
      request: {
        source: { kind: 'library', taxonomyId, level },
        runs: [{ method, parameters }],
        classifiers: [classifier],
        k: [k],
        split: { kind: 'holdout', test: testFraction, repeats: 1 },
        seed,
      },
    }),
  );
  return found(await session.client.call('reductions.list', { libraryId, studyId }), () => true);
}

function found(reductions: readonly Reduction[], is: (reduction: Reduction) => boolean): Reduction {
  const reduction = reductions.find(is);
  if (!reduction)
    throw new EngineError(
      'reduction',
      'The method refused this data.',
      'See the study in the window for its reason.',
    );
  return reduction;
}

async function reduceFile(cli: Cli, path: string, options: Options): Promise<Answer> {
  try {
    const reduction = await reduceDataset(path, datasetRequest(options, cli.places.version), {
      parquetWorker: cli.places.parquetWorker,
      signal: cli.interrupt.signal,
      onProgress: (done) =>
        cli.progress.show(options.method, {
          done: Math.floor(done * 100),
          total: 100,
          unit: '%',
          current: path,
          windows: 0,
          failures: 0,
          audioSecondsPerSecond: null,
          etaSeconds: null,
        }),
    });
    const text = [
      describe(reduction),
      ...reduction.warnings.map(({ message }) => `Note: ${message}`),
      ...(reduction.full && reduction.reduced ? [scores(reduction)] : []),
    ];
    return { json: reduction, text: [...text, reduction.export.folder].join('\n\n') };
  } finally {
    cli.progress.clear();
  }
}

function datasetRequest(options: Options, version: string): DatasetRequest {
  const { method, classifier, k, seed, testFraction, test, exclude, missing, raw, out, labelCount, labels } =
    options;
  if (labels !== undefined && labelCount !== undefined)
    throw new EngineError('bad-input', 'Labels are told twice.', 'Give --labels or --label-count, not both.');
  return {
    labels:
      labels !== undefined
        ? { kind: 'xml', path: labels }
        : labelCount !== undefined
          ? { kind: 'last', count: labelCount }
          : undefined,
    ...{ method, classifier, k, seed, testFraction, test, exclude, missing, raw, out, version },
    parameters: parametersOf(method, options.param),
    formats: options.formats ? parseFormats(options.formats, datasetFormats) : datasetFormats,
  };
}

function describe(reduction: Reduction | DatasetReduction): string {
  const { corpusRows, prototypeRows } = reduction;
  return pairs([
    ...('id' in reduction ? [['reduction', reduction.id] as const] : []),
    ['rows', `${corpusRows} → ${prototypeRows} (${percent(prototypeRows / corpusRows)})`],
    ['labels', String(reduction.labels.length)],
    ['time', duration(reduction.seconds)],
  ]);
}

function scores({ full, reduced }: { full: ReductionScore | null; reduced: ReductionScore | null }): string {
  const rows = [
    { name: 'full set', score: full },
    { name: 'reduced set', score: reduced },
  ];
  const share = (value: number | undefined): string => (value === undefined ? '–' : percent(value));
  return table<(typeof rows)[number]>(
    [
      { title: `${(full ?? reduced)?.classifier ?? 'kNN'} on`, value: ({ name }) => name },
      { title: 'k', value: ({ score }) => String(score?.k ?? '–'), align: 'right' },
      { title: 'Hamming loss', value: ({ score }) => score?.hammingLoss.toFixed(4) ?? '–', align: 'right' },
      { title: 'exact match', value: ({ score }) => share(score?.exactMatch), align: 'right' },
      { title: 'F1 samples', value: ({ score }) => share(score?.f1Samples), align: 'right' },
      { title: 'F1 macro', value: ({ score }) => share(score?.f1Macro), align: 'right' },
    ],
    rows,
  );
}
