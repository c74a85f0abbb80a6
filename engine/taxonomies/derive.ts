import type { TaxonomySource } from '../api/taxonomies.ts';
import type { TaggedTrack } from '../library/tracks.ts';
import { distinct } from './labels.ts';

export type Labelsets = Map<string, string[]>;

/** The label is the top-level folder, composed (NFC); tracks that lie in no folder have none. */
export function labelsFromFolders(tracks: readonly TaggedTrack[]): Labelsets {
  return new Map(
    tracks.map(({ id, path }) => {
      const slash = path.indexOf('/');
      return [id, slash > 0 ? [path.slice(0, slash).normalize()] : []];
    }),
  );
}

/**
 * Labels are the words of the file name, split at `_`, `-` and blanks, in lower case and without plain numbers. The first
 * one is the class; of the others, words that occur in one track only are left out.
 */
export function labelsFromTokens(tracks: readonly TaggedTrack[]): Labelsets {
  const tokens = tracks.map(({ path }) => fileTokens(path));
  const occurrences = new Map<string, number>();
  for (const token of tokens.flat()) occurrences.set(token, (occurrences.get(token) ?? 0) + 1);
  return new Map(
    tracks.map(({ id }, row) => [
      id,
      (tokens[row] ?? []).filter((token, index) => index === 0 || (occurrences.get(token) ?? 0) > 1),
    ]),
  );
}

function fileTokens(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const words = (dot > 0 ? name.slice(0, dot) : name).toLowerCase().split(/[_\-\s]+/);
  return distinct(words.filter((word) => !/^\d+$/.test(word)));
}

/** Labels are the values of one tag; several genres, or values with `;`, give several labels. */
export function labelsFromTags(
  tracks: readonly TaggedTrack[],
  field: Extract<TaxonomySource, { kind: 'tags' }>['field'],
): Labelsets {
  return new Map(
    tracks.map((track) => {
      const value = track[field];
      const values = value === null ? [] : typeof value === 'object' ? value : [String(value)];
      return [track.id, distinct(values.flatMap((text) => text.split(';')))];
    }),
  );
}
