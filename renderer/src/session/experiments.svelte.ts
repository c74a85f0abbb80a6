import type { CurvePoint, Experiment, TrainRequest } from '../../../engine/api/domain.ts';
import type { Input } from '../../../engine/api/contract.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import type { Jobs } from '../jobs/jobs.svelte.ts';

export type TrainForm = Input<'experiments.train'>['request'] & Pick<TrainRequest, 'taxonomyId'>;

/** The experiments of the open library, and the one whose predictions are shown everywhere. */
export class Experiments {
  list = $state.raw<Experiment[]>([]);
  currentId = $state<string | null>(null);
  /** The training job that is under way or was last, and its curve as it grows. */
  trainingJobId = $state<string | null>(null);
  curve = $state.raw<CurvePoint[]>([]);
  #libraryId: string | null = null;
  #engine: EngineConnection;
  #jobs: Jobs;

  current = $derived(this.list.find((experiment) => experiment.id === this.currentId) ?? null);

  constructor(engine: EngineConnection, jobs: Jobs) {
    this.#engine = engine;
    this.#jobs = jobs;
  }

  async open(libraryId: string | null): Promise<void> {
    this.#libraryId = libraryId;
    this.list = [];
    this.currentId = null;
    this.trainingJobId = null;
    this.curve = [];
    await this.reload();
  }

  async reload(): Promise<void> {
    const libraryId = this.#libraryId;
    if (libraryId === null) return;
    const list = await this.#engine.call('experiments.list', { libraryId });
    if (libraryId !== this.#libraryId) return;
    this.list = [...list].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    if (!this.current) this.currentId = this.list[0]?.id ?? null;
  }

  /** Puts a changed experiment (a new revision) in its place. */
  replace(experiment: Experiment): void {
    this.list = this.list.map((known) => (known.id === experiment.id ? experiment : known));
  }

  addPoint(jobId: string, point: CurvePoint): void {
    if (jobId !== this.trainingJobId) {
      this.trainingJobId = jobId;
      this.curve = [];
    }
    this.curve = [...this.curve.filter((known) => known.step < point.step), point];
  }

  /** Trains, then chooses the new experiment. @throws EngineError as the job failed, or `cancelled`. */
  async train(request: TrainForm): Promise<string> {
    const libraryId = this.#open();
    const { jobId } = await this.#engine.call('experiments.train', { libraryId, request });
    if (this.trainingJobId !== jobId) this.curve = [];
    this.trainingJobId = jobId;
    const job = await this.#jobs.wait(jobId);
    if (job.result?.kind !== 'train') throw new Error('the training job has no experiment');
    await this.reload();
    this.currentId = job.result.experimentId;
    return job.result.experimentId;
  }

  /** Predicts the class of every track of the library. */
  async classifyLibrary(experimentId: string): Promise<void> {
    const { jobId } = await this.#engine.call('classify.library', {
      libraryId: this.#open(),
      experimentId,
    });
    await this.#jobs.wait(jobId);
  }

  async remove(experimentId: string): Promise<void> {
    await this.#engine.call('experiments.remove', { libraryId: this.#open(), experimentId });
    await this.reload();
  }

  #open(): string {
    if (this.#libraryId === null) throw new Error('no library is open');
    return this.#libraryId;
  }
}
