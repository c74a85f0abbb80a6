import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EngineError } from '../../engine/api/errors.ts';
import { checkReportPlace, soundsOfReport, writePackReport } from '../report/pack-report.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { describeCard } from '../quality.ts';
import type { Answer, Cli } from '../verb.ts';

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
}

/** Adds `archetone packs score`. */
export function addPackScore(packs: Command, cli: Cli): void {
  packs
    .command('score')
    .description(
      'Measure what a pack is worth, on sounds it was not trained on; without folders, on demo sounds.',
    )
    .argument('[id]', 'pack', 'compact')
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
    .addHelpText(
      'after',
      `
Examples:
  archetone packs score compact --json
  archetone packs score compact --instruments philharmonia --rendered midi --styles albums --report compact.html`,
    )
    .action((id: string, options: Options) => cli.answer(() => score(cli, id, options)));
}

async function score(cli: Cli, packId: string, options: Options): Promise<Answer> {
  const { instruments, rendered, styles, twin, report, ...rest } = options;
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
