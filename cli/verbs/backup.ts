import { resolve } from 'node:path';
import { EngineError } from '../../engine/api/errors.ts';
import type { LibraryBackup } from '../../engine/api/libraries.ts';
import { counted } from '../../engine/counted.ts';
import { bytes, pairs, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

const reasons: Record<LibraryBackup['reason'], string> = {
  auto: 'by itself',
  hand: 'by hand',
  update: 'before an update',
  restore: 'before a restore',
};

export const backupVerb: AddVerb = (program, cli) => {
  program
    .command('backup')
    .description('Back a library up, list its backups, or write it as a folder for another computer.')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option('--list', 'only list the backups there are')
    .option(
      '--to <dir>',
      'write the whole library, without audio, into this folder: archetone restore --from',
    )
    .addHelpText(
      'after',
      `
Examples:
  archetone backup --library ~/archetone-music
  archetone backup --library ~/archetone-music --list
  archetone backup --library ~/archetone-music --to /media/stick/music`,
    )
    .action((options: { library: string; list?: boolean; to?: string }) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          if (options.list === true) {
            const backups = await client.call('libraries.backups', { libraryId });
            return { json: { backups }, text: describe(backups) };
          }
          if (options.to !== undefined) {
            const folder = resolve(options.to);
            const { bundle } = await session.run('bundle-library', () =>
              client.call('libraries.bundle', { libraryId, folder }),
            );
            const size = bundle.files.reduce((sum, file) => sum + file.bytes, 0);
            return {
              json: bundle,
              text: pairs([
                ['folder', bundle.folder],
                ['files', `${bundle.files.length}, ${bytes(size)}`],
                ['there', `archetone restore --from ${bundle.folder} --music <folder> --library <dir>`],
              ]),
            };
          }
          const backup = await client.call('libraries.backUp', { libraryId });
          return { json: backup, text: describe([backup]) };
        }),
      ),
    );
};

export const restoreVerb: AddVerb = (program, cli) => {
  program
    .command('restore')
    .description('Put a backup in the place of a library, or take in a library of another computer.')
    .argument('[backup]', 'name of a backup (archetone backup --list), or latest', 'latest')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option('--from <dir>', 'folder that archetone backup --to wrote')
    .option('--music <dir>', 'with --from: where the music lies on this computer')
    .addHelpText(
      'after',
      `
What was there is kept, as a backup or as library.db.damaged-*.

Examples:
  archetone restore latest --library ~/archetone-music
  archetone restore --from /media/stick/music --music ~/Music --library ~/archetone-music`,
    )
    .action((name: string, options: { library: string; from?: string; music?: string }) =>
      cli.answer(async () => {
        const { from, music } = options;
        if ((from === undefined) !== (music === undefined))
          throw new EngineError('bad-input', '--from and --music belong together.', 'Name both folders.');
        if (from !== undefined && music !== undefined)
          return cli.withSession(options.library, async (session) => {
            const { client } = session;
            const { libraryId } = await session.run('take-in-library', () =>
              client.call('libraries.takeIn', { bundle: resolve(from), folder: resolve(music) }),
            );
            const library = await client.call('libraries.get', { libraryId });
            return {
              json: library,
              text: `Took in “${library.name}”: ${counted(library.tracks.total, 'track')}.`,
            };
          });
        return cli.withLibrary(options.library, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const backups = await client.call('libraries.backups', { libraryId });
          const wanted =
            name === 'latest'
              ? backups.find(({ sound }) => sound)
              : backups.find((each) => each.name === name);
          if (!wanted)
            throw new EngineError(
              'not-found',
              name === 'latest' ? 'This library has no backup that is whole.' : `There is no backup ${name}.`,
              'archetone backup --list names those there are.',
            );
          const library = await client.call('libraries.restore', { libraryId, backup: wanted.name });
          return {
            json: { library, backup: wanted },
            text: `“${library.name}” is as it was on ${wanted.at}: ${counted(library.tracks.total, 'track')}.`,
          };
        });
      }),
    );
};

function describe(backups: readonly LibraryBackup[]): string {
  if (backups.length === 0) return 'There is no backup yet.';
  return table(
    [
      { title: 'backup', value: ({ name }) => name },
      { title: 'made', value: ({ reason }) => reasons[reason] },
      { title: 'size', value: ({ bytes: size }) => bytes(size), align: 'right' },
      { title: 'state', value: ({ sound }) => (sound ? 'whole' : 'damaged') },
    ],
    backups,
  );
}
