import { SvelteMap } from 'svelte/reactivity';
import type { PackInfo, PackVerification, ProviderInfo } from '../../../engine/api/domain.ts';
import type { EngineConnection } from './engine.svelte.ts';
import type { Jobs } from './jobs.svelte.ts';

/** Installed packs, what verification found, and the execution providers of this machine. */
export class Packs {
  list = $state.raw<PackInfo[]>([]);
  providers = $state.raw<ProviderInfo[]>([]);
  verifications = new SvelteMap<string, PackVerification>();
  verifying = new SvelteMap<string, string>();
  checkJobId = $state<string | null>(null);
  #engine: EngineConnection;
  #jobs: Jobs;

  constructor(engine: EngineConnection, jobs: Jobs) {
    this.#engine = engine;
    this.#jobs = jobs;
  }

  get(packId: string | null | undefined): PackInfo | null {
    return this.list.find((pack) => pack.id === packId) ?? null;
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('packs.list', {});
    this.providers = await this.#engine.call('providers.list', {});
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
