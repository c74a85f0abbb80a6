import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import type { MultilabelSet } from '../embeddings/set.ts';
import { Pacer } from '../numerics/pacer.ts';
import { DatasetError, place, readFailure } from './errors.ts';
import { decimal } from './numbers.ts';
import { EXCLUDED, noLabels, planColumns, type ColumnPlan } from './plan.ts';
import type { ColumnChoice } from './plan.ts';
import { RowCollector } from './rows.ts';
import type { RawDataset, SourceOptions } from './source.ts';

/** Columns that Archetone's own tables mark as labels; what follows is the label's name. */
export const LABEL_PREFIX = 'label:';
/** Longest line that is read: about a million numbers. */
const MAX_RECORD_BYTES = 32 * 1024 * 1024;
/** What a missing value looks like in tables of the field. */
const MISSING = new Set(['', '?', 'NA', 'N/A', 'null', 'nan', 'NaN']);

/**
 * Reads a multilabel CSV (plain or `.gz`): a header row, features first, the last `labelCount` columns 0/1 labels.
 * @throws as {@link readCsv}
 */
export async function readMultilabelCsv(
  path: string,
  options: { labelCount: number; signal?: AbortSignal },
): Promise<MultilabelSet & { featureNames: string[] }> {
  const { labelCount, signal } = options;
  const { features, count, dim, labels, labelNames, featureNames } = await readCsv(path, {
    labels: { kind: 'last', count: labelCount },
    signal,
  });
  return { features, count, dim, labels, labelNames, featureNames };
}

/**
 * Reads a CSV, plain or `.gz`, with a header row; numbers stay float64 as written. The file is streamed. Without a
 * choice of labels the columns named `label:…` are it, and the features are what Archetone's tables call them.
 * @throws DatasetError naming line and column; the signal's reason on abort.
 */
export async function readCsv(path: string, options: SourceOptions): Promise<RawDataset> {
  if (options.labels && options.labels.kind !== 'names') checkCount(options.labels.count);
  const pacer = new Pacer(options.signal);
  const table = new CsvTable(path, options);
  const file = createReadStream(path);
  const text = path.toLowerCase().endsWith('.gz') ? createGunzip() : null;
  const records = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: MAX_RECORD_BYTES,
  });
  // Errors of a piped source do not travel along the pipe by themselves.
  file.on('error', (error) => records.destroy(error));
  text?.on('error', (error) => records.destroy(error));
  (text ? file.pipe(text) : file).pipe(records);
  try {
    for await (const item of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      table.add(item.record, item.info.lines);
      if (pacer.due(item.record.length * 50)) await pacer.pause();
    }
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw (
      syntaxError(path, error) ?? readFailure(path, error, 'Is it a CSV file, or gzip when it ends in .gz?')
    );
  } finally {
    file.destroy();
    text?.destroy();
    records.destroy();
  }
  return table.finish(pacer);
}

function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new DatasetError(
    'shape',
    `The number of labels must be at least 1, not ${count}.`,
    'Say how many columns are labels.',
  );
}

/** csv-parse tells where its syntax errors are; anything else is null. */
function syntaxError(path: string, error: unknown): DatasetError | null {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('CSV_')) return null;
  const line = 'lines' in error && typeof error.lines === 'number' ? error.lines : undefined;
  const column = 'column' in error && typeof error.column === 'number' ? error.column + 1 : undefined;
  return new DatasetError(
    'syntax',
    `${place(path, line, column)}: ${error.message}`,
    'Quotes must be closed, and quotes inside quoted text doubled.',
    line,
    column,
  );
}

/** Turns records into rows: the first is the header. */
class CsvTable {
  readonly #path: string;
  readonly #options: SourceOptions;
  #header: string[] = [];
  #plan: ColumnPlan | null = null;
  #rows: RowCollector | null = null;
  #dropped = 0;

  constructor(path: string, options: SourceOptions) {
    this.#path = path;
    this.#options = options;
  }

  add(record: string[], line: number): void {
    if (this.#plan === null || this.#rows === null) {
      this.#header = record;
      this.#plan = planTable(this.#path, record, this.#options);
      this.#rows = new RowCollector(this.#path, this.#plan);
    } else this.#addRow(this.#plan, this.#rows, record, line);
  }

  async finish(pacer: Pacer): Promise<RawDataset> {
    if (this.#plan === null || this.#rows === null || this.#rows.count === 0)
      throw new DatasetError(
        'empty',
        `${this.#path} holds no rows.`,
        'A header row and at least one row are needed.',
      );
    const { featureNames, labelNames } = this.#plan;
    return {
      ...(await this.#rows.finish(pacer)),
      name: null,
      dim: featureNames.length,
      featureNames,
      labelNames: labelNames.map((name) => (this.#options.labels ? name : name.slice(LABEL_PREFIX.length))),
      dropped: this.#dropped,
      warnings: [],
      nominal: new Map(),
    };
  }

  #addRow(plan: ColumnPlan, rows: RowCollector, record: string[], line: number): void {
    if (record.length !== this.#header.length)
      throw new DatasetError(
        'ragged',
        `${place(this.#path, line)}: ${record.length} values where the header has ${this.#header.length}.`,
        'Every line needs the same number of values.',
        line,
        Math.min(record.length, this.#header.length) + 1,
      );
    rows.next();
    for (let column = 0; column < record.length; column++) {
      const target = plan.targets[column] ?? EXCLUDED;
      if (target === EXCLUDED) continue;
      const cell = record[column] ?? '';
      if (this.#options.missing === 'drop-rows' && MISSING.has(cell)) {
        rows.drop();
        this.#dropped++;
        return;
      }
      if (target >= 0) rows.featureBlock[rows.featureOffset + target] = this.#number(cell, line, column);
      else rows.labelBlock[rows.labelOffset - target - 1] = this.#label(cell, line, column);
    }
    if (plan.idColumn >= 0) rows.id(record[plan.idColumn] ?? '');
  }

  #number(cell: string, line: number, column: number): number {
    const value = decimal(cell);
    if (!Number.isNaN(value)) return value;
    throw new DatasetError(
      'not-a-number',
      `${place(this.#path, line)}: “${cell}” in column “${this.#header[column] ?? ''}” is not a finite number.`,
      'Fill or remove missing values; encode categories as numbers; leave text columns out with --exclude.',
      line,
      column + 1,
    );
  }

  #label(cell: string, line: number, column: number): 0 | 1 {
    if (cell === '0' || cell === '1') return cell === '1' ? 1 : 0;
    throw new DatasetError(
      'bad-label',
      `${place(this.#path, line)}: label “${this.#header[column] ?? ''}” is “${cell}”.`,
      'Labels are 0 or 1.',
      line,
      column + 1,
    );
  }
}

/**
 * Columns of a table. A table that Archetone wrote for a library says by itself what is what: `label:…` are labels,
 * `z0`, `z1` … features, the rest describes the rows; without `z0` all others are features.
 */
export function planTable(path: string, header: readonly string[], options: SourceOptions): ColumnPlan {
  const exclude = options.exclude ?? [];
  if (options.labels) return planColumns(path, header, options.labels, exclude, 1);
  const names = header.filter((name) => name.startsWith(LABEL_PREFIX));
  if (names.length === 0) throw noLabels(path);
  const labels: ColumnChoice = { kind: 'names', names };
  if (!header.includes('z0')) return planColumns(path, header, labels, exclude, 1);
  const described = header.filter((name) => !name.startsWith(LABEL_PREFIX) && !/^z\d+$/.test(name));
  return planColumns(path, header, labels, [...new Set([...exclude, ...described])], 1);
}
