import { dirname, join } from 'node:path';
import { compactPackFolder } from '../../models/packs/location.ts';

/**
 * Folder of the packs that come with Archetone.
 * @param root of the installation; where there is no pack, the folder that should hold them, so that one can be told
 */
export function embeddedPacksFolder(root: string): string {
  try {
    return dirname(compactPackFolder());
  } catch {
    return join(root, 'models', 'packs');
  }
}
