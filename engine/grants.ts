import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pathsIn } from './api/paths.ts';
import type { Method } from './api/contract.ts';
import { EngineError } from './api/errors.ts';

/** What may be done with a path: read or write what is there, or show it in the system's file manager. */
export type PathUse = 'name' | 'show';

/** Files and folders that the engine itself gave out. */
export interface OwnPaths {
  /** Music folders of libraries, and the folder of recordings. */
  named(): Iterable<string>;
  /** Also folders of packs, and where exports went. */
  shown(): Iterable<string>;
}

/**
 * What a window may name (ADR 20): what a person chose in a dialog or dropped, and what is below it; and what libraries
 * are made of. A page that is taken over has no other way to a file.
 */
export class PathGrants {
  readonly #granted = new Set<string>();
  readonly #own: OwnPaths;

  constructor(own: OwnPaths) {
    this.#own = own;
  }

  /** A person chose this file or folder. */
  grant(path: string): void {
    this.#granted.add(settled(path));
  }

  permits(path: string, use: PathUse): boolean {
    // Links are followed first: one inside a granted folder may lead out of it, and then its end is what is named.
    const wanted = settled(path);
    for (const root of this.#granted) if (isWithin(root, wanted)) return true;
    for (const root of use === 'show' ? this.#own.shown() : this.#own.named())
      if (root !== '' && isWithin(settled(root), wanted)) return true;
    return false;
  }

  /** @throws EngineError `not-permitted` when a call names something that nobody chose */
  check(method: Method, input: unknown): void {
    for (const path of pathsIn(method, input))
      if (!this.permits(path, 'name'))
        throw new EngineError(
          'not-permitted',
          'The window named a file or folder that nobody chose.',
          'Choose it in a dialog, or drop it on the window.',
        );
  }
}

/** Absolute and without links, as far as the path is there. */
function settled(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(settled(parent), basename(absolute));
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
