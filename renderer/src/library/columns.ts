import * as z from 'zod';
import { tagOfName } from '../../../engine/api/tags.ts';
import { MOST_TAGS } from '../../../engine/api/tracks.ts';
import type { SortKey } from './tracks.svelte.ts';

const columnKeys = [
  ...([
    'state',
    'cover',
    'title',
    'name',
    'label',
    'prediction',
    'probability',
    'second',
    'margin',
    'split',
  ] as const),
  ...(['artist', 'album', 'genre', 'year', 'notes', 'path', 'duration', 'windows'] as const),
] as const;
/** A column of a tag: what `tagName` writes stands behind “tag:”. */
export type TagKey = `tag:${string}`;
export type ColumnKey = (typeof columnKeys)[number] | TagKey;

const TAG = 'tag:';
export const tagKey = (name: string): TagKey => `${TAG}${name}`;
const isTagKey = (key: string): key is TagKey =>
  key.startsWith(TAG) && tagOfName(key.slice(TAG.length)) !== null;

export interface Column {
  key: ColumnKey;
  title: string;
  /** What its heading sorts by; null where there is no order. */
  sort: SortKey | null;
  /** Least width in pixels. */
  least: number;
  /** Share of the width that is left over; 0 keeps the least width. */
  share: number;
  number?: boolean;
  /** Whose mean it shows, as `tagName` writes it. */
  tag?: string;
  /** Unless chosen: shown when the table is at least so wide, in pixels; null never by itself. */
  from: number | null;
}

/** Every column, in the order in which they stand unless a person moved them. */
export const columns: readonly Column[] = [
  { key: 'state', title: '', sort: 'state', least: 28, share: 0, from: 0 },
  { key: 'cover', title: 'Cover', sort: null, least: 48, share: 0, from: null },
  { key: 'title', title: 'Title', sort: 'title', least: 128, share: 2, from: 0 },
  { key: 'name', title: 'File name', sort: 'path', least: 128, share: 2, from: null },
  { key: 'label', title: 'Label', sort: 'label', least: 88, share: 1, from: 0 },
  { key: 'prediction', title: 'Prediction', sort: 'prediction', least: 104, share: 1.2, from: 0 },
  { key: 'probability', title: 'Prob.', sort: 'probability', least: 72, share: 0, number: true, from: 520 },
  { key: 'second', title: 'Second', sort: 'second', least: 96, share: 1, from: null },
  { key: 'margin', title: 'Margin', sort: 'margin', least: 72, share: 0, number: true, from: null },
  { key: 'split', title: 'Split', sort: 'split', least: 80, share: 0, from: null },
  { key: 'artist', title: 'Artist', sort: 'artist', least: 80, share: 1, from: 860 },
  { key: 'album', title: 'Album', sort: 'album', least: 80, share: 1, from: null },
  { key: 'genre', title: 'Genre', sort: 'genre', least: 80, share: 0.8, from: null },
  { key: 'year', title: 'Year', sort: 'year', least: 56, share: 0, number: true, from: null },
  { key: 'notes', title: 'Notes', sort: 'notes', least: 120, share: 1.4, from: null },
  { key: 'path', title: 'File', sort: 'path', least: 120, share: 1.6, from: 720 },
  { key: 'duration', title: 'Length', sort: 'duration', least: 64, share: 0, number: true, from: 0 },
  { key: 'windows', title: 'Windows', sort: 'windows', least: 76, share: 0, number: true, from: 620 },
];

const columnOf = (key: ColumnKey): Column | undefined =>
  isTagKey(key) ? tagColumn(key) : columns.find((column) => column.key === key);

function tagColumn(key: TagKey): Column {
  const tag = key.slice(TAG.length);
  const title = tagOfName(tag)?.tag ?? tag;
  return { key, title, sort: 'tag', least: 72, share: 0, number: true, from: null, tag };
}

/** The tags that have a column. */
export const tagsShown = (list: ChosenColumns | null): string[] =>
  (list ?? []).flatMap(({ key }) => (isTagKey(key) ? [key.slice(TAG.length)] : []));

const keySchema = z.union([
  z.enum(columnKeys),
  z.custom<TagKey>((key) => typeof key === 'string' && isTagKey(key)),
]);

/** A column that a person chose; `width` in pixels, null as it is by itself. */
export const chosenColumnsSchema = z
  .array(z.strictObject({ key: keySchema, width: z.number().min(24).max(2000).nullable() }))
  .min(1)
  .max(columnKeys.length + MOST_TAGS)
  .refine((list) => list.filter(({ key }) => isTagKey(key)).length <= MOST_TAGS, 'too many tags')
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'a column stands twice');
export type ChosenColumns = z.output<typeof chosenColumnsSchema>;

export interface ShownColumn extends Column {
  /** CSS grid track. */
  track: string;
}

/**
 * The columns of a table: those that were chosen, or those that fit its width. Several predicted labels need room, and
 * tell their own probabilities.
 */
export function shownColumns(
  chosen: ChosenColumns | null,
  width: number,
  predictsSeveral: boolean,
): ShownColumn[] {
  const list = chosen ?? fitting(width, predictsSeveral);
  return list.flatMap(({ key, width: own }) => {
    const column = columnOf(key);
    if (!column) return [];
    const wide = predictsSeveral && key === 'prediction' ? { ...column, least: 168, share: 2.6 } : column;
    const { least, share } = wide;
    const track = own !== null ? `${own}px` : share === 0 ? `${least}px` : `minmax(${least}px, ${share}fr)`;
    return [{ ...wide, least: own ?? least, track }];
  });
}

/** What stands in a table of so many pixels unless columns were chosen. */
export function fitting(width: number, predictsSeveral: boolean): ChosenColumns {
  return columns
    .filter(({ key, from }) => from !== null && width >= from && !(predictsSeveral && key === 'probability'))
    .map(({ key }) => ({ key, width: null }));
}

/** Least width of a row, in pixels, below which the table is scrolled sideways. */
export const leastWidth = (shown: readonly ShownColumn[]): number =>
  shown.reduce((sum, { least }) => sum + least, 8);

/** Where columns stand by themselves: those of tags behind what experiments say, in the order in which they were chosen. */
const placeOf = (key: ColumnKey): number =>
  isTagKey(key) ? columnKeys.indexOf('split') + 0.5 : columnKeys.indexOf(key);

/** With a column where it stands by itself, or without it; one column always stays. */
export function toggled(list: ChosenColumns, key: ColumnKey): ChosenColumns {
  const without = list.filter((column) => column.key !== key);
  if (without.length < list.length) return without.length > 0 ? without : list;
  const place = placeOf(key);
  const after = list.findIndex((column) => placeOf(column.key) > place);
  return list.toSpliced(after < 0 ? list.length : after, 0, { key, width: null });
}

/** With a column so many places further right (or left). */
export function moved(list: ChosenColumns, key: ColumnKey, by: number): ChosenColumns {
  const from = list.findIndex((column) => column.key === key);
  const column = list[from];
  const to = from + by;
  if (!column || to < 0 || to >= list.length) return list;
  return list.toSpliced(from, 1).toSpliced(to, 0, column);
}

/** With a column of that width in pixels; null: as it is by itself. */
export function sized(list: ChosenColumns, key: ColumnKey, width: number | null): ChosenColumns {
  const own = width === null ? null : Math.round(Math.min(2000, Math.max(24, width)));
  return list.map((column) => (column.key === key ? { ...column, width: own } : column));
}
