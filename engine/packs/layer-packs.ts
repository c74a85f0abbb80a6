import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  layerPack,
  packWith,
  readPack,
  writePack,
  type LayerChoice,
  type Pack,
} from '../../models/packs/index.ts';

/** A layer's folder ends in the first digits of its pack's hash; those of other packs that lie there, in a version. */
const LAYER_FOLDER = /-([0-9a-f]{16})$/;

/** Packs of layers inside the networks of other packs: written when they are first asked for. */
export class LayerPacks {
  readonly #folder: string;
  readonly #known = new Map<string, Pack>();
  readonly #writing = new Map<string, Promise<Pack>>();

  /** @param folder where they are written */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One that was asked for; null when there is none of that id. */
  find(id: string): Pack | null {
    return this.#known.get(id) ?? null;
  }

  /** @throws PackError naming the layers that there are, where there is no such one */
  async of(pack: Pack, choice: LayerChoice): Promise<Pack> {
    const key = `${pack.sha256} ${String(choice)}`;
    let writing = this.#writing.get(key);
    if (!writing) {
      writing = this.#write(pack, choice);
      this.#writing.set(key, writing);
      // A failure is not kept: there may be room on the disk the next time.
      writing.catch(() => this.#writing.delete(key));
    }
    return writing;
  }

  /** Those of this process that `kept` has not the hashes of. */
  besides(kept: ReadonlySet<string>): Pack[] {
    return [...this.#known.values()].filter(({ sha256 }) => !kept.has(sha256));
  }

  /** Those of this process that are layers of a pack. */
  insideOf(packId: string): Pack[] {
    return [...this.#known.values()].filter(({ manifest }) => isInsideOf(packId, manifest.id));
  }

  /**
   * Deletes layers, also those that earlier processes wrote, but for the ones that `kept` has the hashes of. What is asked for
   * again is written again.
   * @throws the system's error
   */
  async keepOnly(kept: ReadonlySet<string>): Promise<void> {
    const begins = new Set([...kept].map(beginOf));
    await this.#remove(this.besides(kept), (name) => !begins.has(LAYER_FOLDER.exec(name)?.[1] ?? ''));
  }

  /** Deletes the layers of a pack that goes. @throws the system's error */
  async removeAll(packId: string): Promise<void> {
    await this.#remove(this.insideOf(packId), (name) => isInsideOf(packId, name));
  }

  async #remove(packs: readonly Pack[], goes: (name: string) => boolean): Promise<void> {
    for (const { manifest, sha256 } of packs) {
      this.#known.delete(manifest.id);
      for (const [key, writing] of this.#writing)
        if ((await writing.catch(() => null))?.sha256 === sha256) this.#writing.delete(key);
    }
    for (const name of await readdir(this.#folder).catch(() => []))
      if (LAYER_FOLDER.test(name) && goes(name))
        await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  async #write(pack: Pack, choice: LayerChoice): Promise<Pack> {
    const files = await layerPack(pack, choice);
    const { id } = files.manifest;
    const { sha256 } = packWith(files.manifest, '');
    const made = packWith(files.manifest, join(this.#folder, `${id}-${beginOf(sha256)}`));
    const there = await readPack(made.folder).catch(() => null);
    if (there?.sha256 !== sha256) {
      // A run that was ended may have left parts of it; the manifest is written last.
      await rm(made.folder, { recursive: true, force: true });
      await writePack(files, made.folder);
    }
    this.#known.set(id, made);
    return made;
  }
}

const beginOf = (sha256: string): string => sha256.slice(0, 16);

/** By how ids of layers begin; one that is too long for its name bears a hash in its place, and is not found so. */
const isInsideOf = (packId: string, id: string): boolean => id.startsWith(`${packId}-layer-`);
