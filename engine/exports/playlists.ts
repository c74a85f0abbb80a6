import { pathToFileURL } from 'node:url';
import { fileToOpen } from '../../models/audio/index.ts';
import type { Library } from '../library/library.ts';

/** One entry of a playlist. */
export interface PlaylistTrack {
  /** Absolute path. */
  path: string;
  title: string;
  artist: string | null;
  durationSeconds: number | null;
}

/** What playlists say about every track of the library, by track id. */
export function playlistTracks(library: Library): Map<string, PlaylistTrack> {
  return new Map(
    library.tracks
      .listed()
      .map(({ id, path, ...track }) => [id, { ...track, path: library.absolutePath(path) }]),
  );
}

/**
 * An extended M3U in UTF-8. Paths are absolute: the bundle may be moved, the music stays where it is. A path that would not
 * stay one line, or that players would trim, is written as a `file:` URL.
 */
export function writePlaylist(title: string, tracks: readonly PlaylistTrack[]): string {
  const entries = tracks.flatMap(({ path, title: name, artist, durationSeconds }) => [
    `#EXTINF:${durationSeconds === null ? -1 : Math.round(durationSeconds)},${oneLine(artist ? `${artist} - ${name}` : name)}`,
    location(path),
  ]);
  return `${['#EXTM3U', `#PLAYLIST:${oneLine(title)}`, ...entries].join('\n')}\n`;
}

/** `\xE9`, a byte of a name that is not UTF-8. */
const ESCAPED_IN_URL = /%5Cx([89A-F][0-9A-F])/g;

/** The `file:` URL of an absolute path, also of one that is not UTF-8. */
export const fileUrl = (path: string): string => pathToFileURL(path).href.replace(ESCAPED_IN_URL, '%$1');

/** Players split at every kind of line end, and cut blanks off. */
function location(path: string): string {
  const file = fileToOpen(path);
  if (typeof file !== 'string') return fileUrl(path);
  return /[\p{Cc}\u2028\u2029]|^[\s#]|\s$/u.test(path) ? pathToFileURL(path).href : path;
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
