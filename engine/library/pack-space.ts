import type { Pack } from '../../models/packs/index.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from './library.ts';

/** The space of a pack in a library, for the windows it is seen in; made known there. */
export function spaceOfPack(library: Library, { manifest, sha256, encoderSha256 }: Pack): SpaceInfo {
  const facts = { packId: manifest.id, packSha256: sha256, encoderSha256 };
  return library.spaces.add({ ...facts, windows: library.windows(), deformation: null });
}
