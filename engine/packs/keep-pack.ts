import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packWith, writePack, type Pack, type PackFiles } from '../../models/packs/index.ts';
import { isDiskFull, storageError } from '../storage/errors.ts';
import type { PackService } from './service.ts';

/** Files of another pack that a pack shares. */
export interface SharedFiles {
  folder: string;
  names: readonly string[];
}

/**
 * Keeps a pack that was made here among the added ones; one that is there with the same bytes stays as it is, and another one of
 * that id makes room for it.
 * @param addFolder the service's own: asked for before long work, since there may be none
 * @param shared files of another pack that belong to it: the same bytes, kept once where the disk can
 * @throws EngineError `disk-full`
 */
export async function keepPack(
  packs: PackService,
  files: PackFiles,
  { addFolder, shared }: { addFolder: string; shared?: SharedFiles },
): Promise<Pack> {
  const { id } = files.manifest;
  const folder = join(addFolder, id);
  const made = packWith(files.manifest, folder);
  if (packs.find(id)?.sha256 === made.sha256) return made;
  // Out of sight until it is whole: folders that begin with a dot are no packs.
  const draft = join(addFolder, `.learning-${id}`);
  // Of a run that was ended.
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { recursive: true });
    for (const name of shared?.names ?? []) {
      const [from, to] = [join(shared?.folder ?? '', name), join(draft, name)];
      await link(from, to).catch(() => copyFile(from, to));
    }
    await writePack(files, draft);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (thrown) {
    throw isDiskFull(thrown) ? storageError(thrown, folder) : thrown;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await packs.refresh();
  return packs.get(id);
}
