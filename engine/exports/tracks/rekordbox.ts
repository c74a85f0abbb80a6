import { extname } from 'node:path';
import XMLBuilder from 'fast-xml-builder';
import type { TrackRow } from '../../api/tracks.ts';
import { fileUrl } from '../playlists.ts';
import type { ExportedRow } from './rows.ts';

/** A playlist of the collection: numbers of tracks, from 1. */
export interface RekordboxPlaylist {
  name: string;
  tracks: readonly number[];
}

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
});

/** Rekordbox's names of kinds, by what files end in. */
const kinds: Readonly<Record<string, string>> = {
  '.mp3': 'MP3 File',
  '.wav': 'WAV File',
  '.flac': 'FLAC File',
  '.aif': 'AIFF File',
  '.aiff': 'AIFF File',
  '.m4a': 'M4A File',
};

/** Where files lie on this computer is said by absolute paths, as Rekordbox needs them. */
export interface RekordboxCollection {
  version: string;
  count: number;
  /** Rows of tracks, in order. */
  batches: AsyncIterable<readonly ExportedRow[]>;
  absolutePath: (trackPath: string) => string;
  /** Asked for when all tracks were read. */
  playlists: () => { name: string; lists: readonly RekordboxPlaylist[] }[];
}

/** A collection as “Import Collection” and “rekordbox xml” in Rekordbox read it (version 1.0.0 of its format). */
export async function* rekordboxPieces(collection: RekordboxCollection): AsyncGenerator<string> {
  const { version, count, batches, absolutePath, playlists } = collection;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS Version="1.0.0">\n';
  yield ` ${element('PRODUCT', { Name: 'Archetone', Version: version, Company: '' })}\n <COLLECTION Entries="${count}">\n`;
  let number = 0;
  for await (const rows of batches)
    yield rows
      .map((row) => `  ${element('TRACK', trackAttributes(row, ++number, absolutePath(row.track.path)))}\n`)
      .join('');
  const folders = playlists();
  const top = folders.filter(({ lists }) => lists.length > 0);
  yield ` </COLLECTION>\n <PLAYLISTS>\n  <NODE Type="0" Name="ROOT" Count="${top.length}">\n`;
  for (const { name, lists } of top) {
    yield `   ${opened({ Type: 0, Name: name, Count: lists.length })}\n`;
    for (const list of lists) {
      yield `    ${opened({ Name: list.name, Type: 1, KeyType: 0, Entries: list.tracks.length })}\n`;
      yield list.tracks.map((track) => `     ${element('TRACK', { Key: track })}\n`).join('');
      yield '    </NODE>\n';
    }
    yield '   </NODE>\n';
  }
  yield '  </NODE>\n </PLAYLISTS>\n</DJ_PLAYLISTS>\n';
}

function trackAttributes(
  { track, facts }: ExportedRow,
  number: number,
  path: string,
): Record<string, string | number> {
  const known: Record<string, string | number | null> = {
    TrackID: number,
    Name: track.title,
    Artist: track.artist,
    Album: track.album,
    Genre: track.genre.join(', '),
    Kind: kinds[extname(path).toLowerCase()] ?? null,
    Size: facts.bytes,
    TotalTime: track.durationSeconds === null ? null : Math.round(track.durationSeconds),
    Year: track.year,
    AverageBpm: facts.bpm === null ? null : facts.bpm.toFixed(2),
    SampleRate: facts.sampleRate,
    Comments: commentOf(track),
    Tonality: facts.musicalKey,
    // Rekordbox reads only URLs of this form.
    Location: fileUrl(path).replace(/^file:\/\/\//, 'file://localhost/'),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value]])),
  );
}

/** Labels and prediction, where a DJ sees them. */
function commentOf({ labels, prediction, notes }: TrackRow): string {
  const heard = prediction
    ? `heard as ${prediction.class} (${Math.round(100 * prediction.probability)} %)`
    : '';
  return [labels.join(', '), heard, notes].filter((part) => part !== '').join(' / ');
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const prefixed = Object.entries(attributes).map(([key, value]) => [`@${key}`, xmlText(String(value))]);
  return builder.build({ [name]: Object.fromEntries(prefixed) as Record<string, string> });
}

const opened = (attributes: Readonly<Record<string, string | number>>): string =>
  element('NODE', attributes).replace(/\/>$/, '>');

/** What XML 1.0 cannot hold in an attribute becomes a blank. */
const xmlText = (text: string): string => text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]+/gu, ' ');
