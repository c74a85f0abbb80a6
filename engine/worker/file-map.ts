import { EngineError } from '../api/errors.ts';

/** Where a folder of the library's machine lies on this one. */
export interface FolderMap {
  from: string;
  to: string;
}

/** @param text `from=to` @throws EngineError `bad-input` */
export function readFolderMap(text: string): FolderMap {
  const at = text.indexOf('=');
  const [from, to] = [text.slice(0, at), text.slice(at + 1)].map((each) => each.replace(/[/\\]+$/, ''));
  if (at > 0 && from !== undefined && to !== undefined && text.length > at + 1) return { from, to };
  throw new EngineError(
    'bad-input',
    `“${text}” does not say which folder lies where.`,
    'For example: --map /home/anna/Music=/mnt/music',
  );
}

/** Where a file of the library's machine is on this one: below the longest folder that is told of it, else where it is there. */
export function mappedPath(path: string, maps: readonly FolderMap[]): string {
  const fitting = maps
    .filter(({ from }) => path.startsWith(from) && /^[/\\]/.test(path.slice(from.length)))
    .sort((a, b) => b.from.length - a.from.length)[0];
  if (!fitting) return path;
  const below = path.slice(fitting.from.length);
  // A library on Windows has other separators than a worker on Linux.
  return fitting.to + (fitting.from.includes('\\') ? below.replaceAll('\\', '/') : below);
}
