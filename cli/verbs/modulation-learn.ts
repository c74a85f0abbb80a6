import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EngineError } from '../../engine/api/errors.ts';
import {
  type ModulationReport,
  reportVerdict,
  sincMethodNames,
  sincTitles,
  type SplitFigure,
  studyDefaults,
  studyLimits,
} from '../../engine/api/modulation.ts';
import { counted } from '../../engine/counted.ts';
import { scopeOf } from '../found-tracks.ts';
import { reportSvg } from '../modulation-picture.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { pairs, percent, table } from '../text.ts';
import type { Cli } from '../verb.ts';
import { writeOutput } from '../write-output.ts';

interface LearnOptions {
  taxonomy?: string;
  minimumTracks: number;
  perClass: number;
  steps: number;
  splits: number;
  seed: number;
  svg?: string;
  keep?: string;
}

/** Adds `archetone modulation learn`. */
export function addModulationLearn(modulation: Command, cli: Cli): void {
  modulation
    .command('learn')
    .description(
      'Learn modulation filters on the labels of a library, against fixed ones and a control, and see what lower envelope rates cost each class.',
    )
    .argument('<library>', "folder with the library's data")
    .option('--taxonomy <id or name>', 'default: that of the newest experiment')
    .option('--minimum-tracks <n>', 'classes of fewer are left out', wholeNumber(3, 1000), 5)
    .option(
      '--per-class <n>',
      'tracks of a class that are looked at, at most',
      within(studyLimits.perClass),
      studyDefaults.perClass,
    )
    .option('--steps <n>', 'steps of each training', within(studyLimits.steps), studyDefaults.steps)
    .option(
      '--splits <n>',
      'splits, each with trainings of its own',
      within(studyLimits.splits),
      studyDefaults.splits,
    )
    .option('--seed <n>', 'draws tracks and splits', seedNumber, 1)
    .option('--svg <file>', 'draw the filters and the rates')
    .option('--keep <title>', 'keep the filters as a pack of this title, and embed the library by it')
    .addHelpText(
      'after',
      `
Examples:
  archetone modulation learn ~/archetone-music --svg filters.svg
  archetone modulation learn ~/archetone-music --taxonomy folders --splits 10 --json
  archetone modulation learn ~/archetone-music --keep "My modulations"`,
    )
    .action((folder: string, options: LearnOptions) => cli.answer(() => learn(cli, folder, options)));
}

const within = ({ min, max }: { min: number; max: number }) => wholeNumber(min, max);

async function learn(cli: Cli, folder: string, { taxonomy, svg, keep, ...settings }: LearnOptions) {
  const { report, kept } = await cli.withLibrary(folder, async (session) => {
    const { id: libraryId } = await session.library();
    const { taxonomyId } = await scopeOf(session, libraryId, { taxonomy });
    if (taxonomyId === null)
      throw new EngineError(
        'not-found',
        'This library has no labels.',
        'Run: archetone taxonomies add --help',
      );
    let jobId = '';
    const { report: learned } = await session.run('modulation-study', async (client) => {
      const started = await client.call('modulation.study', { libraryId, taxonomyId, ...settings });
      ({ jobId } = started);
      return started;
    });
    if (keep === undefined) return { report: learned, kept: null };
    const { client } = session;
    const filters = await client.call('modulation.keep', { libraryId, jobId, title: keep });
    const { packId } = filters;
    await session.run('import', () => client.call('import.start', { libraryId, packId }));
    const spaces = await client.call('libraries.spaces', { libraryId });
    const tracks = spaces.find((space) => space.packId === packId)?.tracks ?? 0;
    return { report: learned, kept: { ...filters, tracks } };
  });
  if (svg !== undefined) await writeOutput(resolve(svg), reportSvg(report));
  const told = kept
    ? `Kept as the pack ${kept.packId}, ${kept.dim} numbers a vector; ${counted(kept.tracks, 'track')} embedded by it.\nTrain with it: archetone train --view compact --view ${kept.packId}`
    : null;
  return {
    json: kept ? { ...report, kept } : report,
    text: told === null ? reported(report) : `${reported(report)}\n\n${told}`,
  };
}

const figure = ({ mean, low, high }: SplitFigure): string =>
  `${percent(mean)} (${percent(low)} to ${percent(high)})`;

function reported(report: ModulationReport): string {
  const { classes, accuracy, gain, majority, filters, rates, tracks, of, splits, testTracks } = report;
  const head = pairs([
    [
      'tracks',
      `${tracks} of ${of}, ${counted(classes.length, 'class', 'classes')}; ${testTracks} tested in each of ${counted(splits, 'split')}`,
    ],
    ...sincMethodNames.map((name) => [sincTitles[name], figure(accuracy[name])] as [string, string]),
    ['The largest class', percent(majority)],
    ['learned − fixed', figure(gain.fixed)],
    ['learned − permuted', figure(gain.permuted)],
  ]);
  const edges = table<number>(
    [
      { title: 'filter', value: (i) => String(i + 1), align: 'right' },
      ...(['fixed', 'learned'] as const).map((name) => ({
        title: `${name}, Hz`,
        value: (i: number) => {
          const filter = filters[name][i];
          return filter ? `${filter.lowHz.toFixed(2)} – ${filter.highHz.toFixed(2)}` : '';
        },
        align: 'right' as const,
      })),
    ],
    filters.learned.map((_, i) => i),
  );
  const perClass = table<number>(
    [
      { title: 'class', value: (row) => (row < 0 ? 'all' : (classes[row] ?? '')) },
      ...rates.map(({ rateHz, accuracy: all, perClass: own }) => ({
        title: `${rateHz} Hz`,
        value: (row: number) => {
          const value = row < 0 ? all.mean : own[row];
          return value == null ? '–' : percent(value);
        },
        align: 'right' as const,
      })),
    ],
    [-1, ...classes.keys()],
  );
  return [
    head,
    reportVerdict(report),
    edges,
    'Told right when the envelopes are taken so many times a second:',
    perClass,
  ].join('\n\n');
}
