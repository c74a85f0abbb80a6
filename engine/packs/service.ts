import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Trial } from '../../models/conversion/index.ts';
import { remeasurePrecision } from '../../models/conversion/precision.ts';
import type { FeatureGroup } from '../../models/handmade/handmade-space.ts';
import {
  checkProviders,
  layersOf,
  measureBatchSize,
  PackError,
  processorName,
  readPack,
  type BatchChoice,
  type CheckOptions,
  type Layer,
  type LayerChoice,
  type Pack,
  type PackRuntime,
  type ProviderReport,
  type ProviderRunner,
} from '../../models/packs/index.ts';
import type { JobLane } from '../api/jobs.ts';
import type { PackInfo, PackProblem, PackVerification, ProviderInfo } from '../api/packs.ts';
import { EngineError } from '../api/errors.ts';
import type { Confinement } from '../api/app.ts';
import { Embedder } from '../embedder/embedder.ts';
import { embedderLimits, type EmbedderLimits } from '../embedder/limits.ts';
import { inlineEmbedder } from '../embedder/inline.ts';
import type { SpawnHelper } from '../helpers/process.ts';
import { EmbedderRuntime } from '../embedder/runtime.ts';
import { BuiltPacks } from './built.ts';
import { LayerPacks } from './layer-packs.ts';
import { earlierEncoders } from './earlier-packs.ts';
import { BatchMemory, type BatchKey } from './batch-sizes.ts';
import { Heads } from './heads.ts';
import { packInfo } from './info.ts';
import { defaultRunner } from './provider-runner.ts';
import { ProviderMemory } from './providers.ts';

/**
 * The sizes tried differ by about a tenth, and the measurement takes up to 1.5 s: at 75 windows a second a thousand of them
 * are the least that it pays for.
 */
const WORTH_MEASURING = 1000;
/** The middle one of the sizes that are tried. */
const UNMEASURED_SIZE = 4;

export interface PackServiceOptions {
  /** Folders that hold packs, one sub-folder each; the first one holds those that come with the application. */
  packFolders: readonly string[];
  /** Where the result of the provider check is kept. */
  dataFolder: string;
  /** Measures providers; default: a child process where there can be one. */
  providerRunner?: ProviderRunner;
  /** Threads of ONNX Runtime inside one operator. */
  threads?: number;
  /** Starts the process in which graphs run; default: this thread runs them. */
  embedder?: SpawnHelper;
  limits?: Partial<EmbedderLimits>;
  /** Told what keeps the process of the graphs in, each time that one was started. */
  onConfined?: (confinement: Confinement) => void;
}

interface InstalledPack {
  pack: Pack;
  /** Came with the application. */
  embedded: boolean;
}

/** The packs of this installation, and the embedder that runs their graphs. */
export class PackService {
  readonly #options: PackServiceOptions;
  readonly #memory: ProviderMemory;
  readonly #batches: BatchMemory;
  #packs: ReadonlyMap<string, InstalledPack> = new Map();
  readonly #runtimes = new Map<string, { sha256: string; runtime: EmbedderRuntime }>();
  readonly #embedder: Embedder;
  #confinement: Confinement | null = null;
  readonly #built: BuiltPacks;
  /** Layers that were asked for. */
  readonly #layers: LayerPacks;
  /** Networks behind the embeddings of packs. */
  readonly heads: Heads;
  #problems: PackProblem[] = [];
  #threads: number | null;

  private constructor(options: PackServiceOptions, memory: ProviderMemory, batches: BatchMemory) {
    this.#options = options;
    this.#threads = options.threads ?? null;
    this.#memory = memory;
    this.#batches = batches;
    this.#built = new BuiltPacks(
      join(options.dataFolder, 'built-packs'),
      () => this.#packs.get('compact')?.pack ?? null,
    );
    this.#layers = new LayerPacks(join(options.dataFolder, 'built-packs'));
    this.#embedder = new Embedder({
      spawn: options.embedder ?? inlineEmbedder,
      limits: { ...embedderLimits, ...options.limits },
      onConfined: (confinement) => {
        this.#confinement = confinement;
        options.onConfined?.(confinement);
      },
    });
    this.heads = new Heads(options.packFolders.slice(1).at(-1) ?? null, this.#embedder);
  }

  /** What keeps the process of the graphs in; null until it was started. */
  get confinement(): Confinement | null {
    return this.#confinement;
  }

  /** Reads the manifests of all packs. A pack that cannot be read is left out and named in `problems`. */
  static async open(options: PackServiceOptions): Promise<PackService> {
    const service = new PackService(
      options,
      await ProviderMemory.open(options.dataFolder),
      await BatchMemory.open(options.dataFolder),
    );
    await service.refresh();
    return service;
  }

  /** Looks for packs again. Of two packs with one id the first one found is used. */
  async refresh(): Promise<void> {
    const found = { packs: new Map<string, InstalledPack>(), problems: [] as PackProblem[] };
    for (const [index, root] of this.#options.packFolders.entries()) {
      const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        // Packs that are being added or removed, and downloads, lie in folders that begin with a dot.
        if (entry.isDirectory() && !entry.name.startsWith('.'))
          await readInto(found, join(root, entry.name), index === 0);
      }
    }
    found.problems.push(...(await this.heads.refresh()));
    // Only now: whoever asks for a pack meanwhile must not be told that there is none.
    this.#packs = found.packs;
    this.#problems = found.problems;
  }

  list(): PackInfo[] {
    const installed = [...this.#packs.values()];
    const built = this.#builtPacks().map((pack) => ({ pack, embedded: true }));
    return [...installed, ...built].map(({ pack, embedded }) =>
      packInfo(pack, embedded, this.heads.of(pack.manifest.id)),
    );
  }

  /** Folders that were left out because their manifest is not valid. */
  problems(): readonly PackProblem[] {
    return this.#problems;
  }

  /** Null when there is none of that id. */
  find(packId: string): Pack | null {
    return this.#packs.get(packId)?.pack ?? this.#built.find(packId) ?? this.#layers.find(packId);
  }

  /**
   * The pack that makes the vectors of a space: the one it was used with, else one with the same encoder; null when none
   * is installed.
   */
  ofSpace(space: { packId: string; packSha256: string; encoderSha256: string }): Pack | null {
    const installed = [...this.#packs.values()].map(({ pack }) => pack);
    const own = this.#built.find(space.packId);
    const packs = own ? [...installed, own] : installed;
    const alike = packs.filter(({ encoderSha256 }) => encoderSha256 === space.encoderSha256);
    return (
      packs.find(({ sha256 }) => sha256 === space.packSha256) ??
      alike.find(({ manifest }) => manifest.id === space.packId) ??
      alike[0] ??
      null
    );
  }

  /** The encoder of a pack that is installed, or came with an earlier version; null when it is not known. */
  encoderOf(packSha256: string): string | null {
    const installed = [...this.#packs.values()].find(({ pack }) => pack.sha256 === packSha256);
    return (
      installed?.pack.encoderSha256 ??
      earlierEncoders.get(packSha256) ??
      this.#built.list().find((pack) => pack.sha256 === packSha256)?.encoderSha256 ??
      null
    );
  }

  /** @throws EngineError `pack` when there is none of that id. */
  get(packId: string): Pack {
    const pack = this.find(packId);
    if (pack) return pack;
    const known = [...this.#packs.keys(), ...this.#builtPacks().map(({ manifest }) => manifest.id)];
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
   * The pack of that id with its files in place, for whatever reads them.
   * @throws EngineError `pack`; PackError when a pack that is built here cannot be
   */
  async ready(packId: string): Promise<Pack> {
    const pack = this.get(packId);
    if (!this.#packs.has(packId) && !this.#layers.find(packId)) await this.#built.ready(pack);
    return pack;
  }

  /**
   * A pack whose embedding is a layer inside the network of another. It is listed nowhere, and known by its id until the
   * process ends.
   * @throws EngineError `pack`; PackError naming the layers that there are
   */
  async layer(packId: string, choice: LayerChoice): Promise<Pack> {
    return this.#layers.of(await this.ready(packId), choice);
  }

  /** Layers of the network of a pack. @throws EngineError `pack`; PackError where it has no network */
  async layers(packId: string): Promise<Layer[]> {
    return layersOf(await this.ready(packId));
  }

  /**
   * Lets go of the layers that nobody needs any more, and deletes their files. Calls under way finish first.
   * @param kept hashes of those that stay
   * @throws the system's error
   */
  async keepLayers(kept: ReadonlySet<string>): Promise<void> {
    for (const { sha256 } of this.#layers.besides(kept)) await this.#closeRuntimes(sha256);
    await this.#layers.keepOnly(kept);
  }

  /**
   * What the numbers of the vectors of a pack say, by groups; none for packs whose numbers mean nothing by themselves.
   * @throws EngineError `pack`
   */
  featureGroups(packId: string): readonly FeatureGroup[] {
    return this.#built.groupsOf(this.get(packId));
  }

  /** Packs made here that no installed pack of the same id stands in for. */
  #builtPacks(): Pack[] {
    return this.#built.list().filter(({ manifest }) => !this.#packs.has(manifest.id));
  }

  /**
   * The shared runtime of a pack for the work of one lane, on the provider that the last check chose. What a lane asks
   * for is computed before what less urgent ones ask for. Callers must not close it.
   * @throws EngineError `pack`
   */
  async runtime(packId: string, lane: JobLane = 'compute'): Promise<PackRuntime> {
    const pack = await this.ready(packId);
    const name = `${lane} ${pack.sha256}`;
    const open = this.#runtimes.get(name);
    if (open) return open.runtime;
    const provider = this.#memory.chosen(pack.sha256);
    const threads = (): number | null => this.#threads;
    const runtime = new EmbedderRuntime(this.#embedder, pack, { provider, threads, lane });
    this.#runtimes.set(name, { sha256: pack.sha256, runtime });
    return runtime;
  }

  /**
   * A runtime on the CPU with threads of its own, also for a pack that is not installed. The caller closes it, and with it
   * the sessions of these graphs.
   */
  separateRuntime(pack: Pack, threads: number): PackRuntime {
    return new EmbedderRuntime(this.#embedder, pack, {
      ...{ provider: 'cpu', threads: () => threads, lane: 'compute' },
      closed: async () => {
        await this.#embedder.ask('close', { sha256: pack.sha256 }, { priority: 0 });
      },
    });
  }

  /** Runs a pack that is not installed yet in the process of the graphs: it may be anybody's. */
  trial(): Trial {
    return {
      verify: async (pack, signal) => {
        const key = { folder: pack.folder, sha256: pack.sha256, provider: 'cpu', threads: 1 } as const;
        await this.#embedder.ask(
          'verify',
          { pack: key },
          { priority: 1, pack, ...(signal ? { signal } : {}) },
        );
      },
      open: (pack) => Promise.resolve(this.separateRuntime(pack, this.#threads ?? availableParallelism())),
    };
  }

  /**
   * How many windows at a time a pack embeds fastest here: measured before the first long work, in about a second, and
   * remembered. For less than `WORTH_MEASURING` windows the measurement would cost more than it gains.
   * @param windows that are going to be embedded
   * @throws PackError; the signal's reason
   */
  async batchSize(
    packId: string,
    { lane, signal, windows }: { lane: JobLane; signal: AbortSignal; windows: number },
  ): Promise<number> {
    const pack = this.get(packId);
    const key = this.#batchKey(pack.sha256);
    const known = this.#batches.get(key);
    if (known) return known.size;
    if (windows < WORTH_MEASURING) return UNMEASURED_SIZE;
    const choice = await measureBatchSize(await this.runtime(packId, lane), { signal });
    await this.#batches.remember(key, choice);
    return choice.size;
  }

  #batchKey(packSha256: string): BatchKey {
    return {
      packSha256,
      provider: this.#memory.chosen(packSha256),
      threads: this.#threads,
      processor: processorName(),
    };
  }

  /**
   * Computes with so many threads from the next call on: also for work that is under way.
   * @param threads null: as many as the machine has cores. What the shell asked for when it started stays.
   */
  useThreads(threads: number | null): void {
    if (this.#options.threads !== undefined || threads === this.#threads) return;
    this.#threads = threads;
    // Sessions with another number of threads are not asked again; they only take memory.
    for (const sha256 of new Set([...this.#runtimes.values()].map((entry) => entry.sha256)))
      void this.#embedder.ask('close', { sha256 }, { priority: 0 }).catch(() => undefined);
  }

  /** Calls under way finish first; then the sessions of the pack are freed. */
  async #closeRuntimes(sha256: string): Promise<void> {
    for (const [name, entry] of this.#runtimes) {
      if (entry.sha256 !== sha256) continue;
      this.#runtimes.delete(name);
      await entry.runtime.close();
    }
    await this.#embedder.ask('close', { sha256 }, { priority: 0 });
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
   * Deletes the files of a pack that was added, of its heads and its layers. Calls under way finish first.
   * @throws EngineError `pack` when there is none of that id, or it came with the application
   */
  async remove(packId: string): Promise<void> {
    const pack = this.get(packId);
    if (this.#packs.get(packId)?.embedded !== false)
      throw new EngineError(
        'pack',
        `The pack “${packId}” comes with Archetone.`,
        'Only packs that were added can be removed.',
      );
    for (const { sha256 } of [pack, ...this.#layers.insideOf(packId)]) await this.#closeRuntimes(sha256);
    // Out of sight at once; what is slow to delete is no longer a pack.
    const grave = join(dirname(pack.folder), `.removing-${basename(pack.folder)}-${randomUUID()}`);
    await rename(pack.folder, grave);
    await rm(grave, { recursive: true, force: true });
    await this.#layers.removeAll(packId);
    await this.heads.removeAll(packId);
    await this.refresh();
  }

  /**
   * Checks the files of a pack against its manifest, a reduced one on this processor where its card was made on another, and
   * those of its heads.
   */
  async verify(packId: string, signal: AbortSignal): Promise<PackVerification> {
    const problems = [
      ...(await this.#problemsOf(packId, signal)),
      ...(await this.heads.verify(this.get(packId), signal)),
    ];
    return { packId, ok: problems.length === 0, problems };
  }

  async #problemsOf(packId: string, signal: AbortSignal): Promise<PackVerification['problems']> {
    try {
      const pack = await this.ready(packId);
      const provider = 'cpu';
      const key = { folder: pack.folder, sha256: pack.sha256, provider, threads: 1 } as const;
      await this.#embedder.ask('verify', { pack: key }, { priority: 1, pack, signal });
      signal.throwIfAborted();
      const runtime = await this.runtime(packId);
      await remeasurePrecision(pack, (window) => runtime.embed(window, 1));
      return [];
    } catch (thrown) {
      if (!(thrown instanceof PackError)) throw thrown;
      const { message, hint, file = 'pack.json' } = thrown;
      return [{ file, message, hint }];
    }
  }

  /** Measures every execution provider against the CPU and uses the fastest correct one from now on. */
  async check(packId: string, options: CheckOptions): Promise<ProviderInfo[]> {
    const pack = await this.ready(packId);
    const runner = this.#options.providerRunner ?? defaultRunner();
    const reports = await checkProviders(pack, { ...(runner === undefined ? {} : { runner }), ...options });
    const before = this.#memory.chosen(pack.sha256);
    await this.#memory.remember(pack.sha256, reports);
    if (this.#memory.chosen(pack.sha256) !== before) await this.#closeRuntimes(pack.sha256);
    return this.providers();
  }

  /** Of the pack that was checked last, else of the embedded one. */
  providers(): ProviderInfo[] {
    const packSha256 = this.#memory.latest ?? this.find('compact')?.sha256 ?? '';
    return this.#memory.list().map((report) => ({ ...report, batch: this.#batchOf(report, packSha256) }));
  }

  #batchOf({ chosen }: ProviderReport, packSha256: string): BatchChoice | null {
    return chosen ? this.#batches.get(this.#batchKey(packSha256)) : null;
  }

  /** Ends the embedder process; calls under way are rejected. */
  close(): Promise<void> {
    this.#runtimes.clear();
    return this.#embedder.close();
  }
}

async function readInto(
  found: { packs: Map<string, InstalledPack>; problems: PackProblem[] },
  folder: string,
  embedded: boolean,
): Promise<void> {
  try {
    const pack = await readPack(folder);
    if (!found.packs.has(pack.manifest.id)) found.packs.set(pack.manifest.id, { pack, embedded });
  } catch (thrown) {
    // A folder without pack.json is simply not a pack.
    if (thrown instanceof PackError && thrown.code !== 'missing')
      found.problems.push({ folder, message: thrown.message, hint: thrown.hint });
  }
}
