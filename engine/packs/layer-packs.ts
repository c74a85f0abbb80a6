import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  layerPack,
  packWith,
  readPack,
  writePack,
  type LayerChoice,
  type Pack,
} from '../../models/packs/index.ts';

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

  async #write(pack: Pack, choice: LayerChoice): Promise<Pack> {
    const files = await layerPack(pack, choice);
    const { id } = files.manifest;
    const { sha256 } = packWith(files.manifest, '');
    const made = packWith(files.manifest, join(this.#folder, `${id}-${sha256.slice(0, 16)}`));
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
