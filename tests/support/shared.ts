import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = process.env['ARCHETONE_SHARED'] ?? resolve(import.meta.dirname, '../../../shared');

/**
 * Path of reference material that lives beside the repository (golden outputs, recordings).
 * @returns the absolute path, or null where the material is not present; tests then skip visibly.
 */
export function sharedPath(relative: string): string | null {
  const path = resolve(root, relative);
  return existsSync(path) ? path : null;
}
