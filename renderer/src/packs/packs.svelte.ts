import { SvelteMap } from 'svelte/reactivity';
import type {
  HubModelInfo,
  PackInfo,
  PackVerification,
  ProviderInfo,
  TrainingData,
} from '../../../engine/api/packs.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import type { Jobs } from '../jobs/jobs.svelte.ts';
import { PackAdding } from './pack-adding.svelte.ts';

/** Installed packs, what verification found, and the execution providers of this machine. */
export class Packs {
  list = $state.raw<PackInfo[]>([]);
  providers = $state.raw<ProviderInfo[]>([]);
  verifications = new SvelteMap<string, PackVerification>();
  /** By pack, once it was read. */
  trainingData = new SvelteMap<string, TrainingData | null>();
  verifying = new SvelteMap<string, string>();
  checkJobId = $state<string | null>(null);
  /** Models of the hub with a short name. */
  hub = $state.raw<HubModelInfo[]>([]);
  readonly adding: PackAdding;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  readonly #looked = new Set<string>();
  #engine: EngineConnection;
  #jobs: Jobs;

  constructor(engine: EngineConnection, jobs: Jobs) {
    this.#engine = engine;
    this.#jobs = jobs;
    this.adding = new PackAdding(engine, jobs, () => this.reload());
  }

  get(packId: string | null | undefined): PackInfo | null {
    return this.list.find((pack) => pack.id === packId) ?? null;
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('packs.list', {});
    this.providers = await this.#engine.call('providers.list', {});
    this.hub = await this.#engine.call('packs.hub', {});
  }

  /** Lists packs anew where one of these is not known, once for each: what is gone stays gone. */
  async know(packIds: readonly string[]): Promise<void> {
    const unknown = packIds.filter((id) => this.get(id) === null && !this.#looked.has(id));
    if (unknown.length === 0) return;
    for (const id of unknown) this.#looked.add(id);
    await this.reload();
  }

  /** What a pack is called; its id where it is gone. */
  readonly nameOf = (packId: string): string => this.get(packId)?.title ?? packId;

  async readTrainingData(packId: string): Promise<void> {
    if (!this.trainingData.has(packId))
      this.trainingData.set(packId, await this.#engine.call('packs.trainingData', { packId }));
  }

  async remove(packId: string): Promise<void> {
    await this.#engine.call('packs.remove', { packId });
    this.verifications.delete(packId);
    this.trainingData.delete(packId);
    await this.reload();
  }

  async removeHead(packId: string, headId: string): Promise<void> {
    await this.#engine.call('packs.removeHead', { packId, headId });
    await this.reload();
  }

  async verify(packId: string): Promise<void> {
    const { jobId } = await this.#engine.call('packs.verify', { packId });
    this.verifying.set(packId, jobId);
    try {
      const job = await this.#jobs.wait(jobId);
      if (job.result?.kind === 'verify-pack') this.verifications.set(packId, job.result.verification);
    } finally {
      this.verifying.delete(packId);
    }
  }

  async checkProviders(packId: string): Promise<void> {
    const { jobId } = await this.#engine.call('providers.check', { packId });
    this.checkJobId = jobId;
    const job = await this.#jobs.wait(jobId);
    if (job.result?.kind === 'check-providers') this.providers = job.result.providers;
  }
}
