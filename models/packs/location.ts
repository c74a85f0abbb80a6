import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PackError } from './errors.ts';
import { MANIFEST_FILE } from './manifest.ts';

const COMPACT = 'compact';

/**
 * Folder of the compact pack that comes with Archetone. Looked for in this order: `packsFolder` or the environment
 * variable `ARCHETONE_PACKS` (a folder of packs; when given, nothing else is tried), the resources of the packaged
 * application, the repository, seen from this source file or from a bundle in `dist/`.
 * @throws PackError `missing`, naming every place that was tried
 */
export function compactPackFolder(packsFolder = process.env['ARCHETONE_PACKS']): string {
  const candidates = packsFolder ? [resolve(packsFolder, COMPACT)] : defaultFolders();
  const found = candidates.find((folder) => existsSync(join(folder, MANIFEST_FILE)));
  if (found === undefined)
    throw new PackError('missing', `the compact pack is not in ${candidates.join(' or ')}`, {
      hint: 'Set ARCHETONE_PACKS to the folder that holds the pack, or install Archetone again.',
    });
  return found;
}

function defaultFolders(): string[] {
  // Only Electron has it; types of Node know nothing of it.
  const { resourcesPath } = process as { resourcesPath?: string };
  const here = import.meta.dirname;
  return [
    ...(resourcesPath === undefined ? [] : [join(resourcesPath, 'packs', COMPACT)]),
    join(here, COMPACT),
    join(here, 'packs', COMPACT),
    resolve(here, '../packs', COMPACT),
    resolve(here, '../models/packs', COMPACT),
    resolve(here, '../../models/packs', COMPACT),
  ];
}
