import { resolve } from 'node:path';
import type { AddedPlaylists, PlaylistInfo } from '../../engine/api/playlists.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

/** Adds `archetone playlists`. */
export const playlistsVerb: AddVerb = (program, cli) => {
  const playlists = program
    .command('playlists')
    .description('Playlists of yours that a similarity can be learned from (`archetone similarity`).');

  playlists
    .command('add')
    .description('Read playlists: M3U, M3U8, PLS, XSPF, and the XML that Rekordbox exports.')
    .argument('<library>', "folder with the library's data")
    .argument('[files...]', 'playlist files, or folders that hold some')
    .option('--folders', 'take every folder of the library with two tracks or more for a playlist', false)
    .addHelpText(
      'after',
      `
Entries are matched by path, whatever folder they lay in when the playlist was written, else by artist and title. Those that
are no tracks of the library are kept, and match once their music is imported.

Examples:
  archetone playlists add ~/archetone-music ~/Playlists
  archetone playlists add ~/archetone-music rekordbox.xml evening.m3u8 --json
  archetone playlists add ~/archetone-music --folders`,
    )
    .action((folder: string, files: string[], options: { folders: boolean }) =>
      cli.answer(() => {
        if (files.length === 0 && !options.folders)
          throw new EngineError('bad-input', 'No playlist is named.', 'Name files or folders, or --folders.');
        return cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const results: AddedPlaylists[] = [];
          if (files.length > 0)
            results.push(
              await client.call('playlists.add', { libraryId, paths: files.map((file) => resolve(file)) }),
            );
          if (options.folders) results.push(await client.call('playlists.addFolders', { libraryId }));
          const json = {
            added: results.flatMap(({ added }) => added),
            known: results.flatMap(({ known }) => known),
            problems: results.flatMap(({ problems }) => problems),
          };
          const text = [
            ...(json.added.length > 0 ? [listed(json.added)] : []),
            ...(json.known.length > 0 ? [`There already: ${json.known.join(', ')}`] : []),
            ...elsewhere(json.added),
            ...json.problems.map(({ problem }) => `${problem.message} ${problem.hint}`),
          ];
          return { json, text: text.join('\n') };
        });
      }),
    );

  playlists
    .command('list')
    .description('List playlists with how many of their entries are tracks of the library.')
    .argument('<library>', "folder with the library's data")
    .option('--unmatched', 'also list the entries that are no tracks, and why', false)
    .addHelpText('after', '\nExample:\n  archetone playlists list ~/archetone-music --unmatched')
    .action((folder: string, options: { unmatched: boolean }) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const all = await client.call('playlists.list', { libraryId });
          if (!options.unmatched) return { json: { playlists: all }, text: listed(all) };
          const detailed = [];
          for (const playlist of all)
            detailed.push({
              ...playlist,
              unmatchedEntries: await client.call('playlists.unmatched', {
                libraryId,
                playlistId: playlist.id,
              }),
            });
          const lines = detailed.flatMap(({ name, unmatchedEntries }) =>
            unmatchedEntries.map(
              ({ position, entry, message }) => `${name} ${position}: ${entry}: ${message}`,
            ),
          );
          return { json: { playlists: detailed }, text: [listed(all), ...lines].join('\n') };
        }),
      ),
    );

  playlists
    .command('remove')
    .description('Forget playlists; their files stay as they are.')
    .argument('<library>', "folder with the library's data")
    .argument('<names...>', 'names or ids of playlists, or “all”')
    .addHelpText('after', '\nExample:\n  archetone playlists remove ~/archetone-music Evening')
    .action((folder: string, names: string[]) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const all = await client.call('playlists.list', { libraryId });
          const everything = names.length === 1 && names[0] === 'all';
          const unknown = names.filter(
            (given) => !all.some(({ id, name }) => given === id || given === name),
          );
          if (all.length === 0 || (!everything && unknown.length > 0))
            throw new EngineError(
              'not-found',
              `No playlist is called “${unknown.join('”, “')}”.`,
              all.length === 0 ? 'There are none.' : 'archetone playlists list shows what there is.',
            );
          const removed = all.filter(
            ({ id, name }) => everything || names.includes(id) || names.includes(name),
          );
          await client.call('playlists.remove', { libraryId, playlistIds: removed.map(({ id }) => id) });
          return { json: { removed }, text: `Forgot ${removed.map(({ name }) => name).join(', ')}.` };
        }),
      ),
    );
};

/** Playlists that nothing can be learned from, as all of their files lie elsewhere: one line, or none. */
function elsewhere(added: readonly PlaylistInfo[]): string[] {
  const of = added.filter(({ tracks }) => tracks === 0).length;
  if (of === 0) return [];
  return [
    `No entry of ${counted(of, 'playlist')} is a track of this library: import their music, and they match. Why, says archetone playlists list --unmatched.`,
  ];
}

function listed(playlists: readonly PlaylistInfo[]): string {
  if (playlists.length === 0) return 'no playlists';
  return table<PlaylistInfo>(
    [
      { title: 'playlist', value: ({ name }) => name },
      { title: 'format', value: ({ format }) => format },
      { title: 'entries', value: ({ entries }) => String(entries), align: 'right' },
      { title: 'tracks', value: ({ tracks }) => String(tracks), align: 'right' },
      { title: 'unmatched', value: ({ unmatched }) => String(unmatched), align: 'right' },
      { title: 'from', value: ({ path }) => path },
    ],
    playlists,
  );
}
