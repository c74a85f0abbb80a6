import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { remeasurePrecision } from '../../models/conversion/precision.ts';
import {
  checkProviders,
  openRuntime,
  PackError,
  readPack,
  verifyPack,
  type CheckOptions,
  type Pack,
  type PackRuntime,
  type ProviderRunner,
} from '../../models/packs/index.ts';
import type { PackInfo, PackVerification, ProviderInfo } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import { packInfo } from './info.ts';
import { ProviderMemory } from './providers.ts';

export interface PackServiceOptions {
  /** Folders that hold packs, one sub-folder each; the first one holds those that come with the application. */
  packFolders: readonly string[];
  /** Where the result of the provider check is kept. */
  dataFolder: string;
  /** Measures providers; default: a child process where there can be one. */
  providerRunner?: ProviderRunner;
  /** Threads of ONNX Runtime inside one operator. */
  threads?: number;
}

/** A folder that looks like a pack but cannot be used. */
export interface PackProblem {
  folder: string;
  message: string;
  hint: string;
}

/** The packs of this installation, and one shared runtime for each of them. */
export class PackService {
  readonly #options: PackServiceOptions;
  readonly #memory: ProviderMemory;
  readonly #packs = new Map<string, { pack: Pack; embedded: boolean }>();
  readonly #runtimes = new Map<string, Promise<PackRuntime>>();
  #problems: PackProblem[] = [];

  private constructor(options: PackServiceOptions, memory: ProviderMemory) {
    this.#options = options;
    this.#memory = memory;
  }

  /** Reads the manifests of all packs. A pack that cannot be read is left out and named in `problems`. */
  static async open(options: PackServiceOptions): Promise<PackService> {
    const service = new PackService(options, await ProviderMemory.open(options.dataFolder));
    await service.refresh();
    return service;
  }

  /** Looks for packs again. Of two packs with one id the first one found is used. */
  async refresh(): Promise<void> {
    this.#packs.clear();
    this.#problems = [];
    for (const [index, root] of this.#options.packFolders.entries()) {
      const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        // Packs that are being added or removed, and downloads, lie in folders that begin with a dot.
        if (entry.isDirectory() && !entry.name.startsWith('.'))
          await this.#read(join(root, entry.name), index === 0);
      }
    }
  }

  async #read(folder: string, embedded: boolean): Promise<void> {
    try {
      const pack = await readPack(folder);
      if (!this.#packs.has(pack.manifest.id)) this.#packs.set(pack.manifest.id, { pack, embedded });
    } catch (thrown) {
      // A folder without pack.json is simply not a pack.
      if (thrown instanceof PackError && thrown.code !== 'missing')
        this.#problems.push({ folder, message: thrown.message, hint: thrown.hint });
    }
  }

  list(): PackInfo[] {
    return [...this.#packs.values()].map(({ pack, embedded }) => packInfo(pack, embedded));
  }

  /** Folders that were left out because their manifest is not valid. */
  problems(): readonly PackProblem[] {
    return this.#problems;
  }

  /** Null when there is none of that id. */
  find(packId: string): Pack | null {
    return this.#packs.get(packId)?.pack ?? null;
  }

  /** The pack that makes the vectors of a space; null when it is not installed, or only in another version. */
  ofSpace({ packSha256 }: { packSha256: string }): Pack | null {
    return [...this.#packs.values()].find(({ pack }) => pack.sha256 === packSha256)?.pack ?? null;
  }

  /** @throws EngineError `pack` when there is none of that id. */
  get(packId: string): Pack {
    const entry = this.#packs.get(packId);
    if (entry) return entry.pack;
    const known = [...this.#packs.keys()];
    const problem = this.#problems[0];
    throw new EngineError(
      'pack',
      problem === undefined
        ? `There is no pack “${packId}”.`
        : `There is no usable pack “${packId}”: ${problem.message}`,
      known.length > 0
        ? `Installed packs: ${known.join(', ')}.`
        : (problem?.hint ?? 'Install Archetone again.'),
    );
  }

  /**
   * The shared runtime of a pack, on the provider that the last check chose. Callers must not close it.
   * @throws EngineError `pack`
   */
  runtime(packId: string): Promise<PackRuntime> {
    const pack = this.get(packId);
    const open = this.#runtimes.get(pack.sha256);
    if (open) return open;
    const { threads } = this.#options;
    const runtime = openRuntime(pack, {
      provider: this.#memory.chosen(pack.sha256),
      ...(threads === undefined ? {} : { threads }),
    });
    this.#runtimes.set(pack.sha256, runtime);
    runtime.catch(() => this.#runtimes.delete(pack.sha256));
    return runtime;
  }

  /**
   * Where packs are added: the last folder, unless it is the one of the embedded packs.
   * @throws EngineError `pack` when there is none
   */
  get addFolder(): string {
    const folder = this.#options.packFolders.slice(1).at(-1);
    if (folder !== undefined) return folder;
    throw new EngineError(
      'pack',
      'There is no folder for added packs.',
      'Name one in the environment variable ARCHETONE_USER_PACKS.',
    );
  }

  /**
   * Deletes the files of a pack that was added. Calls under way finish first.
   * @throws EngineError `pack` when there is none of that id, or it came with the application
   */
  async remove(packId: string): Promise<void> {
    const pack = this.get(packId);
    if (this.#packs.get(packId)?.embedded === true)
      throw new EngineError(
        'pack',
        `The pack “${packId}” comes with Archetone.`,
        'Only packs that were added can be removed.',
      );
    const runtime = this.#runtimes.get(pack.sha256);
    this.#runtimes.delete(pack.sha256);
    await (await runtime?.catch(() => undefined))?.close();
    // Out of sight at once; what is slow to delete is no longer a pack.
    const grave = join(dirname(pack.folder), `.removing-${basename(pack.folder)}-${randomUUID()}`);
    await rename(pack.folder, grave);
    await rm(grave, { recursive: true, force: true });
    await this.refresh();
  }

  /** Checks the files of a pack against its manifest, and a reduced one on this processor where its card was made on another. */
  async verify(packId: string, signal: AbortSignal): Promise<PackVerification> {
    try {
      const pack = this.get(packId);
      await verifyPack(pack, signal);
      const runtime = await this.runtime(packId);
      await remeasurePrecision(pack, (window) => runtime.embed(window, 1));
      return { packId, ok: true, problems: [] };
    } catch (thrown) {
      if (!(thrown instanceof PackError)) throw thrown;
      const { message, hint, file = 'pack.json' } = thrown;
      return { packId, ok: false, problems: [{ file, message, hint }] };
    }
  }

  /** Measures every execution provider against the CPU and uses the fastest correct one from now on. */
  async check(packId: string, options: CheckOptions): Promise<ProviderInfo[]> {
    const pack = this.get(packId);
    const runner = this.#options.providerRunner;
    const reports = await checkProviders(pack, { ...(runner === undefined ? {} : { runner }), ...options });
    const before = this.#memory.chosen(pack.sha256);
    await this.#memory.remember(pack.sha256, reports);
    if (this.#memory.chosen(pack.sha256) !== before) {
      const runtime = this.#runtimes.get(pack.sha256);
      this.#runtimes.delete(pack.sha256);
      // Calls under way finish first.
      await (await runtime)?.close();
    }
    return reports;
  }

  providers(): ProviderInfo[] {
    return this.#memory.list();
  }

  /** Frees every runtime. */
  async close(): Promise<void> {
    const runtimes = await Promise.allSettled([...this.#runtimes.values()]);
    this.#runtimes.clear();
    await Promise.all(runtimes.flatMap((r) => (r.status === 'fulfilled' ? [r.value.close()] : [])));
  }
}
