import { basename, extname } from 'node:path';
import { FileReadError, readBounded } from '../files/read.ts';
import { decodeText, parseXml, XmlError, xmlText } from '../text/index.ts';
import { parseM3u, parsePls } from './lines.ts';
import { parseRekordbox, parseXspf } from './markup.ts';
import { PlaylistError, type Playlist } from './playlist.ts';

/** A Rekordbox collection of a hundred thousand tracks is some 50 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Of all playlists of a file. */
const MAX_ENTRIES = 500_000;
const MAX_PLAYLISTS = 10_000;
/** Nothing that a name or path needs. */
const MAX_TEXT = 4096;

/** What playlist files end in: what is looked for in folders. */
export const PLAYLIST_ENDINGS: readonly string[] = ['.m3u', '.m3u8', '.pls', '.xspf', '.xml'];

const HINT =
  'Playlists are read from M3U, M3U8, PLS and XSPF files, and from the XML that Rekordbox exports.';

/**
 * Reads the playlists of a file, whatever it is called: its beginning tells the format. Rekordbox keeps several in one.
 * Nothing that a playlist names is opened.
 * @throws PlaylistError
 */
export async function readPlaylists(path: string): Promise<Playlist[]> {
  const bytes = await bytesOf(path);
  const lists = parsePlaylists(bytes, path);
  const entries = lists.reduce((sum, list) => sum + list.entries.length, 0);
  if (lists.length > MAX_PLAYLISTS || entries > MAX_ENTRIES)
    throw new PlaylistError(
      'too-large',
      `${path} has ${lists.length} playlists with ${entries} entries.`,
      `Up to ${MAX_PLAYLISTS} playlists with ${MAX_ENTRIES} entries are read from a file: export fewer at once.`,
    );
  if (entries === 0) throw new PlaylistError('empty', `${path} lists no recording.`, HINT);
  return lists.map((list) => ({
    ...list,
    name: (list.name ?? basename(path, extname(path))).slice(0, MAX_TEXT),
    entries: list.entries.map(({ location, artist, title }) => ({
      // A cut path would name another file.
      location: location.length > MAX_TEXT ? '' : location,
      artist: artist?.slice(0, MAX_TEXT) ?? null,
      title: title?.slice(0, MAX_TEXT) ?? null,
    })),
  }));
}

/** @param path for its ending and for messages @throws PlaylistError */
export function parsePlaylists(bytes: Uint8Array, path: string): Playlist[] {
  const text = decodeText(bytes);
  const begin = text.slice(0, 1000).trimStart();
  if (begin === '') throw new PlaylistError('empty', `${path} is empty.`, HINT);
  if (text.includes('\0')) throw notOne(path, 'it is no text');
  if (begin.startsWith('<')) return parseMarkup(xmlText(bytes), path);
  if (/^\[playlist\]/i.test(begin)) return [parsePls(text)];
  if (/^#EXT-X-/im.test(text.slice(0, 65_536)))
    throw notOne(path, 'it lists the pieces of a stream, not recordings');
  if (/^#EXTM3U/i.test(begin) || /^\.m3u8?$/i.test(extname(path))) return [parseM3u(text)];
  throw notOne(path, `it begins with “${begin.split(/[\r\n]/)[0]?.slice(0, 60) ?? ''}”`);
}

function parseMarkup(text: string, path: string): Playlist[] {
  // iTunes and Music write property lists, which have a document type.
  if (/<plist\b/i.test(text.slice(0, 2000)))
    throw new PlaylistError(
      'not-a-playlist',
      `${path} is a property list, as iTunes and Music export libraries.`,
      'Export each playlist as M3U there, and add these files.',
    );
  const root = documentOf(text, path);
  if (root?.name === 'playlist') return [parseXspf(root)];
  if (root?.name === 'DJ_PLAYLISTS') return parseRekordbox(root);
  throw notOne(path, `its outermost element is <${root?.name ?? ''}>`);
}

function documentOf(text: string, path: string): ReturnType<typeof parseXml>[number] | undefined {
  try {
    return parseXml(text)[0];
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const { message, line, column } = error;
    throw new PlaylistError('syntax', `${path}, line ${line}, column ${column}: ${message}`, HINT);
  }
}

const notOne = (path: string, why: string): PlaylistError =>
  new PlaylistError('not-a-playlist', `${path} is no playlist: ${why}.`, HINT);

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    switch (error.problem) {
      case 'missing':
        throw new PlaylistError('missing', `There is no file ${path}.`, 'Check the path.');
      case 'not-a-file':
        throw notOne(path, 'it is no regular file');
      case 'too-large':
        throw new PlaylistError(
          'too-large',
          `${path} has ${Math.round((error.bytes ?? 0) / 2 ** 20)} MiB; playlists of up to 64 MiB are read.`,
          'Is it a playlist? Export fewer at once.',
        );
      case 'unreadable':
        throw new PlaylistError(
          'unreadable',
          `${path} cannot be read.`,
          'Check its permissions and its drive.',
        );
    }
  }
}
