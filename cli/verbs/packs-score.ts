import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EngineError } from '../../engine/api/errors.ts';
import { checkReportPlace, soundsOfReport, writePackReport } from '../report/pack-report.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { describeFolderTable, folderTableCsv } from '../folder-scores.ts';
import { describeCard } from '../quality.ts';
import type { Answer, Cli } from '../verb.ts';
import { writeOutput } from '../write-output.ts';

interface Options {
  instruments?: string;
  rendered?: string;
  styles?: string;
  twin?: string;
  sounds: number;
  seeds: number;
  seed: number;
  threads: number;
  fidelity: boolean;
  origins: boolean;
  quick: boolean;
  report?: string;
  write: boolean;
  csv?: string;
}

/** Adds `archetone packs score`. */
export function addPackScore(packs: Command, cli: Cli): void {
  packs
    .command('score')
    .description(
      'Measure what a pack is worth, on sounds it was not trained on; without folders, on demo sounds.',
    )
    .argument('[id]', 'pack', 'compact')
    .argument(
      '[folders...]',
      'folders of kinds, each with a folder per class (or album): a table of accuracies',
    )
    .option('--instruments <dir>', 'real instruments: a folder of sounds per class')
    .option('--rendered <dir>', 'rendered instruments, for accuracy across collections: a folder per class')
    .option('--styles <dir>', 'music: a folder per style with a folder per album')
    .option('--twin <dir>', 'pack with random weights to compare with; default: this one, weights shuffled')
    .option('--sounds <n>', 'demo sounds to hear when no folder is given', wholeNumber(1, 1000), 16)
    .option('--seeds <n>', 'runs of everything that draws', wholeNumber(1, 100), 5)
    .option('--seed <n>', 'first seed', seedNumber, 1)
    .option('--threads <n>', 'threads of ONNX Runtime', wholeNumber(1, 64), 2)
    .option('--quick', 'nearest neighbours only, no prototype networks', false)
    .option('--fidelity', 'compare remedies against blurred prototypes as well', false)
    .option('--origins', 'compare sounds from noise and from recordings; needs --instruments', false)
    .option('--report <file>', 'write a page with players and spectrograms; needs --instruments')
    .option('--write', 'write the card into the pack.json of the pack', false)
    .option('--csv <file>', 'write the table of the folders as CSV')
    .addHelpText(
      'after',
      `
Examples:
  archetone packs score compact --json
  archetone packs score compact one-shots soundtracks instruments --quick --csv scores.csv
  archetone packs score compact --instruments philharmonia --rendered midi --styles albums --report compact.html`,
    )
    .action((id: string, folders: string[], options: Options) =>
      cli.answer(() =>
        folders.length > 0 ? scoreFolders(cli, id, folders, options) : score(cli, id, options),
      ),
    );
}

async function score(cli: Cli, packId: string, options: Options): Promise<Answer> {
  const { instruments, rendered, styles, twin, report, csv, ...rest } = options;
  if (csv !== undefined)
    throw new EngineError(
      'bad-input',
      '--csv writes the table of folders of kinds, and none is named.',
      'Name folders after the pack, each with a folder per class.',
    );
  if (report !== undefined) await checkReportPlace(report);
  const folder = (path: string | undefined): string | null => (path === undefined ? null : resolve(path));
  return cli.withoutLibrary(async ({ client, signal }) => {
    const events = client.stream(
      'packs.score',
      {
        ...{ packId, instruments: folder(instruments), rendered: folder(rendered), styles: folder(styles) },
        ...{ twin: folder(twin), listenTo: folder(report && soundsOfReport(report)), ...rest },
      },
      { signal },
    );
    for await (const event of events) {
      if (event.type === 'note') {
        cli.say(event.message);
        continue;
      }
      const { card, classes } = event;
      const pack = (await client.call('packs.list', {})).find(({ id }) => id === packId);
      if (report !== undefined && pack)
        await writePackReport(report, { pack, card, classes, version: cli.places.version });
      return { json: { packId, card }, text: describeCard(card) };
    }
    throw new EngineError('internal', 'Scoring ended without a card.');
  });
}

/** Options of a quality card, which folders of kinds do not make. */
const CARD_OPTIONS = ['instruments', 'rendered', 'styles', 'report', 'write', 'fidelity', 'origins'] as const;

async function scoreFolders(cli: Cli, packId: string, folders: string[], options: Options): Promise<Answer> {
  const { twin, seed, threads, quick, csv } = options;
  const other = CARD_OPTIONS.find((name) => options[name] !== undefined && options[name] !== false);
  if (other !== undefined)
    throw new EngineError(
      'bad-input',
      `--${other} belongs to the quality card, and folders of kinds make a table.`,
      'Ask for the card without folders after the pack.',
    );
  return cli.withoutLibrary(async ({ client, signal }) => {
    const request = {
      ...{ packId, folders: folders.map((folder) => resolve(folder)), seed, threads, quick },
      twin: twin === undefined ? null : resolve(twin),
    };
    for await (const event of client.stream('packs.scoreFolders', request, { signal })) {
      if (event.type === 'note') {
        cli.say(event.message);
        continue;
      }
      if (csv !== undefined) await writeOutput(csv, folderTableCsv(event.table));
      return { json: event.table, text: describeFolderTable(event.table) };
    }
    throw new EngineError('internal', 'Scoring ended without a table.');
  });
}
