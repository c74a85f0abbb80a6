/** Which of the formats a playlist came in. */
export const playlistFormats = ['m3u', 'pls', 'xspf', 'rekordbox'] as const;
export type PlaylistFormat = (typeof playlistFormats)[number];

/** One line of a playlist, as its file says it. */
export interface PlaylistEntry {
  /** Path, relative or absolute, or URL; empty where the file names none. */
  location: string;
  artist: string | null;
  title: string | null;
}

/** A list of recordings that somebody put together. */
export interface Playlist {
  /** Null where the file does not name it. */
  name: string | null;
  format: PlaylistFormat;
  entries: PlaylistEntry[];
}

/** Why a file is not read as playlists. */
export type PlaylistErrorCode =
  'missing' | 'unreadable' | 'empty' | 'not-a-playlist' | 'syntax' | 'too-large';

/** A file that is no playlist that can be used. */
export class PlaylistError extends Error {
  override readonly name = 'PlaylistError';
  readonly code: PlaylistErrorCode;
  /** What to do next. */
  readonly hint: string;

  constructor(code: PlaylistErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** “Artist - Title”, as M3U and PLS write both in one line; what has no dash is a title. */
export function splitTitle(text: string): Pick<PlaylistEntry, 'artist' | 'title'> {
  const dash = text.indexOf(' - ');
  const [artist, title] = dash < 0 ? ['', text] : [text.slice(0, dash), text.slice(dash + 3)];
  return { artist: orNull(artist), title: orNull(title) };
}

/** Trimmed; null where nothing is left. */
export function orNull(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}
