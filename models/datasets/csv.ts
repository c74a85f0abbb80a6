import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import type { MultilabelSet } from '../knn/set.ts';
import { Pacer } from '../knn/pacer.ts';

/** Why a data-set file was refused. */
export type DatasetErrorCode =
  'missing' | 'unreadable' | 'empty' | 'ragged' | 'not-a-number' | 'bad-label' | 'shape';

/** A data-set file that cannot be used; `line` counts from 1 (the header) where one line is to blame. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  readonly code: DatasetErrorCode;
  readonly hint: string;
  readonly line: number | undefined;

  constructor(code: DatasetErrorCode, message: string, hint: string, line?: number) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.line = line;
  }
}

/**
 * Reads a multilabel CSV (plain or `.gz`): a header row, features first, the last `labelCount` columns 0/1 labels.
 * Features are kept in float64 as written. The file is streamed.
 * @throws DatasetError naming the line; the signal's reason on abort.
 */
export async function readMultilabelCsv(
  path: string,
  options: { labelCount: number; signal?: AbortSignal },
): Promise<MultilabelSet & { featureNames: string[] }> {
  const { labelCount } = options;
  if (!Number.isInteger(labelCount) || labelCount < 1)
    throw new DatasetError(
      'shape',
      `labelCount must be at least 1, not ${labelCount}.`,
      'Say how many of the last columns are labels.',
    );
  const pacer = new Pacer(options.signal);
  const rows = new RowCollector(path, labelCount);
  const file = createReadStream(path);
  const text = path.endsWith('.gz') ? createGunzip() : null;
  const records = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  // Errors of a piped source do not travel along the pipe by themselves.
  file.on('error', (error) => records.destroy(error));
  text?.on('error', (error) => records.destroy(error));
  (text ? file.pipe(text) : file).pipe(records);
  try {
    for await (const item of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      rows.add(item.record, item.info.lines);
      if (pacer.due(item.record.length * 50)) await pacer.pause();
    }
  } catch (error) {
    if (error instanceof DatasetError || options.signal?.aborted) throw error;
    throw readFailure(path, error);
  } finally {
    file.destroy();
    text?.destroy();
    records.destroy();
  }
  return rows.finish();
}

function readFailure(path: string, error: unknown): DatasetError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOENT') return new DatasetError('missing', `There is no file ${path}.`, 'Check the path.');
  return new DatasetError(
    'unreadable',
    `${path} cannot be read: ${reason}`,
    'Is it a CSV file, or gzip when it ends in .gz?',
  );
}

/** Gathers parsed records into flat arrays that grow by doubling. */
class RowCollector {
  readonly #path: string;
  readonly #labelCount: number;
  #header: string[] | null = null;
  #features = new Float64Array(0);
  #labels = new Uint8Array(0);
  #count = 0;

  constructor(path: string, labelCount: number) {
    this.#path = path;
    this.#labelCount = labelCount;
  }

  add(record: string[], line: number): void {
    if (this.#header === null) this.#start(record);
    else this.#addRow(this.#header, record, line);
  }

  finish(): MultilabelSet & { featureNames: string[] } {
    if (this.#header === null || this.#count === 0)
      throw new DatasetError(
        'empty',
        `${this.#path} holds no rows.`,
        'A header row and at least one row are needed.',
      );
    const dim = this.#header.length - this.#labelCount;
    return {
      features: this.#features.slice(0, this.#count * dim),
      count: this.#count,
      dim,
      labels: this.#labels.slice(0, this.#count * this.#labelCount),
      labelNames: this.#header.slice(dim),
      featureNames: this.#header.slice(0, dim),
    };
  }

  #start(header: string[]): void {
    if (header.length <= this.#labelCount)
      throw new DatasetError(
        'shape',
        `${this.#path} has ${header.length} columns, too few for ${this.#labelCount} labels and a feature.`,
        'Check the number of labels.',
        1,
      );
    this.#header = header;
  }

  #addRow(header: string[], record: string[], line: number): void {
    if (record.length !== header.length)
      throw new DatasetError(
        'ragged',
        `${this.#path}, line ${line}: ${record.length} values where the header has ${header.length}.`,
        'Every line needs the same number of values.',
        line,
      );
    const dim = header.length - this.#labelCount;
    this.#grow(dim);
    for (let d = 0; d < dim; d++) {
      const cell = record[d] ?? '';
      const value = cell === '' ? NaN : Number(cell);
      if (!Number.isFinite(value))
        throw new DatasetError(
          'not-a-number',
          `${this.#path}, line ${line}: “${cell}” in column “${header[d] ?? ''}” is not a finite number.`,
          'Fill or remove missing values; encode categories as numbers.',
          line,
        );
      this.#features[this.#count * dim + d] = value;
    }
    for (let l = 0; l < this.#labelCount; l++) {
      const cell = record[dim + l] ?? '';
      if (cell !== '0' && cell !== '1')
        throw new DatasetError(
          'bad-label',
          `${this.#path}, line ${line}: label “${header[dim + l] ?? ''}” is “${cell}”.`,
          'Labels are 0 or 1.',
          line,
        );
      this.#labels[this.#count * this.#labelCount + l] = cell === '1' ? 1 : 0;
    }
    this.#count++;
  }

  #grow(dim: number): void {
    if ((this.#count + 1) * dim <= this.#features.length) return;
    const capacity = Math.max(64, this.#count * 2);
    const features = new Float64Array(capacity * dim);
    features.set(this.#features);
    this.#features = features;
    const labels = new Uint8Array(capacity * this.#labelCount);
    labels.set(this.#labels);
    this.#labels = labels;
  }
}
