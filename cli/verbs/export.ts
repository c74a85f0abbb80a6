import {
  type ExportFormat,
  type ExportResult,
  exportFormatSchema,
  formatsOf,
} from '../../engine/api/exports.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { list, seedNumber } from '../options.ts';
import { addSoundOrigin, soundOrigin, type SoundOriginOptions } from '../sound-origin.ts';
import { bytes, pairs } from '../text.ts';
import { addTrackOptions, trackSubject, type TrackExportOptions } from '../track-export.ts';
import type { AddVerb } from '../verb.ts';

interface Options extends SoundOriginOptions, TrackExportOptions {
  library: string;
  reduction?: string;
  out: string;
  formats?: string[];
  seed: number;
  raw?: boolean;
}

export const exportVerb: AddVerb = (program, cli) => {
  addTrackOptions(addSoundOrigin(program.command('export')))
    .description('Write an experiment, a reduction or tracks as a folder that other programs can read.')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option('--experiment <id>', 'experiment, or latest')
    .option('--reduction <id>', 'reduction, in place of an experiment')
    .requiredOption('--out <dir>', 'folder to write; must not exist or be empty')
    .option(
      '--formats <list>',
      `${exportFormatSchema.options.join(', ')}, separated by commas; by default all that fit, and of tracks csv and parquet`,
      list,
    )
    .option('--seed <n>', 'seed of sounds and maps', seedNumber, 1)
    .option(
      '--raw',
      'leave names in CSV files as they are, also where a spreadsheet would run them as formulas',
    )
    .addHelpText(
      'after',
      `
Examples:
  archetone export --library ~/archetone-music --experiment latest --out bundle
  archetone export --library ~/archetone-music --experiment latest --formats csv,npz --out numbers --json
  archetone export --library ~/archetone-music --tracks --out atlas --formats parquet
  archetone export --library ~/archetone-music --windows --spaces compact --map none --out windows --formats npz
  archetone export --library ~/archetone-music --tracks --search 'label:bd' --formats rekordbox,m3u8 --out kicks`,
    )
    .action((options: Options) =>
      cli.answer(async () => {
        const ofTracks = options.tracks === true || options.windows === true;
        const formats = ofTracks
          ? parseFormats(options.formats ?? ['csv', 'parquet'], formatsOf('tracks'))
          : parseFormats(options.formats ?? exportFormatSchema.options);
        const soundsFrom = soundOrigin(options);
        const { experiment, reduction, tracks, windows } = options;
        const named = [ofTracks ? 'tracks' : experiment, reduction].filter((one) => one !== undefined);
        if (named.length !== 1 || (tracks === true && windows === true))
          throw new EngineError(
            'bad-input',
            'Name one thing to export.',
            'Use --experiment, --reduction, --tracks or --windows.',
          );
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const subject = ofTracks
            ? await trackSubject(session, libraryId, options)
            : reduction === undefined
              ? {
                  kind: 'experiment' as const,
                  experimentId: (await session.experiment(libraryId, experiment ?? 'latest')).id,
                }
              : { kind: 'reduction' as const, reductionId: reduction };
          const { export: result } = await session.run('export', (client) =>
            client.call('exports.start', {
              libraryId,
              subject,
              folder: options.out,
              formats,
              seed: options.seed,
              soundsFrom,
              raw: options.raw ?? false,
            }),
          );
          return { json: result, text: describeExport(result) };
        });
      }),
    );
};

/** @throws EngineError `bad-input` for a name that is no format, or none of those `allowed` */
export function parseFormats(
  names: readonly string[],
  allowed: readonly ExportFormat[] = exportFormatSchema.options,
): ExportFormat[] {
  const wrong = names.find((name) => !allowed.some((format) => format === name));
  if (names.length === 0 || wrong !== undefined)
    throw new EngineError('bad-input', `“${wrong ?? ''}” is no format.`, `Formats: ${allowed.join(', ')}.`);
  return allowed.filter((format) => names.includes(format));
}

function describeExport({ folder, files }: ExportResult): string {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  return pairs([
    ['folder', folder],
    ['files', `${files.length}, ${bytes(total)}`],
  ]);
}
