import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = process.env['ARCHETONE_SHARED'] ?? resolve(import.meta.dirname, '../../../shared');

/**
 * Reference material that lives beside the repository (golden outputs, recordings) and that a fresh clone does not have.
 * Where it is {@link missing}, tests skip visibly: `describe.skipIf(golden.missing)`.
 */
export class SharedFolder {
  readonly missing: boolean;
  readonly #folder: string;
  readonly #isLoading: () => boolean;

  /** @param isLoading whether test files are still being read, before any test or hook runs */
  constructor(relative: string, isLoading: () => boolean) {
    this.#folder = resolve(root, relative);
    this.#isLoading = isLoading;
    this.missing = !existsSync(this.#folder);
  }

  /**
   * Absolute path of something in it, for tests and hooks only. The bodies of `describe` run even when their tests are
   * skipped: a file that is read there fails on every machine without the material, so asking there is an error on all.
   */
  path(...names: string[]): string {
    const path = join(this.#folder, ...names);
    if (this.#isLoading())
      throw new Error(
        `${path} was asked for while tests load: ask in a test or a hook, which can be skipped.`,
      );
    return path;
  }
}
