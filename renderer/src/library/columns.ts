import type { SortKey } from './tracks.svelte.ts';

export interface Column {
  key: SortKey;
  title: string;
  /** CSS grid track. */
  width: string;
  number?: boolean;
  /** The column is shown when the table is at least this wide, in pixels. */
  from: number;
}

export const columns: readonly Column[] = [
  { key: 'state', title: '', width: '28px', from: 0 },
  { key: 'title', title: 'Title', width: 'minmax(128px, 2fr)', from: 0 },
  { key: 'label', title: 'Label', width: 'minmax(88px, 1fr)', from: 0 },
  { key: 'prediction', title: 'Prediction', width: 'minmax(104px, 1.2fr)', from: 0 },
  { key: 'probability', title: 'Prob.', width: '72px', number: true, from: 520 },
  { key: 'artist', title: 'Artist', width: 'minmax(80px, 1fr)', from: 860 },
  { key: 'path', title: 'File', width: 'minmax(120px, 1.6fr)', from: 720 },
  { key: 'duration', title: 'Length', width: '64px', number: true, from: 0 },
  { key: 'windows', title: 'Windows', width: '76px', number: true, from: 620 },
];

/** The columns that fit a table of so many pixels. Several predicted labels need room, and tell their probabilities. */
export function columnsFor(width: number, predictsSeveral: boolean): Column[] {
  return columns
    .filter((column) => width >= column.from && !(predictsSeveral && column.key === 'probability'))
    .map((column) =>
      predictsSeveral && column.key === 'prediction' ? { ...column, width: 'minmax(168px, 2.6fr)' } : column,
    );
}
