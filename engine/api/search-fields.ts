/** The fields that a search knows, and how values are written. */

/** What stands behind a field, and so how it may be asked for. */
export type FieldKind = 'text' | 'name' | 'number' | 'choice' | 'tag';

interface FieldInfo {
  kind: FieldKind;
  /** For people, in a list of fields. */
  about: string;
  /** Other ways to write its name. */
  also?: readonly string[];
  /** What has to be chosen for it to mean something. */
  needs?: 'taxonomy' | 'experiment';
  /** Choices: every value there is; numbers: how they are written. */
  values?: readonly string[];
  /** Numbers: shares may be written as percent, lengths as minutes and seconds. */
  unit?: 'share' | 'seconds';
}

/** Every field of the search language, in the order in which completion offers them. */
export const searchFields = {
  label: { kind: 'name', about: 'label in the chosen taxonomy', needs: 'taxonomy' },
  set: { kind: 'name', about: 'set that you keep' },
  pred: { kind: 'name', about: 'predicted label', also: ['predicted', 'prediction'], needs: 'experiment' },
  second: { kind: 'name', about: 'class that came second', needs: 'experiment' },
  p: {
    kind: 'number',
    about: 'probability of the prediction',
    also: ['prob', 'probability'],
    needs: 'experiment',
    unit: 'share',
  },
  margin: {
    kind: 'number',
    about: 'probability less that of the second class',
    needs: 'experiment',
    unit: 'share',
  },
  split: {
    kind: 'choice',
    about: 'part of the split it was in',
    needs: 'experiment',
    values: ['train', 'validation', 'test'],
  },
  is: {
    kind: 'choice',
    about: 'what is so of a track',
    values: ['right', 'wrong', 'judged', 'labelled', 'predicted', 'left-out', 'damaged', 'duplicate'],
  },
  tag: { kind: 'tag', about: 'mean of a tag that a pack heard: tag:rock>0.6', unit: 'share' },
  artist: { kind: 'text', about: 'artist' },
  album: { kind: 'text', about: 'album' },
  title: { kind: 'text', about: 'title' },
  genre: { kind: 'text', about: 'genre in the tags' },
  file: { kind: 'text', about: 'path in the music folder', also: ['path'] },
  comment: { kind: 'text', about: 'comment in the tags' },
  notes: { kind: 'text', about: 'what you noted' },
  key: { kind: 'text', about: 'musical key in the tags' },
  format: { kind: 'text', about: 'file format' },
  len: { kind: 'number', about: 'length in seconds', also: ['length', 'duration'], unit: 'seconds' },
  year: { kind: 'number', about: 'year in the tags' },
  bpm: { kind: 'number', about: 'tempo in the tags' },
  windows: { kind: 'number', about: 'embedded windows' },
  state: { kind: 'choice', about: 'state', values: ['pending', 'ready', 'failed', 'missing'] },
} as const satisfies Record<string, FieldInfo>;

export type SearchField = keyof typeof searchFields;
type FieldOf<K extends FieldKind> = {
  [F in SearchField]: (typeof searchFields)[F]['kind'] extends K ? F : never;
}[SearchField];
export type TextField = FieldOf<'text'>;
export type NameField = FieldOf<'name'>;
export type NumberField = FieldOf<'number'>;
export type ChoiceField = FieldOf<'choice'>;
export type TagField = FieldOf<'tag'>;

export const searchFieldNames = Object.keys(searchFields) as SearchField[];

export const textFieldNames = searchFieldNames.filter((field): field is TextField => isOfKind(field, 'text'));

function isOfKind<K extends FieldKind>(field: SearchField, kind: K): field is FieldOf<K> {
  return searchFields[field].kind === kind;
}

export const isNameField = (field: SearchField): field is NameField => isOfKind(field, 'name');
export const tagFieldNames = searchFieldNames.filter((field): field is TagField => isOfKind(field, 'tag'));
export const nameFieldNames = searchFieldNames.filter(isNameField);

/** What a field is, as one type for all. */
export function fieldInfo(field: SearchField): FieldInfo {
  return searchFields[field];
}

/** Field by its name or another way to write it, whatever the case; undefined where there is none. */
export function fieldNamed(name: string): SearchField | undefined {
  const wanted = name.toLowerCase();
  return searchFieldNames.find((field) => field === wanted || fieldInfo(field).also?.includes(wanted));
}

/** A value as it is written in a search: in quotes where it would be read as something else. */
export function searchValue(value: string): string {
  // Behind the name of a tag its number follows at once.
  return /^[^\s",*\\:<>=]+$/.test(value) && !value.startsWith('-') ? value : quoted(value);
}

export function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, (mark) => `\\${mark}`)}"`;
}

const CLOCK = /^(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)$/;
const PLAIN = /^([+-]?(?:\d+\.?\d*|\.\d+))(%|ms|s|m|min|h)?$/;
const seconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };

/** A number as a search writes it: `0.5`, `50%`, `1:30`, `250ms`; null where it is none. */
export function searchNumber(text: string, unit: FieldInfo['unit']): number | null {
  const clock = unit === 'seconds' ? CLOCK.exec(text) : null;
  if (clock) return Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
  const [, digits, suffix] = PLAIN.exec(text) ?? [];
  if (digits === undefined) return null;
  if (suffix === undefined) return Number(digits);
  if (unit === 'share' && suffix === '%') return Number(digits) / 100;
  const factor = seconds[suffix];
  return unit === 'seconds' && factor !== undefined ? Number(digits) * factor : null;
}
