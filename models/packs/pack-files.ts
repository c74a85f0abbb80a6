import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encoderHash, MANIFEST_FILE, type Pack, type PackManifest } from './manifest.ts';

/** A pack that lies nowhere yet: its manifest and the files beside it. */
export interface PackFiles {
  manifest: PackManifest;
  /** By name. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** The bytes of `pack.json`. */
export function manifestBytes(manifest: PackManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** What `readPack` would say of a folder in which the pack with this manifest lies. */
export function packWith(manifest: PackManifest, folder: string): Pack {
  const sha256 = createHash('sha256').update(manifestBytes(manifest)).digest('hex');
  return { folder, manifest, sha256, encoderSha256: encoderHash(manifest) };
}

/** Writes a pack into a folder, its manifest last. @returns the folder */
export async function writePack({ manifest, files }: PackFiles, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, MANIFEST_FILE), manifestBytes(manifest));
  return folder;
}
