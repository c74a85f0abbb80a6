import { Readable } from 'node:stream';
import { parse, type Parser } from 'csv-parse';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { isMissing, sniffDelimiter, unescapeFormula, utf8Chunks, type Delimiter } from '../text/index.ts';
import { classColumnOf, rowLabels, type ClassColumn } from './class-column.ts';
import { describedColumns } from './csv-columns.ts';
import { DatasetError, place, readFailure } from './errors.ts';
import { LABEL_HINT, LabelCells } from './label-cells.ts';
import { decimal } from './numbers.ts';
import { openText, type OpenText } from './open-text.ts';
import { EXCLUDED, noLabels, planColumns, type ColumnPlan } from './plan.ts';
import type { ColumnChoice } from './plan.ts';
import { RowCollector } from './rows.ts';
import type { RawDataset, SourceOptions } from './source.ts';
import type { DatasetWarning } from './types.ts';

/** Columns that Archetone's own tables mark as labels; what follows is the label's name. */
export const LABEL_PREFIX = 'label:';
/** Longest line that is read: about a million numbers. */
const MAX_RECORD_BYTES = 32 * 1024 * 1024;
/** From so much text it is told what parts the cells. */
const HEAD_BYTES = 64 * 1024;
/** Rows from which it is told what a column holds. */
const SAMPLE_ROWS = 50;
const DECIMAL_COMMA = /^[-+]?\d*,\d+(e[-+]?\d+)?$/i;

/**
 * Reads a multilabel CSV (plain or `.gz`): a header row, features first, the last `labelCount` columns 0/1 labels.
 * @throws as {@link readCsv}
 */
export async function readMultilabelCsv(
  path: string,
  options: { labelCount: number; signal?: AbortSignal },
): Promise<LabelledVectors & { featureNames: string[] }> {
  const { labelCount, signal } = options;
  const { features, count, dim, labels, labelNames, featureNames } = await readCsv(path, {
    labels: { kind: 'last', count: labelCount },
    signal,
  });
  return { features, count, dim, labels, labelNames, featureNames };
}

/**
 * Reads a table, plain or `.gz`, with a header row; numbers stay float64 as written. The file is streamed, in UTF-8,
 * UTF-16 or Windows-1252; commas, semicolons, tabs or bars part its cells, and decimal commas are read where commas do not
 * part them. Columns of text and the index of a table are left out with a note. Without a choice of labels the columns
 * named `label:…` are it, and the features are what Archetone's tables call them.
 * @throws DatasetError naming line and column; the signal's reason on abort.
 */
export async function readCsv(path: string, options: SourceOptions): Promise<RawDataset> {
  if (options.labels && options.labels.kind !== 'names') checkCount(options.labels.count);
  const pacer = new Pacer(options.signal);
  let file: OpenText | null = null;
  let text: Readable | null = null;
  let records: Parser | null = null;
  try {
    file = await openText(path);
    const { head, all } = await withHead(utf8Chunks(file.bytes));
    const delimiter = sniffDelimiter(head);
    const told = /^("?)sep=.\1\r?\n/i.exec(head)?.[0];
    const table = new CsvTable(path, options, delimiter, told === undefined ? 0 : 1);
    const parser = (records = parse({
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      // Blanks inside quotes belong to the text. A tab that parts cells is none.
      ltrim: delimiter !== '\t' && hasLayout(head, delimiter),
      rtrim: delimiter !== '\t',
      max_record_size: MAX_RECORD_BYTES,
    }));
    text = Readable.from(all(told?.length ?? 0));
    text.on('error', (error) => parser.destroy(error));
    text.pipe(parser);
    for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      table.add(item.record, item.info.lines);
      if (pacer.due(item.record.length * 50)) await pacer.pause();
    }
    return await table.finish(pacer);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw syntaxError(path, error) ?? readFailure(path, error, 'Is it a CSV file, plain or gzip, and whole?');
  } finally {
    file?.close();
    text?.destroy();
    records?.destroy();
  }
}

/** Whether a blank follows what parts the cells of the header throughout: it is layout then, and else part of a name. */
function hasLayout(head: string, delimiter: Delimiter): boolean {
  const [header = ''] = head.split(/[\r\n]/, 1);
  const [, ...others] = header.split(delimiter);
  return others.length > 0 && others.every((cell) => /^\s/.test(cell));
}

/** The first bytes as text, and everything from a byte on as it comes. */
async function withHead(
  chunks: AsyncGenerator<Buffer, void>,
): Promise<{ head: string; all: (from: number) => AsyncGenerator<Buffer, void> }> {
  const first: Buffer[] = [];
  let bytes = 0;
  while (bytes < HEAD_BYTES) {
    const { value } = await chunks.next();
    if (value === undefined) break;
    first.push(value);
    bytes += value.length;
  }
  const head = Buffer.concat(first);
  return {
    head: head.toString('utf8', 0, HEAD_BYTES),
    all: async function* (from) {
      yield head.subarray(from);
      yield* chunks;
    },
  };
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

/** Turns records into rows: the first is the header. The first rows wait until they tell what their columns hold. */
class CsvTable {
  readonly #path: string;
  readonly #options: SourceOptions;
  readonly #delimiter: Delimiter;
  readonly #lineOffset: number;
  #header: string[] | null = null;
  /** Whether the header may be a remark: the next line tells. */
  #isRemark = false;
  #waiting: { record: string[]; line: number }[] = [];
  #plan: ColumnPlan | null = null;
  #rows: RowCollector | null = null;
  #labels: LabelCells | null = null;
  /** Of a single label column. */
  #classes: ClassColumn | null = null;
  #dropped = 0;
  #warnings: DatasetWarning[] = [];
  /** Whether numbers have decimal points or commas: what the first broken number had. */
  #mark: '.' | ',' | null = null;

  /** @param lineOffset lines before the first record */
  constructor(path: string, options: SourceOptions, delimiter: Delimiter, lineOffset: number) {
    this.#path = path;
    this.#options = options;
    this.#delimiter = delimiter;
    this.#lineOffset = lineOffset;
  }

  add(record: string[], lines: number): void {
    const line = lines + this.#lineOffset;
    // Spreadsheets leave empty rows behind.
    if (record.every((cell) => cell.trim() === '')) return;
    if (this.#header === null) {
      this.#head(record, line);
      return;
    }
    if (this.#isRemark && (record.length !== this.#header.length || isRemark(record[0] ?? ''))) {
      this.#isRemark = false;
      this.#head(record, line);
      return;
    }
    this.#isRemark = false;
    // R names every column but that of its row names.
    if (
      this.#waiting.length === 0 &&
      this.#rows === null &&
      record.length === this.#header.length + 1 &&
      record.at(-1) !== ''
    )
      this.#header = ['', ...this.#header];
    if (record.length !== this.#header.length) throw this.#ragged(record.length, this.#header.length, line);
    if (this.#rows !== null) this.#addRow(record, line);
    else {
      this.#waiting.push({ record, line });
      if (this.#waiting.length === SAMPLE_ROWS) this.#begin();
    }
  }

  /** Takes the names of the columns. A line that begins with # may be a remark in front of them, or hold them (NumPy). */
  #head(record: string[], line: number): void {
    const [first = ''] = record;
    if (isRemark(first)) {
      this.#isRemark = true;
      record = [first.replace(/^#\s+/, ''), ...record.slice(1)];
    } else if (hasNoNames(record))
      throw new DatasetError(
        'syntax',
        `${place(this.#path, line)} holds numbers where the names of the columns are expected.`,
        'The first line must name the columns: add one.',
        line,
      );
    // Archetone's own tables keep spreadsheets from running names.
    this.#header = record.map(unescapeFormula);
  }

  async finish(pacer: Pacer): Promise<RawDataset> {
    if (this.#header !== null && this.#rows === null) this.#begin();
    if (this.#plan === null || this.#rows === null || this.#rows.count === 0)
      throw new DatasetError(
        'empty',
        `${this.#path} holds no rows.`,
        'A header row and at least one row are needed.',
      );
    const { featureNames } = this.#plan;
    const raw = await this.#rows.finish(pacer);
    const { labels, labelNames, classPerRow, warnings } = rowLabels(raw, this.#plan, this.#classes);
    return {
      ...raw,
      name: null,
      dim: featureNames.length,
      featureNames,
      labels,
      labelNames: labelNames.map((name) =>
        this.#options.labels || classPerRow ? name : name.slice(LABEL_PREFIX.length),
      ),
      classPerRow,
      dropped: this.#dropped,
      warnings: [...this.#warnings, ...warnings],
      nominal: new Map(),
    };
  }

  #begin(): void {
    const header = this.#header ?? [];
    const rows = this.#waiting.map(({ record }) => record);
    const asked = this.#options.exclude ?? [];
    const labels = this.#options.labels;
    const free = header.filter(
      (name) =>
        !asked.includes(name) &&
        !name.startsWith(LABEL_PREFIX) &&
        !(labels?.kind === 'names' && labels.names.includes(name)) &&
        header.indexOf(name) === header.lastIndexOf(name),
    );
    const classEnd = labels && labels.kind !== 'names' && labels.count === 1 ? labels.kind : null;
    const found = describedColumns(header, free, rows, classEnd);
    this.#warnings = found.warnings;
    this.#plan = planTable(this.#path, header, {
      ...this.#options,
      exclude: [...asked, ...found.exclude],
    });
    this.#rows = new RowCollector(this.#path, this.#plan);
    this.#labels = new LabelCells(this.#plan);
    this.#classes = classColumnOf(this.#path, this.#plan);
    for (const { record, line } of this.#waiting) this.#addRow(record, line);
    this.#waiting = [];
  }

  #addRow(record: string[], line: number): void {
    const { plan, rows } = this.#open();
    rows.next();
    for (let column = 0; column < record.length; column++) {
      const target = plan.targets[column] ?? EXCLUDED;
      if (target === EXCLUDED) continue;
      const cell = (record[column] ?? '').trim();
      if (this.#options.missing === 'drop-rows' && isMissing(cell)) {
        rows.drop();
        this.#dropped++;
        return;
      }
      if (target >= 0) rows.featureBlock[rows.featureOffset + target] = this.#number(cell, line, column);
      else if (this.#classes) this.#classes.setCell(rows.count - 1, unescapeFormula(cell), line);
      else rows.labelBlock[rows.labelOffset - target - 1] = this.#label(-target - 1, cell, line, column);
    }
    if (plan.idColumn >= 0) rows.id(record[plan.idColumn] ?? '');
  }

  #open(): { plan: ColumnPlan; rows: RowCollector } {
    if (this.#plan === null || this.#rows === null) throw new Error('No row comes before its plan');
    return { plan: this.#plan, rows: this.#rows };
  }

  #number(cell: string, line: number, column: number): number {
    const value = this.#value(cell);
    if (!Number.isNaN(value)) return value;
    const isMixed = this.#mark !== null && /^[-+]?\d*[.,]\d+(e[-+]?\d+)?$/i.test(cell);
    throw new DatasetError(
      'not-a-number',
      `${place(this.#path, line)}: “${cell}” in column “${this.#header?.[column] ?? ''}” ${isMixed ? 'has another decimal mark than the numbers before it' : 'is not a finite number'}.`,
      isMixed
        ? 'Write all numbers with decimal points, without marks for thousands.'
        : 'Fill in missing values or drop their rows (--missing drop-rows); encode categories as numbers; leave text columns out with --exclude.',
      line,
      column + 1,
    );
  }

  /** A comma in a number can only be told from one between cells where something else parts them. */
  #value(cell: string): number {
    const value = decimal(cell);
    if (this.#delimiter === ',') return Number.isNaN(value) ? truth(cell) : value;
    const mark = cell.includes('.') ? '.' : cell.includes(',') ? ',' : null;
    if (mark === null) return Number.isNaN(value) ? truth(cell) : value;
    const number = mark === '.' ? value : DECIMAL_COMMA.test(cell) ? Number(cell.replace(',', '.')) : NaN;
    if (!Number.isFinite(number)) return NaN;
    this.#mark ??= mark;
    return this.#mark === mark ? number : NaN;
  }

  #label(label: number, cell: string, line: number, column: number): 0 | 1 {
    const borne = this.#labels?.word(label, cell) ?? null;
    if (borne !== null) return borne;
    throw new DatasetError(
      'bad-label',
      `${place(this.#path, line)}: label “${this.#header?.[column] ?? ''}” is “${cell}”.`,
      LABEL_HINT,
      line,
      column + 1,
    );
  }

  #ragged(values: number, expected: number, line: number): DatasetError {
    return new DatasetError(
      'ragged',
      `${place(this.#path, line)}: ${values} values where the header has ${expected}.`,
      'Every line needs the same number of values.',
      line,
      Math.min(values, expected) + 1,
    );
  }
}

/** Whether a first cell is a remark, as `# made by` is, and not a column that is called `#`. */
const isRemark = (cell: string): boolean => /^#+\s*[^\s#]/.test(cell);

/** Whether what should be names are the values of a row. Columns may be numbered, but from 0 or 1 on, and once each. */
function hasNoNames(record: readonly string[]): boolean {
  const cells = record.map((cell) => cell.trim());
  return (
    cells.every((cell) => !Number.isNaN(decimal(cell))) &&
    (new Set(cells).size < cells.length || cells.some((cell) => !/^\d+$/.test(cell)))
  );
}

/** Booleans are numbers, as in the other formats. */
function truth(cell: string): number {
  const word = cell.toLowerCase();
  return word === 'true' ? 1 : word === 'false' ? 0 : NaN;
}

/**
 * Columns of a table. A table that Archetone wrote for a library says by itself what is what: `label:…` are labels,
 * `z0`, `z1` … features, the rest describes the rows; without `z0` all others are features.
 */
function planTable(path: string, header: readonly string[], options: SourceOptions): ColumnPlan {
  const exclude = options.exclude ?? [];
  if (options.labels) return planColumns(path, header, options.labels, exclude, 1);
  const names = header.filter((name) => name.startsWith(LABEL_PREFIX));
  if (names.length === 0) throw noLabels(path);
  const labels: ColumnChoice = { kind: 'names', names };
  if (!header.includes('z0')) return planColumns(path, header, labels, exclude, 1);
  const described = header.filter((name) => !name.startsWith(LABEL_PREFIX) && !/^z\d+$/.test(name));
  return planColumns(path, header, labels, [...new Set([...exclude, ...described])], 1);
}
