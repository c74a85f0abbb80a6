import type { Input } from '../../../engine/api/contract.ts';
import type { GeneratedPrototype, Reduction, ReductionMethodInfo } from '../../../engine/api/domain.ts';
import type { EngineConnection } from './engine.svelte.ts';
import type { Jobs } from './jobs.svelte.ts';

/** The reductions of the open library, the chosen one and its generated prototypes. */
export class Reductions {
  methods = $state.raw<ReductionMethodInfo[]>([]);
  list = $state.raw<Reduction[]>([]);
  currentId = $state<string | null>(null);
  prototypes = $state.raw<GeneratedPrototype[]>([]);
  jobId = $state<string | null>(null);
  #libraryId: string | null = null;
  #engine: EngineConnection;
  #jobs: Jobs;

  current = $derived(this.list.find((reduction) => reduction.id === this.currentId) ?? null);

  constructor(engine: EngineConnection, jobs: Jobs) {
    this.#engine = engine;
    this.#jobs = jobs;
  }

  async open(libraryId: string | null): Promise<void> {
    this.#libraryId = libraryId;
    this.list = [];
    this.prototypes = [];
    this.currentId = null;
    if (this.methods.length === 0) this.methods = await this.#engine.call('reductions.methods', {});
    await this.reload();
  }

  async reload(): Promise<void> {
    const libraryId = this.#libraryId;
    if (libraryId === null) return;
    const list = await this.#engine.call('reductions.list', { libraryId });
    if (libraryId !== this.#libraryId) return;
    this.list = [...list].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    if (!this.current) this.currentId = this.list[0]?.id ?? null;
  }

  async loadPrototypes(reductionId: string | null): Promise<void> {
    this.prototypes = [];
    const libraryId = this.#libraryId;
    if (libraryId === null || reductionId === null) return;
    const prototypes = await this.#engine.call('reductions.prototypes', { libraryId, reductionId });
    if (reductionId === this.currentId) this.prototypes = prototypes;
  }

  async start(request: Input<'reductions.start'>['request']): Promise<void> {
    const libraryId = this.#open();
    const { jobId } = await this.#engine.call('reductions.start', { libraryId, request });
    this.jobId = jobId;
    const job = await this.#jobs.wait(jobId);
    await this.reload();
    if (job.result?.kind === 'reduce') this.currentId = job.result.reductionId;
  }

  async remove(reductionId: string): Promise<void> {
    await this.#engine.call('reductions.remove', { libraryId: this.#open(), reductionId });
    await this.reload();
  }

  #open(): string {
    if (this.#libraryId === null) throw new Error('no library is open');
    return this.#libraryId;
  }
}
