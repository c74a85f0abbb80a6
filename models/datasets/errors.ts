import { FileReadError } from '../files/read.ts';

/** Why a data set was refused. */
export type DatasetErrorCode =
  | 'missing'
  | 'unreadable'
  | 'empty'
  | 'ragged'
  | 'not-a-number'
  | 'bad-label'
  | 'shape'
  | 'syntax'
  | 'no-labels'
  | 'missing-value'
  | 'unknown-column'
  | 'unsupported'
  | 'too-large';

/**
 * A data set that cannot be used. `line` counts from 1 (a table's header is line 1) where one line is to blame;
 * `column` counts from 1 too: characters of the line in ARFF and XML, fields in a table.
 */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  readonly code: DatasetErrorCode;
  readonly hint: string;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(code: DatasetErrorCode, message: string, hint: string, line?: number, column?: number) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.line = line;
    this.column = column;
  }
}

/** “file, line 3, column 7”, as messages begin. */
export function place(path: string, line?: number, column?: number): string {
  return [path, ...(line ? [`line ${line}`] : []), ...(column ? [`column ${column}`] : [])].join(', ');
}

/** What went wrong while opening or reading a file, as the user should see it. */
export function readFailure(path: string, error: unknown, expected: string): DatasetError {
  if (error instanceof DatasetError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOENT' || (error instanceof FileReadError && error.problem === 'missing'))
    return new DatasetError('missing', `There is no file ${path}.`, 'Check the path.');
  return new DatasetError('unreadable', `${path} cannot be read: ${reason}`, expected);
}
