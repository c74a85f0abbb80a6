import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { sniffDelimiter, unescapeFormula, utf8Chunks, type Delimiter } from '../../models/text/index.ts';
import { EngineError } from '../api/errors.ts';
import { distinct } from './labels.ts';

/** One row of a label file. */
export interface LabelRow {
  /** As the file writes it. */
  path: string;
  labels: string[];
}

/** Larger files are no lists of labels: a line for each of ten million tracks is a quarter of it. */
const MAX_BYTES = 4 * 1024 ** 3;
/** Longest line that is read, in characters. */
const MAX_LINE = 1_000_000;
/** What is made of one chunk is gone before the next: larger ones outlive the young part of the heap. */
const CHUNK_BYTES = 1 << 16;
const BATCH_ROWS = 1000;
const MAX_KNOWN = 10_000;
const HINT =
  'The first line must be “path,label” (more label columns may follow) or “path,labels” with “;” between labels; commas, semicolons or tabs part the cells.';

/**
 * Reads a label file, some rows at a time: `path,label[,label…]`, or `path,labels` with `;` between the labels of a track.
 * In UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars part the cells.
 * @throws EngineError `unreadable`, `bad-input`
 */
export async function* readLabelRows(path: string): AsyncGenerator<LabelRow[], void> {
  await requireTable(path);
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    yield* labelRows(records(utf8Chunks(file), path), path);
  } catch (thrown) {
    throw thrown instanceof EngineError ? thrown : unreadable(path, thrown);
  } finally {
    file.destroy();
  }
}

async function requireTable(path: string): Promise<void> {
  let facts: Stats;
  try {
    facts = await stat(path);
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
  // Devices and pipes have no end.
  if (!facts.isFile())
    throw new EngineError('unreadable', `${path} is no regular file.`, 'Choose a table of paths and labels.');
  if (facts.size > MAX_BYTES)
    throw new EngineError(
      'bad-input',
      `${path} has ${Math.round(facts.size / 1024 ** 3)} GiB; label files of up to 4 GiB are read.`,
      'Is it a table of paths and labels? Split it, or leave out rows of other music.',
    );
}

function unreadable(path: string, thrown: unknown): EngineError {
  return new EngineError(
    'unreadable',
    `The label file ${path} cannot be read.`,
    'Check its name and permissions.',
    { cause: thrown },
  );
}

/** Many tracks bear few different labels: each is made once. */
class Labelsets {
  readonly #known = new Map<string, string[]>();

  of(cells: readonly string[]): string[] {
    const [cell = ''] = cells;
    if (cells.length !== 1) return distinct(cells.map(unescapeFormula));
    let labels = this.#known.get(cell);
    if (labels === undefined) {
      labels = distinct([unescapeFormula(cell)]);
      if (this.#known.size < MAX_KNOWN) this.#known.set(cell, labels);
    }
    return labels;
  }
}

/** Rows of a table whose first record is its header. */
async function* labelRows(
  tables: AsyncIterable<{ records: string[][]; delimiter: Delimiter }>,
  name: string,
): AsyncGenerator<LabelRow[], void> {
  let table: TableHeader | null = null;
  const known = new Labelsets();
  for await (const { records: batch, delimiter } of tables) {
    let from = 0;
    if (table === null) {
      from = batch.findIndex(([first = '']) => !first.startsWith('#')) + 1;
      const header = batch[from - 1];
      if (!header) continue;
      table = headerOf(header, name);
    }
    const { isList, others } = table;
    const separator = delimiter === ';' ? /[;,|]/ : /[;|]/;
    const rows: LabelRow[] = [];
    for (let i = from; i < batch.length; i++) {
      const cells = batch[i] ?? [];
      const [path = '', first = '', ...more] =
        others.size === 0 ? cells : cells.filter((_, column) => !others.has(column));
      if (path === '') continue;
      const labels =
        isList && separator.test(first)
          ? first.split(separator)
          : isList || more.length === 0
            ? [first]
            : [first, ...more];
      rows.push({ path: unescapeFormula(path), labels: known.of(labels) });
    }
    yield rows;
  }
  if (table === null)
    throw new EngineError('bad-input', `${name} has no header that names path and labels.`, HINT);
}

interface TableHeader {
  /** Whether the labels of a track stand in one cell. */
  isList: boolean;
  /** Columns of another name: remarks, artists. What has no name holds more labels. */
  others: ReadonlySet<number>;
}

function headerOf(cells: readonly string[], name: string): TableHeader {
  const header = cells.map((cell) => cell.trim().toLowerCase());
  if (header[0] === 'path' && /^labels?\b/.test(header[1] ?? '')) {
    const others = header.flatMap((cell, column) =>
      column > 1 && cell !== '' && !/^labels?(\b|_|\d)/.test(cell) ? [column] : [],
    );
    const labels = header.filter((cell, column) => cell !== '' && !others.includes(column));
    return { isList: header[1] === 'labels' && labels.length === 2, others: new Set(others) };
  }
  const found = cells.join(', ').slice(0, 80);
  throw new EngineError(
    'bad-input',
    `${name} has no header that names path and labels; its first line is “${found}”.`,
    HINT,
  );
}

/**
 * Records of a table. Lines without quotes are split as they are, which is ten times as fast as reading them one character
 * at a time; from the first quote on the rest is read by rule.
 */
async function* records(
  chunks: AsyncGenerator<Buffer, void>,
  name: string,
): AsyncGenerator<{ records: string[][]; delimiter: Delimiter }, void> {
  let delimiter: Delimiter | null = null;
  let open = '';
  for await (const chunk of chunks) {
    let text = open + chunk.toString('utf8');
    open = '';
    if (delimiter === null) {
      if (text.includes('\0')) throw new EngineError('bad-input', `${name} is no text.`, HINT);
      delimiter = sniffDelimiter(text.slice(0, 65_536));
      text = text.replace(/^("?)sep=.\1\r?\n/i, '');
    }
    if (text.includes('"')) {
      const parts = quotedRecords(text, chunks, delimiter, name);
      for await (const batch of parts) yield { records: batch, delimiter };
      return;
    }
    const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r', text.length - 2)) + 1;
    open = text.slice(end);
    if (open.length > MAX_LINE) throw tooLong(name);
    if (end > 0) yield { records: splitLines(text.slice(0, end), delimiter), delimiter };
  }
  if (open !== '') yield { records: splitLines(open, delimiter ?? ','), delimiter: delimiter ?? ',' };
}

function splitLines(text: string, delimiter: Delimiter): string[][] {
  const records: string[][] = [];
  // Two searches are faster than one for either.
  const lines = text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n');
  for (const line of lines) {
    if (line.length > MAX_LINE) throw tooLong('The file');
    if (line === '' || line.trim() === '') continue;
    const cells = line.split(delimiter);
    for (let i = 0; i < cells.length; i++) cells[i] = trimmed(cells[i] ?? '');
    records.push(cells);
  }
  return records;
}

/** Most cells need no trimming, and a call costs more than two looks. */
function trimmed(cell: string): string {
  const isPlain = cell.length > 0 && isInk(cell.charCodeAt(0)) && isInk(cell.charCodeAt(cell.length - 1));
  return isPlain ? cell : cell.trim();
}

/** Whether a character is surely no blank. */
function isInk(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

async function* quotedRecords(
  first: string,
  chunks: AsyncGenerator<Buffer, void>,
  delimiter: Delimiter,
  name: string,
): AsyncGenerator<string[][], void> {
  const parser = parse({
    delimiter,
    trim: delimiter !== '\t',
    skip_empty_lines: true,
    relax_column_count: true,
    // Names of files hold quotes too.
    relax_quotes: true,
    max_record_size: MAX_LINE,
  });
  const text = Readable.from(
    (async function* () {
      yield first;
      yield* chunks;
    })(),
  );
  text.on('error', (error) => parser.destroy(error));
  text.pipe(parser);
  let batch: string[][] = [];
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      batch.push(record);
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new EngineError('bad-input', `${name} is not a CSV file: ${reason}`, HINT, { cause: thrown });
  } finally {
    text.destroy();
    parser.destroy();
  }
}

function tooLong(name: string): EngineError {
  return new EngineError('bad-input', `${name} has a line of more than a million characters.`, HINT);
}
