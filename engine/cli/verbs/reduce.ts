import { statSync } from 'node:fs';
import type { Reduction, ReductionScore } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import { reduceDataset, type DatasetReduction } from '../../reductions/dataset.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { duration, pairs, percent, table } from '../text.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options {
  method: string;
  param: number;
  seed: number;
  k: number;
  taxonomy: string;
  level: 'track' | 'window';
  labelCount?: number;
  testFraction: number;
  out: string;
}

export const reduceVerb: AddVerb = (program, cli) => {
  program
    .command('reduce')
    .description(
      'Replace a labelled library or data set by a smaller set of generated prototypes, and score both.',
    )
    .argument('<library dir|dataset>', 'data folder of a library, or a .csv/.csv.gz data set')
    .requiredOption('--method <name>', 'reduction method, e.g. MChen')
    .option('--param <percent>', 'size in per cent of the corpus', number(0, 100, false), 10)
    .option('--seed <n>', 'seed of the split and of methods that draw', seedNumber, 1)
    .option('-k <n>', 'neighbours of the kNN that scores', wholeNumber(1, 101), 1)
    .option('--taxonomy <source>', `library: where the labels come from: ${TAXONOMY_HELP}`, 'folders')
    .addOption(
      program
        .createOption('--level <level>', 'library: what is reduced')
        .choices(['track', 'window'])
        .default('track'),
    )
    .option(
      '--label-count <n>',
      'data set: how many of the last columns are 0/1 labels',
      wholeNumber(1, 100_000),
    )
    .option(
      '--test-fraction <x>',
      'share held out for scoring; data set: 0 reduces all rows unscored',
      number(0, 0.9),
      0.3,
    )
    .requiredOption('--out <dir>', 'folder to write; must not exist or be empty')
    .addHelpText(
      'after',
      `
Examples:
  archetone reduce ~/archetone-music --method MChen --param 10 --taxonomy tokens --out reduced
  archetone reduce emotions.csv.gz --label-count 6 --method MChen --param 10 --out reduced --json`,
    )
    .action((subject: string, options: Options) =>
      cli.answer(async () => {
        const path = requireExisting(subject);
        return statSync(path).isDirectory()
          ? reduceLibrary(cli, path, options)
          : reduceFile(cli, path, options);
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
  return cli.withLibrary(folder, async (session) => {
    const { id: libraryId } = await session.library();
    const taxonomy = await taxonomyOf(session.client, libraryId, source);
    const request = {
      taxonomyId: taxonomy.id,
      level: options.level,
      method: options.method,
      percent: options.param,
      k: options.k,
      seed: options.seed,
      split: { train: 1 - options.testFraction, validation: 0, test: options.testFraction },
    };
    const { reductionId } = await session.run('reduce', (client) =>
      client.call('reductions.start', { libraryId, request }),
    );
    const reductions = await session.client.call('reductions.list', { libraryId });
    const reduction = reductions.find(({ id }) => id === reductionId);
    if (!reduction) throw new EngineError('internal', 'The reduction that was just made is gone.');
    const { export: result } = await session.run('export', (client) =>
      client.call('exports.start', {
        libraryId,
        subject: { kind: 'reduction', reductionId },
        folder: options.out,
        // Sounds are a matter of `archetone export --reduction`: making hundreds takes long.
        formats: ['csv', 'npz', 'm3u8'],
        seed: options.seed,
      }),
    );
    return {
      json: { reduction, export: result },
      text: `${describe(reduction)}\n\n${scores(reduction)}\n\n${result.folder}`,
    };
  });
}

async function reduceFile(cli: Cli, path: string, options: Options): Promise<Answer> {
  if (options.labelCount === undefined)
    throw new EngineError(
      'bad-input',
      'A data set needs to know which columns are labels.',
      'Say how many of the last columns are labels: --label-count N.',
    );
  try {
    const reduction = await reduceDataset(
      path,
      {
        labelCount: options.labelCount,
        method: options.method,
        percent: options.param,
        k: options.k,
        seed: options.seed,
        testFraction: options.testFraction,
        out: options.out,
        version: cli.places.version,
      },
      {
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
      },
    );
    const text = [describe(reduction), ...(reduction.full && reduction.reduced ? [scores(reduction)] : [])];
    return { json: reduction, text: [...text, reduction.export.folder].join('\n\n') };
  } finally {
    cli.progress.clear();
  }
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
      { title: 'LP-kNN on', value: ({ name }) => name },
      { title: 'k', value: ({ score }) => String(score?.k ?? '–'), align: 'right' },
      { title: 'Hamming loss', value: ({ score }) => score?.hammingLoss.toFixed(4) ?? '–', align: 'right' },
      { title: 'exact match', value: ({ score }) => share(score?.exactMatch), align: 'right' },
      { title: 'F1 samples', value: ({ score }) => share(score?.f1Samples), align: 'right' },
      { title: 'F1 macro', value: ({ score }) => share(score?.f1Macro), align: 'right' },
    ],
    rows,
  );
}
