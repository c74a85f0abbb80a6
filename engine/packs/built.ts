import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { handmadeManifest, handmadePack } from '../../models/handmade/pack.ts';
import type { FeatureGroup } from '../../models/handmade/handmade-space.ts';
import { handmadeSpaces } from '../../models/handmade/registry.ts';
import {
  packWith,
  PackError,
  randomTwin,
  readPack,
  twinManifest,
  writePack,
  type Pack,
  type PackFiles,
  type PackManifest,
  type TwinHashes,
} from '../../models/packs/index.ts';

/** Seed of the twin that every installation has. */
const TWIN_SEED = 1;
/**
 * Hashes of the twin's graphs for the compact pack of this version: its manifest is there without 18 MB being shuffled.
 * A test demands that they are right.
 */
const twins: ReadonlyMap<string, TwinHashes> = new Map([
  [
    '9578d9af23a9d7e6324bdb915615b41680bc6f29cace610f99ae8446d040bf1d',
    {
      encoder: 'e668845509ad2f22c43b645ecf91b2c3e825ab0ab1a73218372ed739842507c3',
      summary: '5d3ad6f53d36546e8a961e1583bbf6d2891aef4365dd45467441e7a8e1606c1a',
    },
  ],
]);

/** Manifests of those of formulas, which no installation changes, by id. */
let formulas: ReadonlyMap<string, PackManifest> | null = null;
const handmade = (): ReadonlyMap<string, PackManifest> =>
  (formulas ??= new Map(handmadeSpaces.map((space) => [space.id, handmadeManifest(space)])));

/** Ids of the packs that are built, in the order they are listed. */
const ids: readonly string[] = [...handmadeSpaces.map(({ id }) => id), 'random-twin'];

/**
 * The packs that Archetone makes itself: hand-made spaces and a random twin of the compact pack, the baselines of every
 * comparison. They are always listed; their files are written when one is first used.
 */
export class BuiltPacks {
  readonly #folder: string;
  readonly #compact: () => Pack | null;
  readonly #writing = new Map<string, Promise<void>>();

  /** @param folder where they are written · @param compact the pack that the twin is a twin of */
  constructor(folder: string, compact: () => Pack | null) {
    this.#folder = folder;
    this.#compact = compact;
  }

  list(): Pack[] {
    return ids.flatMap((id) => this.find(id) ?? []);
  }

  /** Null when none of that id can be built. */
  find(id: string): Pack | null {
    // Asked for all the time, and built for nothing.
    if (!ids.includes(id)) return null;
    const formula = handmade().get(id);
    if (formula) return packWith(formula, this.#folderOf(id, formula.version));
    const compact = this.#compact();
    const hashes = compact && twins.get(compact.encoderSha256);
    if (!compact || !hashes) return null;
    const manifest = twinManifest(compact, hashes);
    return packWith(manifest, this.#folderOf(id, manifest.version));
  }

  /** What the numbers of its vectors say, by groups; none where it makes other vectors than a hand-made space. */
  groupsOf({ encoderSha256 }: Pack): readonly FeatureGroup[] {
    const space = handmadeSpaces.find(({ id }) => this.find(id)?.encoderSha256 === encoderSha256);
    return space?.groups ?? [];
  }

  /** Writes the files of a pack that is to be used, unless they are there. @throws PackError when it does not come out as declared */
  async ready(pack: Pack): Promise<void> {
    let writing = this.#writing.get(pack.folder);
    if (writing === undefined) {
      writing = this.#write(pack);
      this.#writing.set(pack.folder, writing);
      // A failure is not kept: there may be room on the disk the next time.
      writing.catch(() => this.#writing.delete(pack.folder));
    }
    await writing;
  }

  async #write(pack: Pack): Promise<void> {
    // What an earlier state of the application left there under the same version is written anew.
    const there = await readPack(pack.folder).catch(() => null);
    if (there?.sha256 === pack.sha256) return;
    const files = await this.#files(pack.manifest.id);
    if (packWith(files.manifest, pack.folder).sha256 !== pack.sha256)
      throw new PackError('hash', `the pack “${pack.manifest.id}” does not come out as it should`, {
        hint: 'Verify the pack “compact”, or install Archetone again.',
      });
    // A run that was ended may have left parts of it; the manifest is written last.
    await rm(pack.folder, { recursive: true, force: true });
    await writePack(files, pack.folder);
  }

  async #files(id: string): Promise<PackFiles> {
    const space = handmadeSpaces.find((known) => known.id === id);
    if (space) return handmadePack(space);
    const compact = this.#compact();
    if (!compact) throw new PackError('missing', `there is no pack that “${id}” could be made of`);
    return randomTwin(compact, TWIN_SEED);
  }

  /** By version, so that an older version's files are never taken for this one's. */
  #folderOf(id: string, version: string): string {
    return join(this.#folder, `${id}-${version}`);
  }
}
