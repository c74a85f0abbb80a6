import { isUtf8 } from 'node:buffer';
import { readdir, stat } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import { extname, join } from 'node:path';
import { AUDIO_EXTENSIONS, escapedName, fileToOpen } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';

export interface ScannedFile {
  /** Relative to the music folder, with forward slashes. */
  path: string;
  bytes: number;
  modifiedMs: number;
  /** When the system last noted a change of content, name or rights: what edits tags cannot keep it. */
  changedMs: number;
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
  /** What a dot before its name hides and might be music: audio files and folders, by path. */
  hidden: string[];
}

/** The part of the file system that a scan reads; tests put refusals in its place. */
export interface ScanFileSystem {
  readdir(path: string): Promise<Dirent[]>;
  stat(path: string): Promise<Stats>;
  /** What tells a folder from every other; Windows numbers them beyond what a double holds. */
  identity(path: string): Promise<{ dev: bigint; ino: bigint }>;
  /** Names in a folder that are not UTF-8, and so cannot be opened by the text they are listed as. */
  oddNames?(path: string): Promise<Buffer[]>;
}

const realFileSystem: ScanFileSystem = {
  readdir: (path) => readdir(fileToOpen(path), { withFileTypes: true }),
  stat: (path) => stat(fileToOpen(path)),
  identity: (path) => stat(fileToOpen(path), { bigint: true }),
  oddNames: async (path) =>
    (await readdir(fileToOpen(path), { encoding: 'buffer' })).filter((name) => !isUtf8(name)),
};

/** Folders of the system that are not hidden by their name. */
const skippedFolders = new Set([
  '$RECYCLE.BIN',
  'System Volume Information',
  '__MACOSX',
  '@eaDir',
  'archetone-caches',
]);
/** Folders that systems and programs hide: nobody looks for music there, and nobody need be told. */
const SYSTEM_FOLDERS =
  /^\.(Trash.*|Trashes|Spotlight-V100|fseventsd|TemporaryItems|DocumentRevisions-V100|AppleDouble|AppleDB|AppleDesktop|git|svn|hg|cache|config|local|thumbnails|stfolder|stversions|sync|snapshots?|zfs|dropbox\.cache|npm|venv|vscode|idea)$/i;
/** What Windows and macOS write beside files: no audio, whatever its ending. */
const COMPANION = /^\._/;
/** A dot and a letter hides; dots before other characters are part of a name, as in “...And Justice for All”. */
const HIDDEN = /^\.\p{L}/u;
const audioExtensions = new Set(AUDIO_EXTENSIONS);

/**
 * Finds the audio files below a folder by their names. Links are followed, each folder is visited once however many
 * ways lead to it; files and folders that a dot hides are left out and listed. What cannot be read is listed and does not stop the scan.
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
  const scan: Scan = { files: [], problems: [], hidden: [] };
  const visited = new Set<string>();

  const visit = async (relative: string, top: boolean): Promise<void> => {
    signal.throwIfAborted();
    const absolute = join(folder, relative);
    if (absolute === skip) return;
    let entries: Dirent[];
    try {
      const { dev, ino } = await fileSystem.identity(absolute);
      // Windows file systems without identities give 0: nothing can be told from it.
      const identity = `${dev}:${ino}`;
      if (ino !== 0n && visited.has(identity)) return;
      visited.add(identity);
      entries = await fileSystem.readdir(absolute);
    } catch (thrown) {
      const error = scanError(thrown, absolute, 'folder');
      if (top) throw error;
      scan.problems.push({ path: relative, kind: 'folder', error });
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const below = (name: string): string => (relative === '' ? name : `${relative}/${name}`);
    // What cannot be told apart from a mangled name is asked for in bytes.
    const mangled = entries.some(({ name }) => name.includes('\ufffd'));
    const odd = mangled ? ((await fileSystem.oddNames?.(absolute)) ?? []) : [];
    const oddNames = new Set(odd.map((name) => name.toString('utf8')));
    for (const name of odd) await lookAtOdd(below(escapedName(name)), name, entries);
    for (const entry of entries) {
      if (oddNames.has(entry.name)) continue;
      if (skippedFolders.has(entry.name) || COMPANION.test(entry.name)) continue;
      const path = below(entry.name);
      if (HIDDEN.test(entry.name)) noteHidden(path, entry);
      else
        await look(path, {
          isAudio: isAudioName(entry.name) && (entry.isFile() || entry.isSymbolicLink()),
          isFolder: entry.isDirectory(),
          mayBeFolder: entry.isSymbolicLink(),
        });
    }
  };

  const noteHidden = (path: string, entry: Dirent): void => {
    const isFolder = entry.isDirectory() && !SYSTEM_FOLDERS.test(entry.name);
    if (isFolder || (entry.isFile() && isAudioName(entry.name))) scan.hidden.push(path);
  };

  /** A name that is not UTF-8. What it is stands in no entry for certain: several are listed by the same mangled text. */
  const lookAtOdd = async (path: string, name: Buffer, entries: readonly Dirent[]): Promise<void> => {
    const text = name.toString('latin1');
    if (HIDDEN.test(text)) {
      if (isAudioName(text)) scan.hidden.push(path);
      return;
    }
    const twin = entries.some((entry) => entry.name === escapedName(name));
    if (!twin) {
      await look(path, { isAudio: isAudioName(text), isFolder: false, mayBeFolder: true });
    } else if (isAudioName(text)) {
      scan.problems.push({
        path: `${path} (not UTF-8)`,
        kind: 'file',
        error: new EngineError(
          'unreadable',
          `The name of ${join(folder, path)} is not UTF-8, and another is called what it is shown as.`,
          'Rename one of them, or convert the names of the whole disk, for example: convmv -f latin1 -t utf8 -r --notest <folder>',
        ),
      });
    }
  };

  const look = async (
    path: string,
    { isAudio, isFolder, mayBeFolder }: { isAudio: boolean; isFolder: boolean; mayBeFolder: boolean },
  ): Promise<void> => {
    if (isFolder) {
      await visit(path, false);
      return;
    }
    if (!isAudio && !mayBeFolder) return;
    signal.throwIfAborted();
    try {
      const found = await fileSystem.stat(join(folder, path));
      if (found.isDirectory()) await visit(path, false);
      else if (found.isFile() && isAudio) {
        scan.files.push({ path, bytes: found.size, modifiedMs: found.mtimeMs, changedMs: found.ctimeMs });
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

/** Whether a file is called like music, whatever it holds. */
export function isAudioName(name: string): boolean {
  // For “.mp3” and “.45.mp3” alike the last dot begins the ending.
  return audioExtensions.has(extname(`x${name}`).toLowerCase());
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
