import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, posix, resolve } from 'node:path';
import { PLAYLIST_ENDINGS } from '../../models/playlists/read.ts';
import type { AddedPlaylists, PlaylistInfo } from '../api/playlists.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { NewPlaylist } from '../library/playlists.ts';
import { readPlaylistFiles } from './read.ts';

const MAX_FILES = 10_000;
/** Folders in folders; links are not followed. */
const MAX_DEPTH = 32;

/**
 * Adds the playlists of files, and of those that lie in folders.
 * @throws EngineError the first problem when nothing could be read; `bad-input` for folders without playlists, or for more
 * than a library keeps; the signal's reason
 */
export async function addPlaylists(
  context: EngineContext,
  library: Library,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<AddedPlaylists> {
  const read: NewPlaylist[] = [];
  const problems: AddedPlaylists['problems'] = [];
  const files = await filesOf(paths, signal);
  const answers = await readPlaylistFiles(
    context.readers.ask,
    files.map(({ path }) => path),
    signal,
  );
  answers.forEach((answer, i) => {
    const { path = '', searched = false } = files[i] ?? {};
    if ('lists' in answer) {
      for (const { name, format, entries } of answer.lists)
        if (entries.length > 0)
          read.push({ name: name ?? basename(path, extname(path)), format, path, entries });
      return;
    }
    // XML is about many things: in a folder that was searched it need not be about playlists.
    if (searched && answer.problem.detail?.['code'] === 'not-a-playlist') return;
    problems.push({ path, problem: answer.problem });
  });
  const [first] = problems;
  if (read.length === 0 && first) throw EngineError.fromData(first.problem);
  if (read.length === 0)
    throw new EngineError(
      'bad-input',
      'There are no playlists there.',
      `Files that end in ${PLAYLIST_ENDINGS.join(', ')} are looked for.`,
    );
  return { ...(await keep(library, read)), problems };
}

/** Takes the folders of the library for playlists. @throws EngineError `bad-input` where none holds two tracks */
export async function addFolders(library: Library): Promise<AddedPlaylists> {
  const folders = new Map<string, string[]>();
  for (const { path } of library.tracks.tagged()) {
    const folder = posix.dirname(path);
    const own = folders.get(folder);
    if (own) own.push(path);
    else folders.set(folder, [path]);
  }
  const lists = [...folders]
    .filter(([, tracks]) => tracks.length >= 2)
    .map(([folder, tracks]): NewPlaylist => {
      const name = folder === '.' ? basename(library.folder()) : folder;
      const entries = tracks.map((location) => ({ location, artist: null, title: null }));
      return { name, format: 'folder', path: resolve(library.folder(), folder), entries };
    });
  if (lists.length > 0) return { ...(await keep(library, lists)), problems: [] };
  throw new EngineError(
    'bad-input',
    'No folder of this library holds two tracks.',
    'Import music first, or add playlists from files.',
  );
}

async function keep(
  library: Library,
  lists: readonly NewPlaylist[],
): Promise<Pick<AddedPlaylists, 'added' | 'known'>> {
  const { added, known } = library.playlists.add(lists);
  const ids = new Set(added);
  const all = await library.playlists.matched();
  return { added: all.filter(({ id }) => ids.has(id)).map(playlistInfo), known };
}

/** What a shell is told of a playlist. */
export function playlistInfo(playlist: PlaylistInfo): PlaylistInfo {
  const { id, name, format, path, entries, tracks, unmatched, addedAt } = playlist;
  return { id, name, format, path, entries, tracks, unmatched, addedAt };
}

async function filesOf(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ path: string; searched: boolean }[]> {
  const files: { path: string; searched: boolean }[] = [];
  const search = async (folder: string, depth: number): Promise<void> => {
    signal.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await search(path, depth + 1);
      else if (entry.isFile() && PLAYLIST_ENDINGS.includes(extname(entry.name).toLowerCase())) {
        files.push({ path, searched: true });
        if (files.length > MAX_FILES)
          throw new EngineError(
            'bad-input',
            `There are more than ${MAX_FILES} playlist files.`,
            'Choose a smaller folder.',
          );
      }
    }
  };
  for (const path of paths) {
    const facts = await stat(path).catch(() => null);
    if (facts?.isDirectory()) await search(resolve(path), 0);
    else files.push({ path: resolve(path), searched: false });
  }
  return files;
}
