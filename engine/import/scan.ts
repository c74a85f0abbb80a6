import { readdir, stat } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import { extname, join } from 'node:path';
import { AUDIO_EXTENSIONS } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';

export interface ScannedFile {
  /** Relative to the music folder, with forward slashes. */
  path: string;
  bytes: number;
  modifiedMs: number;
}

export interface ScanProblem {
  /** As `ScannedFile.path`. */
  path: string;
  kind: 'file' | 'folder';
  error: EngineError;
}

export interface Scan {
  /** Ordered by path. */
  files: ScannedFile[];
  problems: ScanProblem[];
}

/** The part of the file system that a scan reads; tests put refusals in its place. */
export interface ScanFileSystem {
  readdir(path: string): Promise<Dirent[]>;
  stat(path: string): Promise<Stats>;
}

const realFileSystem: ScanFileSystem = {
  readdir: (path) => readdir(path, { withFileTypes: true }),
  stat: (path) => stat(path),
};

/** Folders of the system that are not hidden by their name. */
const skippedFolders = new Set(['$RECYCLE.BIN', 'System Volume Information', '__MACOSX', '@eaDir']);
const audioExtensions = new Set(AUDIO_EXTENSIONS);

/**
 * Finds the audio files below a folder by their names. Links are followed, each folder is visited once however many
 * ways lead to it; hidden files and folders are left out. What cannot be read is listed and does not stop the scan.
 * @param options.skip absolute path of a folder that is not entered (Archetone's own data)
 * @throws EngineError `missing-folder`, `unreadable` for the folder itself; the signal's reason
 */
export async function scanFolder(
  folder: string,
  options: {
    signal: AbortSignal;
    skip?: string;
    onFound?: (files: number) => void;
    fileSystem?: ScanFileSystem;
  },
): Promise<Scan> {
  const { signal, skip, onFound, fileSystem = realFileSystem } = options;
  const scan: Scan = { files: [], problems: [] };
  const visited = new Set<string>();

  const visit = async (relative: string, top: boolean): Promise<void> => {
    signal.throwIfAborted();
    const absolute = join(folder, relative);
    if (absolute === skip) return;
    let entries: Dirent[];
    try {
      const { dev, ino } = await fileSystem.stat(absolute);
      // Windows file systems without identities give 0: nothing can be told from it.
      const identity = `${dev}:${ino}`;
      if (ino !== 0 && visited.has(identity)) return;
      visited.add(identity);
      entries = await fileSystem.readdir(absolute);
    } catch (thrown) {
      const error = scanError(thrown, absolute, 'folder');
      if (top) throw error;
      scan.problems.push({ path: relative, kind: 'folder', error });
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.') || skippedFolders.has(entry.name)) continue;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      await look(path, entry);
    }
  };

  const look = async (path: string, entry: Dirent): Promise<void> => {
    const isAudio = audioExtensions.has(extname(entry.name).toLowerCase());
    if (entry.isDirectory()) {
      await visit(path, false);
      return;
    }
    if (!entry.isSymbolicLink() && !(entry.isFile() && isAudio)) return;
    signal.throwIfAborted();
    try {
      const found = await fileSystem.stat(join(folder, path));
      if (found.isDirectory()) await visit(path, false);
      else if (found.isFile() && isAudio) {
        scan.files.push({ path, bytes: found.size, modifiedMs: found.mtimeMs });
        onFound?.(scan.files.length);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      // A link to nowhere with another ending was no candidate in the first place.
      if (isAudio) {
        scan.problems.push({ path, kind: 'file', error: scanError(thrown, join(folder, path), 'file') });
      }
    }
  };

  await visit('', true);
  scan.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return scan;
}

function scanError(thrown: unknown, path: string, kind: 'file' | 'folder'): EngineError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const cause = { cause: thrown };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return kind === 'folder'
      ? new EngineError(
          'missing-folder',
          `There is no folder ${path}.`,
          'Check that its drive is connected. If the folder moved, point the library at its new place.',
          cause,
        )
      : new EngineError('unreadable', `${path} leads nowhere.`, 'It is a link whose target is gone.', cause);
  }
  if (code === 'ELOOP') {
    return new EngineError(
      'unreadable',
      `${path} is a link that leads to itself.`,
      'Remove the link.',
      cause,
    );
  }
  return new EngineError(
    'unreadable',
    `The ${kind} ${path} cannot be read (${code || 'unknown reason'}).`,
    `Check the permissions of the ${kind} and that its drive is connected, then import again.`,
    cause,
  );
}
