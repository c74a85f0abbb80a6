import { orNull, splitTitle, type Playlist, type PlaylistEntry } from './playlist.ts';

const LINE_END = /\r\n|\n|\r/;

/** M3U and extended M3U (M3U8 is the same in UTF-8): a path or URL a line, with `#EXTINF:seconds,artist - title` before it. */
export function parseM3u(text: string): Playlist {
  const entries: PlaylistEntry[] = [];
  let name: string | null = null;
  let said = splitTitle('');
  for (const line of text.split(LINE_END)) {
    const location = line.trim();
    if (location === '') continue;
    if (!location.startsWith('#')) {
      entries.push({ location, ...said });
      said = splitTitle('');
    } else if (/^#EXTINF:/i.test(location)) said = splitTitle(afterComma(location));
    else if (/^#PLAYLIST:/i.test(location)) name = orNull(location.slice(10));
  }
  return { name, format: 'm3u', entries };
}

/** PLS, as Winamp made it: `File1=`, `Title1=` by number, in whatever order. */
export function parsePls(text: string): Playlist {
  const byNumber = new Map<number, { location: string; title: string }>();
  for (const line of text.split(LINE_END)) {
    const [, key = '', number = '', value = ''] = /^\s*(file|title)(\d{1,9})\s*=(.*)$/i.exec(line) ?? [];
    if (key === '') continue;
    const entry = byNumber.get(Number(number)) ?? { location: '', title: '' };
    entry[key.toLowerCase() === 'file' ? 'location' : 'title'] = value.trim();
    byNumber.set(Number(number), entry);
  }
  const entries = [...byNumber]
    .sort(([a], [b]) => a - b)
    .flatMap(([, { location, title }]) => (location === '' ? [] : [{ location, ...splitTitle(title) }]));
  return { name: null, format: 'pls', entries };
}

function afterComma(line: string): string {
  const comma = line.indexOf(',');
  return comma < 0 ? '' : line.slice(comma + 1);
}
