import { existsSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { openedFiles, openedFileKinds, type OpenedKind } from '../engine/api/shell.ts';

/** What the system asks for. */
export interface Opened {
  kind: OpenedKind;
  /** Of a folder or a file; of a library of another computer the folder it lies in. */
  path: string;
}

/** What a path is to be opened as; null where it is nothing that this application opens. */
export function openedAt(path: string): Opened | null {
  if (!existsSync(path)) return null;
  if (statSync(path).isDirectory()) return { kind: 'folder', path };
  const ending = extname(path).slice(1).toLowerCase();
  const kind = openedFileKinds.find((each) => openedFiles[each].some((known) => known === ending));
  if (kind === undefined) return null;
  return { kind, path: kind === 'library' ? dirname(path) : path };
}

/**
 * What a command line asks for: the first path in it. Chromium reorders what a second start sends.
 * @param appPath the application itself, which stands there too when it is not packaged
 */
export function openedBy(argv: readonly string[], workingFolder: string, appPath: string): Opened | null {
  for (const argument of argv.slice(1)) {
    if (argument.startsWith('-')) continue;
    const path = resolve(workingFolder, argument);
    const opened = path === appPath ? null : openedAt(path);
    if (opened) return opened;
  }
  return null;
}
