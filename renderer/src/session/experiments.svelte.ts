import type { CurvePoint, Experiment, TrainRequest } from '../../../engine/api/experiments.ts';
import type { EngineClient, Input } from '../../../engine/api/contract.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';

export type TrainForm = Input<'experiments.train'>['request'] & Pick<TrainRequest, 'taxonomyId'>;

/** The experiments of the open library, and the one whose predictions are shown everywhere. */
export class Experiments {
  /** Pinned ones first, then newest first. */
  list = $state.raw<Experiment[]>([]);
  currentId = $state<string | null>(null);
  /** The training job that is under way or was last, and its curve as it grows. */
  trainingJobId = $state<string | null>(null);
  curve = $state.raw<CurvePoint[]>([]);
  readonly #libraryId: string;
  #engine: EngineClient;
  #jobs: JobWaiter;

  current = $derived(this.list.find((experiment) => experiment.id === this.currentId) ?? null);

  constructor(libraryId: string, engine: EngineClient, jobs: JobWaiter) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#jobs = jobs;
  }

  async reload(): Promise<void> {
    const list = await this.#engine.call('experiments.list', { libraryId: this.#libraryId });
    const newestFirst = [...list].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    this.list = [...newestFirst].sort((a, b) => Number(b.pinned) - Number(a.pinned));
    if (!this.current) this.currentId = newestFirst[0]?.id ?? null;
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

  /** Trains (which also predicts every track), then chooses the new experiment. @throws EngineError as the job failed, or `cancelled`. */
  async train(request: TrainForm): Promise<string> {
    const { jobId } = await this.#engine.call('experiments.train', {
      libraryId: this.#libraryId,
      request,
    });
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
      libraryId: this.#libraryId,
      experimentId,
    });
    await this.#jobs.wait(jobId);
  }

  async remove(experimentId: string): Promise<void> {
    await this.#engine.call('experiments.remove', { libraryId: this.#libraryId, experimentId });
    await this.reload();
  }
}
