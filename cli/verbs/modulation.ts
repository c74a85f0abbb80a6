import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { writeCsv } from '../../engine/bundles/csv.ts';
import { EngineError } from '../../engine/api/errors.ts';
import {
  DEFAULT_CLASS_TRACKS,
  type ModulationChoiceInput,
  type ModulationFigures,
  type ModulationMapInfo,
  type ModulationSource,
} from '../../engine/api/modulation.ts';
import { counted } from '../../engine/counted.ts';
import { scopeOf } from '../found-tracks.ts';
import { hertz, mapsSvg, type DrawnMap } from '../modulation-picture.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { pairs, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';
import { writeOutput } from '../write-output.ts';
import { requireExisting } from './classify.ts';
import { addModulationLearn } from './modulation-learn.ts';

interface PartOptions {
  start: number;
  end?: number;
}

interface MapOptions extends PartOptions {
  against?: string;
  library?: string;
  class?: string;
  taxonomy?: string;
  tracks: number;
  seed: number;
  csv?: string;
  svg?: string;
}

interface HearOptions extends PartOptions {
  rates: [number, number];
  carriers?: [number, number];
  without?: boolean;
  out: string;
}

/** Cells of a map that are told of. */
const MOST_CELLS = 10;

/** Adds `archetone modulation`. */
export const modulationVerb: AddVerb = (program, cli) => {
  const modulation = program
    .command('modulation')
    .description(
      'How the bands of a sound swell and fade: modulation maps, and what single modulations sound like.',
    );

  withPart(modulation.command('map'))
    .description(
      'The modulation map of a file: 40 bands by eight rates from 0.5 to 64 Hz; or two, and their difference.',
    )
    .argument('<file>', 'audio file')
    .option('--against <file>', 'another sound: the difference is told, the file minus it')
    .option('--class <class>', 'the mean of a class of a library: the difference is told, the file minus it')
    .option('--library <dir>', "with --class: folder with the library's data")
    .option('--taxonomy <id or name>', 'with --class: default: that of the newest experiment')
    .option(
      '--tracks <n>',
      'with --class: tracks that are looked at',
      wholeNumber(1, 1000),
      DEFAULT_CLASS_TRACKS,
    )
    .option('--seed <n>', 'with --class: draws the tracks', seedNumber, 1)
    .option('--csv <file>', 'write every cell')
    .option('--svg <file>', 'draw the maps')
    .addHelpText(
      'after',
      `
Examples:
  archetone modulation map song.mp3 --start 30 --end 34
  archetone modulation map song.mp3 --against other.mp3 --csv cells.csv --svg maps.svg
  archetone modulation map song.mp3 --class flute --library ~/archetone-music --json`,
    )
    .action((file: string, options: MapOptions) => cli.answer(() => showMap(cli, file, options)));

  withPart(modulation.command('hear'))
    .description('Keep some modulations of a file, and write what is left as WAV.')
    .argument('<file>', 'audio file')
    .requiredOption('--rates <from:to>', 'rates of modulation, Hz, such as 4:8', hertzRange)
    .option('--carriers <from:to>', 'bands, Hz, such as 500:2000; default: all', hertzRange)
    .option('--without', 'take these modulations away instead, and keep all else')
    .requiredOption('--out <file.wav>', 'a new file')
    .addHelpText(
      'after',
      `
Examples:
  archetone modulation hear speech.wav --rates 2:8 --out syllables.wav
  archetone modulation hear speech.wav --rates 16:64 --carriers 500:4000 --without --out smooth.wav`,
    )
    .action((file: string, options: HearOptions) => cli.answer(() => hear(cli, file, options)));

  addModulationLearn(modulation, cli);
};

const withPart = (command: Command): Command =>
  command
    .option('--start <s>', 'seconds: where the part begins', number(0, 1e6), 0)
    .option('--end <s>', 'seconds: where it ends; default and at most 30 s later', number(0, 1e6));

function hertzRange(text: string): [number, number] {
  const [from = NaN, to = NaN, ...more] = text.split(':').map(Number);
  if (!(from > 0) || !(to >= from) || more.length > 0)
    throw new InvalidArgumentError('must be two frequencies in Hz, such as 4:8.');
  return [from, to];
}

const sourceOf = (file: string, { start, end }: PartOptions): ModulationSource => ({
  ...{ kind: 'file', path: requireExisting(file), startSeconds: start },
  endSeconds: end ?? null,
});

async function showMap(cli: Cli, file: string, options: MapOptions) {
  const { against, class: name, library: folder } = options;
  if (against !== undefined && name !== undefined)
    throw new EngineError('bad-input', 'Against a file or a class, not both.', 'Leave one of them out.');
  if (name !== undefined && folder === undefined)
    throw new EngineError('bad-input', `“${name}” is a class of which library?`, 'Name it with --library.');
  const of = sourceOf(file, options);
  const mapOf = (session: Session, source: ModulationSource): Promise<ModulationMapInfo> =>
    session.client.call('modulation.map', { of: source }, { signal: session.signal });
  const [map, other] = await (name !== undefined && folder !== undefined
    ? cli.withLibrary(folder, async (session) => {
        const own = await mapOf(session, of);
        const { taxonomyId, text, ...mean } = await classMean(session, name, options);
        return [own, { ...mean, taxonomyId, title: text }] as const;
      })
    : cli.withoutLibrary(async (session) => {
        const own = await mapOf(session, of);
        if (against === undefined) return [own, null] as const;
        const source: ModulationSource = { kind: 'file', path: requireExisting(against) };
        return [own, { map: await mapOf(session, source), title: against }] as const;
      }));
  const difference = other && differenceOf(map, other.map);
  if (options.csv !== undefined) await writeOutput(resolve(options.csv), cellsCsv(map, other?.map ?? null));
  if (options.svg !== undefined) {
    const drawn: DrawnMap[] = [{ title: file, map, signed: false }];
    if (other && difference)
      drawn.push(
        { title: other.title, map: other.map, signed: false },
        { title: 'difference', map: difference, signed: true },
      );
    await writeOutput(resolve(options.svg), mapsSvg(drawn));
  }
  return {
    json: { map, against: other, difference: difference?.depth ?? null },
    text: described(map, other, difference),
  };
}

async function classMean(session: Session, name: string, { taxonomy, tracks, seed }: MapOptions) {
  const { id: libraryId } = await session.library();
  const { taxonomyId } = await scopeOf(session, libraryId, { taxonomy });
  if (taxonomyId === null)
    throw new EngineError('not-found', 'This library has no labels.', 'Run: archetone taxonomies add --help');
  const mean = await session.run('modulation-class', (client) =>
    client.call('modulation.classMap', { libraryId, taxonomyId, class: name, tracks, seed }),
  );
  const text = `mean of ${mean.tracks} of ${counted(mean.of, 'track')} of ${name}`;
  return { taxonomyId, text, map: mean.map, tracks: mean.tracks, of: mean.of, unreadable: mean.unreadable };
}

/** The first map minus the second; rates that either is too short for are left out. */
function differenceOf(first: ModulationMapInfo, second: ModulationMapInfo): ModulationMapInfo {
  const slowest = Math.max(first.slowest, second.slowest);
  const depth = first.depth.map((value, i) =>
    i % first.ratesHz.length < slowest ? 0 : value - (second.depth[i] ?? 0),
  );
  return { ...first, depth, slowest };
}

function cellsCsv(map: ModulationMapInfo, other: ModulationMapInfo | null): string {
  const header = [
    'carrier_hz',
    'rate_hz',
    'level_db',
    'depth',
    ...(other ? ['depth_against', 'difference'] : []),
  ];
  const rates = map.ratesHz.length;
  return writeCsv(
    header,
    map.depth.map((depth, i) => [
      Number((map.carriersHz[Math.floor(i / rates)] ?? 0).toFixed(1)),
      map.ratesHz[i % rates] ?? 0,
      Number((map.levels[Math.floor(i / rates)] ?? 0).toFixed(2)),
      // An empty cell where the excerpt is too short to tell.
      i % rates < map.slowest ? null : Number(depth.toFixed(5)),
      ...(other
        ? i % rates < Math.max(map.slowest, other.slowest)
          ? [null, null]
          : [Number((other.depth[i] ?? 0).toFixed(5)), Number((depth - (other.depth[i] ?? 0)).toFixed(5))]
        : []),
    ]),
  );
}

function described(
  map: ModulationMapInfo,
  other: { map: ModulationMapInfo; title: string } | null,
  difference: ModulationMapInfo | null,
): string {
  const rates = map.ratesHz.length;
  // Bands that are hardly heard swing deeply too: what counts is how loud they are.
  const weight = (i: number, of: ModulationMapInfo): number =>
    10 ** ((of.levels[Math.floor(i / rates)] ?? -60) / 20);
  const strength = (i: number): number =>
    Math.abs((difference ?? map).depth[i] ?? 0) * Math.max(weight(i, map), other ? weight(i, other.map) : 0);
  const cells = map.depth
    .map((_, i) => i)
    .sort((a, b) => strength(b) - strength(a))
    .slice(0, MOST_CELLS)
    .filter((i) => strength(i) > 0);
  const head = pairs([
    ['looked at', `${map.seconds.toFixed(2)} s`],
    ['slowest rate seen', map.slowest < rates ? `${map.ratesHz[map.slowest] ?? 0} Hz` : 'none: too short'],
    ...(other ? [['against', other.title] as [string, string]] : []),
  ]);
  const rows = table<number>(
    [
      { title: 'band', value: (i) => hertz(map.carriersHz[Math.floor(i / rates)] ?? 0), align: 'right' },
      { title: 'rate', value: (i) => `${map.ratesHz[i % rates] ?? 0} Hz`, align: 'right' },
      {
        title: 'level',
        value: (i) => `${(map.levels[Math.floor(i / rates)] ?? 0).toFixed(1)} dB`,
        align: 'right',
      },
      { title: 'depth', value: (i) => (map.depth[i] ?? 0).toFixed(3), align: 'right' },
      ...(other && difference
        ? [
            {
              title: 'against',
              value: (i: number) => (other.map.depth[i] ?? 0).toFixed(3),
              align: 'right' as const,
            },
            {
              title: 'difference',
              value: (i: number) => (difference.depth[i] ?? 0).toFixed(3),
              align: 'right' as const,
            },
          ]
        : []),
    ],
    cells,
  );
  return `${head}\n\n${cells.length === 0 ? 'Silence, or nothing that swells.' : rows}`;
}

async function hear(cli: Cli, file: string, options: HearOptions) {
  const of = sourceOf(file, options);
  return cli.withoutLibrary(async ({ client, signal }) => {
    const { carriersHz, ratesHz } = await client.call('modulation.map', { of }, { signal });
    const choice: ModulationChoiceInput = {
      mode: options.without ? 'without' : 'only',
      carriers: options.carriers ? between(carriersHz, options.carriers, 'band') : whole(carriersHz),
      rates: between(ratesHz, options.rates, 'rate'),
    };
    const out = resolve(options.out);
    const figures = await client.call('modulation.save', { of, choice, file: out }, { signal });
    const kept = {
      carriersHz: [carriersHz[choice.carriers.first], carriersHz[choice.carriers.last]],
      ratesHz: [ratesHz[choice.rates.first], ratesHz[choice.rates.last]],
    };
    return { json: { file: out, ...choice, ...kept, ...figures }, text: told(out, figures) };
  });
}

const whole = (values: readonly number[]) => ({ first: 0, last: values.length - 1 });

/** What lies between two frequencies; the nearest where nothing does. */
function between(centres: readonly number[], [from, to]: [number, number], what: string) {
  const inside = centres.flatMap((hz, i) => (hz >= from && hz <= to ? [i] : []));
  const [first] = inside;
  if (first !== undefined) return { first, last: inside.at(-1) ?? first };
  const away = (hz: number): number => Math.abs(Math.log2(hz / Math.sqrt(from * to)));
  const nearest = centres.reduce((best, hz, i) => (away(hz) < away(centres[best] ?? 1) ? i : best), 0);
  if (away(centres[nearest] ?? 1) > 0.5)
    throw new EngineError(
      'bad-input',
      `There is no ${what} from ${from} to ${to} Hz.`,
      `Choose from ${(centres[0] ?? 0).toFixed(1)} to ${(centres.at(-1) ?? 0).toFixed(0)} Hz.`,
    );
  return { first: nearest, last: nearest };
}

const change = (dB: number | null): string =>
  dB === null ? 'none there' : `${dB > 0 ? '+' : ''}${dB.toFixed(1)} dB`;

const told = (file: string, { gainDb, chosenDb, othersDb, durationSeconds }: ModulationFigures): string =>
  pairs([
    ['file', file],
    ['seconds', durationSeconds.toFixed(2)],
    ['chosen modulations', change(chosenDb)],
    ['others, an octave away', change(othersDb)],
    ['raised by', `${gainDb.toFixed(1)} dB`],
  ]);
