import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../api/errors.ts';

/** What the databases need beside their pages to work: for each an index of its log of 32 KiB, and the log. */
const LEAST_ROOM = 1 << 20;

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  const code = typeof thrown.code === 'string' ? thrown.code : '';
  return code.startsWith('SQLITE_') && code !== 'SQLITE_ERROR' ? code : (connectionCode(thrown) ?? code);
}

/** The driver tells why it could not open a file by a number in words. */
function connectionCode(thrown: object): string | null {
  const said = thrown instanceof Error ? /^ConnectionFailed\(.*: (\d+)"?\)$/s.exec(thrown.message) : null;
  if (!said) return null;
  return (
    { 10: 'SQLITE_IOERR', 13: 'SQLITE_FULL', 14: 'SQLITE_CANTOPEN' }[Number(said[1])] ?? 'SQLITE_CANTOPEN'
  );
}

/** Whether the disk, or the part of it that this user may fill, is full. */
export function isDiskFull(thrown: unknown): boolean {
  if (thrown instanceof EngineError) return thrown.code === 'disk-full';
  const code = codeOf(thrown);
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}

/** Whether the disk that holds a file has room to write; true where nobody can tell. */
export function hasRoom(where: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(where));
    return bavail * bsize >= LEAST_ROOM;
  } catch {
    return true;
  }
}

/** Does what is tidy but not needed; left for another time when the disk is full. @returns whether it was done */
export function ifRoom(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (thrown) {
    if (!isDiskFull(thrown)) throw thrown;
    return false;
  }
}

/** Whether the content of a database file is not what a database wrote, as against a file that cannot be reached. */
export function isDamage(thrown: unknown): boolean {
  const code = codeOf(thrown instanceof EngineError ? thrown.cause : thrown);
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT');
}

/** What was found, in SQLite's words; nothing where these say no more than “damaged”. */
function reasonOf(thrown: unknown): string {
  const said = thrown instanceof Error ? thrown.message.split('\n')[0]?.slice(0, 120) : undefined;
  return said === undefined || said === '' ? '' : ` (${said})`;
}

/** Gives anything that a database or the file system threw its meaning for people; `where` is the file it was about. */
export function storageError(thrown: unknown, where: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const code = codeOf(thrown);
  const cause = { cause: thrown };
  const isRefused =
    /^SQLITE_(CANTOPEN|READONLY|IOERR|PERM|PROTOCOL)/.test(code) || /^E(ACCES|PERM|ROFS|IO)$/.test(code);
  // On its last pages SQLite fails at the index of its log, and tells of a fault of reading or writing.
  if (isDiskFull(thrown) || (isRefused && !hasRoom(where))) {
    return new EngineError(
      'disk-full',
      `The disk that holds ${where} is full.`,
      'Free some space and start again: everything finished so far is kept.',
      cause,
    );
  }
  if (isDamage(thrown)) {
    return new EngineError(
      'database',
      `The database ${where} is damaged${reasonOf(thrown)}.`,
      'It was left as it is. Put a copy from the backups folder beside it in its place, or remove the library and import it again.',
      cause,
    );
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new EngineError(
      'library-busy',
      `The database ${where} is in use by another program.`,
      'Close the other Archetone and try again.',
      cause,
    );
  }
  if (isRefused) {
    return new EngineError(
      'database',
      `The database ${where} cannot be read or written.`,
      'Check that the disk is connected and that you may write to this folder.',
      cause,
    );
  }
  return EngineError.from(thrown);
}
