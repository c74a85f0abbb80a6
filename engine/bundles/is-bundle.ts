import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE } from '../../models/datasets/bundle.ts';

/** Whether a folder is an exported bundle. */
export function isBundle(folder: string): boolean {
  return existsSync(join(folder, MANIFEST_FILE));
}
