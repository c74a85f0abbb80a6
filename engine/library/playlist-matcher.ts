import { dirname, join } from 'node:path';
import type { PlaylistEntry } from '../../models/playlists/playlist.ts';
import type { UnmatchedEntry } from '../api/playlists.ts';
import { TrackMatcher } from './track-matcher.ts';

/** Why an entry names no track. */
type NoTrack = Omit<UnmatchedEntry, 'position'>;

/**
 * Finds the tracks that the entries of playlists mean: by path first, as {@link TrackMatcher} reads paths of other
 * computers, relative to the playlist where that is how it names them; else by artist and title, where one track alone has
 * both.
 */
export class PlaylistMatcher {
  readonly #paths: readonly string[];
  readonly #matcher: TrackMatcher;
  /** Null where several tracks have both. */
  readonly #byName = new Map<string, number | null>();

  /** @param folder the music folder, absolute */
  constructor(tracks: readonly { path: string; artist: string | null; title: string }[], folder: string) {
    this.#paths = tracks.map(({ path }) => path);
    this.#matcher = new TrackMatcher(this.#paths, folder);
    tracks.forEach(({ artist, title }, track) => {
      const key = nameKey(artist, title);
      if (key !== null) this.#byName.set(key, this.#byName.has(key) ? null : track);
    });
  }

  /**
   * @param playlist file that relative paths are relative to; null: the music folder
   * @returns number of the track, or why there is none
   */
  match({ location, artist, title }: PlaylistEntry, playlist: string | null): number | NoTrack {
    const named = this.#byName.get(nameKey(artist, title) ?? '');
    const found = this.#byPath(location, playlist);
    if (typeof found === 'number') return found;
    if (typeof named === 'number') return named;
    const entry = location === '' ? [artist, title].filter((text) => text !== null).join(' – ') : location;
    return { ...found, entry: entry === '' ? '(nothing)' : entry };
  }

  #byPath(location: string, playlist: string | null): number | Omit<NoTrack, 'entry'> {
    if (location === '')
      return { reason: 'unnamed', message: 'It names no file, and no track alone has its artist and title.' };
    if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(location)) return STREAM;
    if (playlist !== null && isRelative(location)) {
      const beside = dirname(playlist);
      for (const path of new Set([join(beside, location), join(beside, location.replaceAll('\\', '/'))])) {
        const found = this.#matcher.match(path);
        if (typeof found === 'number') return found;
      }
    }
    const found = this.#matcher.match(location);
    if (typeof found === 'number') return found;
    // “spotify:track:…”; but a colon may be part of a name, too.
    if (/^(?!file:)[a-z][a-z0-9+.-]+:/i.test(location)) return STREAM;
    const [track = ''] = found.tracks.map((number) => this.#paths[number] ?? '');
    const messages: Record<typeof found.reason, string> = {
      absent: 'No file of the library is called so.',
      elsewhere: `The file of that name lies in another folder (“${track}”).`,
      ending: `The file of that name has another ending (“${track}”).`,
      ambiguous: 'Several tracks might be meant.',
    };
    return { reason: found.reason, message: messages[found.reason] };
  }
}

const STREAM = { reason: 'stream', message: 'It is not a file on a disk.' } as const;

const isRelative = (location: string): boolean => !/^([/\\]|[a-z]:[/\\]|file:)/i.test(location);

function nameKey(artist: string | null, title: string | null): string | null {
  const [a, b] = [artist, title].map((text) => text?.trim().normalize().toLowerCase() ?? '');
  return a === '' || b === '' ? null : `${a ?? ''}\n${b ?? ''}`;
}
