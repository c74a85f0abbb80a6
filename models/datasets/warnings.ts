import type { Pacer } from '../numerics/pacer.ts';
import type { RawDataset } from './source.ts';
import type { DatasetWarning, DatasetWarningCode } from './types.ts';

/** Columns a warning lists; the message counts them all. */
const MAX_LISTED = 100;
/** Fewer rows than this say nothing about a column's nature. */
const ENOUGH_ROWS = 10;
/** Share of distinct values from which a nominal column names rows. */
const ID_SHARE = 0.9;
const ID_NAME = /^(id|ids|index|idx|row|row_?id|key|name|.*[_\- .]id)$/i;

/** What a user should know about a data set before trusting results. */
export async function datasetWarnings(data: RawDataset, pacer: Pacer): Promise<DatasetWarning[]> {
  const { idLike, constant } = await columnFindings(data, pacer);
  const duplicates = await duplicateRows(data, pacer);
  const borne = labelCounts(data);
  const { labelNames, count } = data;
  const unused = labelNames.filter((_, label) => borne.perLabel[label] === 0);
  const universal = count > 1 ? labelNames.filter((_, label) => borne.perLabel[label] === count) : [];
  const coded = [...data.nominal].flatMap(([column, values]) => (values > 2 ? [column] : []));
  const names = (columns: readonly number[]): string[] =>
    columns.map((column) => data.featureNames[column] ?? '');
  const one = (number: number, singular: string, plural: string): string =>
    number === 1 ? `One ${singular}` : `${number} ${plural}`;
  const found: (DatasetWarning | null)[] = [
    count === 1 ? { code: 'one-row', message: 'The data set has one single row.' } : null,
    named(
      'id-like',
      names(idLike),
      (n) =>
        `${one(n, 'column names', 'columns name')} the rows instead of describing them; distances would be ruined. Leave out`,
    ),
    named(
      'constant',
      names(constant),
      (n) => `${one(n, 'feature has', 'features have')} the same value in every row`,
    ),
    duplicates > 0
      ? {
          code: 'duplicate-rows',
          message: `${one(duplicates, 'row has', 'rows have')} exactly the features of an earlier row.`,
        }
      : null,
    named('unused-label', unused, (n) => `${one(n, 'label is', 'labels are')} borne by no row`),
    named(
      'universal-label',
      universal,
      (n) =>
        `${one(n, 'label is', 'labels are')} borne by every row; MRHC and MRSP3 then stop at one prototype`,
    ),
    borne.unlabelled > 0
      ? {
          code: 'unlabelled-rows',
          message: `${one(borne.unlabelled, 'row bears', 'rows bear')} no label; MRHC and MRSP3 never merge such rows.`,
        }
      : null,
    named(
      'nominal-coded',
      names(coded),
      (n) =>
        `${one(n, 'feature is', 'features are')} nominal: the place of the value in its declaration is used as a number`,
    ),
    data.dropped > 0
      ? {
          code: 'rows-dropped',
          message: `${one(data.dropped, 'row was', 'rows were')} left out because a value is missing.`,
        }
      : null,
  ];
  return [...data.warnings, ...found.filter((warning) => warning !== null)];
}

function named(
  code: DatasetWarningCode,
  columns: string[],
  text: (count: number) => string,
): DatasetWarning | null {
  if (columns.length === 0) return null;
  const shown = columns.slice(0, 5).map((name) => `“${name}”`);
  const more = columns.length > shown.length ? ` and ${columns.length - shown.length} more` : '';
  return {
    code,
    message: `${text(columns.length)}: ${shown.join(', ')}${more}.`,
    columns: columns.slice(0, MAX_LISTED),
  };
}

async function columnFindings(
  data: RawDataset,
  pacer: Pacer,
): Promise<{ idLike: number[]; constant: number[] }> {
  const { features, count, dim } = data;
  const varies = new Uint8Array(dim);
  /** 1 while every row adds exactly 1 to the one before. */
  const counts = new Uint8Array(dim).fill(1);
  for (let row = 1; row < count; row++) {
    const at = row * dim;
    for (let d = 0; d < dim; d++) {
      const step = (features[at + d] as number) - (features[at - dim + d] as number);
      if (step !== 0) varies[d] = 1;
      if (step !== 1) counts[d] = 0;
    }
    if (pacer.due(dim * 4)) await pacer.pause();
  }
  const idLike: number[] = [];
  const constant: number[] = [];
  for (let d = 0; d < dim; d++) {
    if (count > 1 && varies[d] === 0) constant.push(d);
    if (count < ENOUGH_ROWS || varies[d] === 0) continue;
    const many = (data.nominal.get(d) ?? 0) >= ID_SHARE * count;
    const telling = counts[d] === 1 || ID_NAME.test(data.featureNames[d] ?? '');
    if (!many && !telling) continue;
    if (counts[d] === 1 || (await distinctShare(data, d, pacer)) >= (many ? ID_SHARE : 1)) idLike.push(d);
  }
  return { idLike, constant };
}

/** Distinct values of a column per row; 0 when it is not made of integers. */
async function distinctShare(
  { features, count, dim }: RawDataset,
  column: number,
  pacer: Pacer,
): Promise<number> {
  const values = new Set<number>();
  for (let row = 0; row < count; row++) {
    const value = features[row * dim + column] as number;
    if (!Number.isInteger(value)) return 0;
    values.add(value);
    if (pacer.due(16)) await pacer.pause();
  }
  return values.size / count;
}

/** Rows whose features are bit for bit those of an earlier row (0 and −0 count as different). */
async function duplicateRows({ features, count, dim }: RawDataset, pacer: Pacer): Promise<number> {
  const words = new Uint32Array(features.buffer, features.byteOffset, features.length * 2);
  const firstWithHash = new Map<number, number[]>();
  let duplicates = 0;
  for (let row = 0; row < count; row++) {
    const from = row * dim * 2;
    let hash = 0x811c9dc5;
    for (let i = from; i < from + dim * 2; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
    const candidates = firstWithHash.get(hash);
    if (candidates === undefined) firstWithHash.set(hash, [row]);
    else if (candidates.some((other) => sameWords(words, other * dim * 2, from, dim * 2))) duplicates++;
    // Rows made to collide must not make this quadratic; a few missed duplicates only weaken a warning.
    else if (candidates.length < 16) candidates.push(row);
    if (pacer.due(dim * 4)) await pacer.pause();
  }
  return duplicates;
}

function sameWords(words: Uint32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}

function labelCounts({ labels, labelNames, count }: RawDataset): {
  perLabel: Uint32Array;
  unlabelled: number;
} {
  const L = labelNames.length;
  const perLabel = new Uint32Array(L);
  let unlabelled = 0;
  for (let row = 0; row < count; row++) {
    let any = 0;
    for (let l = 0; l < L; l++) {
      const on = labels[row * L + l] as number;
      perLabel[l] = (perLabel[l] as number) + on;
      any |= on;
    }
    if (any === 0) unlabelled++;
  }
  return { perLabel, unlabelled };
}
