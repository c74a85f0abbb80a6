import type { UnmatchedRows } from '../api/taxonomies.ts';
import { EngineError } from '../api/errors.ts';

/** One sentence about rows of a label file that name no track, with an example and what might be meant. */
export function unmatchedText({ reason, rows, example, tracks }: Omit<UnmatchedRows, 'message'>): string {
  const count = rows === 1 ? 'One row' : `${rows} rows`;
  const [track = ''] = tracks;
  const why = {
    absent: `${rows === 1 ? 'names' : 'name'} no file of the library`,
    elsewhere: `${rows === 1 ? 'names' : 'name'} another folder than the files of that name (“${track}”)`,
    ending: `${rows === 1 ? 'names' : 'name'} a file with another ending (“${track}”)`,
    ambiguous: `${rows === 1 ? 'fits' : 'fit'} several tracks (“${tracks.join('”, “')}”)`,
  }[reason];
  return `${count} ${why}: “${example.path}” (row ${example.row}).`;
}

/** A label file without one row for the library. */
export function nothingMatched(
  path: string,
  { rows, unmatched, reasons }: { rows: number; unmatched: number; reasons: readonly UnmatchedRows[] },
  tracks: readonly string[],
): EngineError {
  if (rows === 0)
    return new EngineError('bad-input', `${path} holds a header and no rows.`, 'Add a row per track.');
  if (unmatched === 0)
    return new EngineError('bad-input', `${path} names tracks and no labels.`, 'Fill in the labels.');
  if (tracks.length === 0)
    return new EngineError(
      'bad-input',
      `The library has no tracks yet, so none of the ${rows} rows of ${path} names one.`,
      'Import music first.',
    );
  return new EngineError(
    'bad-input',
    `None of the ${rows} rows of ${path} names a track of the library. ${reasons.map(({ message }) => message).join(' ')}`,
    `Paths must end as those of the library do, for example “${tracks[0] ?? ''}”: at least the last folder and the name.`,
  );
}
