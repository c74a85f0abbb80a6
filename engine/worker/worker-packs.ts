import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPack, type Pack } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import { encoderFiles } from '../queue/pack-files.ts';

/** Writes what has this hash into a file. @returns false when it is not there */
type FetchFile = (sha256: string, path: string) => Promise<boolean>;

/** Packs by their hash: those in folders of this machine, else those that the library's machine put into the queue. */
export class WorkerPacks {
  readonly #folders: readonly string[];
  readonly #cache: string;
  readonly #fetchFile: FetchFile;
  readonly #packs = new Map<string, Promise<Pack>>();

  /** @param folders of packs, each sub-folder one · @param cache where fetched ones are kept */
  constructor(folders: readonly string[], cache: string, fetchFile: FetchFile) {
    this.#folders = folders;
    this.#cache = join(cache, 'packs');
    this.#fetchFile = fetchFile;
  }

  /** @throws EngineError `pack` when it is nowhere; PackError when it is damaged */
  get(sha256: string): Promise<Pack> {
    const known = this.#packs.get(sha256);
    if (known) return known;
    const pack = this.#find(sha256);
    this.#packs.set(sha256, pack);
    pack.catch(() => this.#packs.delete(sha256));
    return pack;
  }

  async #find(sha256: string): Promise<Pack> {
    for (const folder of [...this.#folders, this.#cache]) {
      const names = await readdir(folder).catch(() => []);
      for (const name of names.filter((each) => !each.startsWith('.'))) {
        const pack = await readPack(join(folder, name)).catch(() => null);
        if (pack?.sha256 === sha256) return pack;
      }
    }
    return this.#fetch(sha256);
  }

  async #fetch(sha256: string): Promise<Pack> {
    const part = join(this.#cache, `.${sha256}-${process.pid}`);
    await mkdir(part, { recursive: true });
    try {
      if (!(await this.#fetchFile(sha256, join(part, 'pack.json')))) throw unknown(sha256);
      const { manifest } = await readPack(part);
      for (const { file, sha256: own } of encoderFiles(manifest))
        if (!(await this.#fetchFile(own, join(part, file)))) throw unknown(sha256);
      const place = join(this.#cache, sha256);
      // Another worker of this machine may have been quicker.
      await rename(part, place).catch(() => undefined);
      return await readPack(place);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }
}

function unknown(sha256: string): EngineError {
  return new EngineError(
    'pack',
    `The pack ${sha256.slice(0, 12)}… is neither on this machine nor in the queue.`,
    'Name the folder that holds it with --pack, or start the import again, which puts it there.',
  );
}
