import type { PackChoices, PackOrigin, PackPrecision, PackProposal } from '../../../engine/api/packs.ts';
import { EngineError, type EngineErrorData } from '../../../engine/api/errors.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import type { Jobs } from '../jobs/jobs.svelte.ts';

/** The pack that is about to be added: what it would be, then the job that makes it. */
export class PackAdding {
  proposal = $state.raw<PackProposal | null>(null);
  problem = $state.raw<EngineErrorData | null>(null);
  busy = $state(false);
  jobId = $state<string | null>(null);
  precision = $state<PackPrecision>('float32');
  /** The pack that was chosen for a head; null: as its JSON says. */
  headOf = $state<string | null>(null);
  #origin = $state.raw<PackOrigin | null>(null);
  readonly #engine: EngineConnection;
  readonly #jobs: Jobs;
  readonly #onAdded: () => Promise<void>;

  constructor(engine: EngineConnection, jobs: Jobs, onAdded: () => Promise<void>) {
    this.#engine = engine;
    this.#jobs = jobs;
    this.#onAdded = onAdded;
  }

  /** Files chosen so far. */
  get paths(): string[] {
    return this.#origin?.kind === 'files' ? this.#origin.paths : [];
  }

  /** Asks what these files, or this model, would become. Files that make no pack yet are kept, so that others can join them. */
  async propose(origin: PackOrigin): Promise<void> {
    const unique: PackOrigin =
      origin.kind === 'files'
        ? { kind: 'files', paths: origin.paths.filter((path, i, all) => all.indexOf(path) === i) }
        : origin;
    await this.#attempt(async () => {
      this.proposal = null;
      this.#origin = unique;
      this.proposal = await this.#engine.call('packs.inspect', {
        origin: unique,
        choices: this.#choices,
      });
    });
    // A file that stands in the way would make every later choice fail too; EnCodec, or a network, only waits for its other half.
    if (this.proposal === null && this.problem !== null && this.problem.detail?.['code'] !== 'incomplete')
      this.#origin = null;
  }

  /** Another precision makes another pack, with a name of its own. */
  async choosePrecision(precision: PackPrecision): Promise<void> {
    this.precision = precision;
    if (this.#origin !== null) await this.propose(this.#origin);
  }

  /** A head says something behind the model that it was trained on alone: which of the packs here that is. */
  async chooseHeadOf(packId: string): Promise<void> {
    this.headOf = packId;
    if (this.#origin !== null) await this.propose(this.#origin);
  }

  get #choices(): PackChoices {
    return { precision: this.precision, ...(this.headOf === null ? {} : { headOf: this.headOf }) };
  }

  /** Adds the proposed pack; its terms were accepted. */
  async start(): Promise<void> {
    const [origin, proposal] = [this.#origin, this.proposal];
    if (origin === null || proposal === null) return;
    await this.#attempt(async () => {
      const accepted = proposal.terms.map(({ id }) => id);
      const { jobId } = await this.#engine.call('packs.add', {
        origin,
        accepted,
        // The pack that was shown is the one that was meant.
        choices: { ...this.#choices, ...(proposal.head && { headOf: proposal.head.packId }) },
      });
      this.jobId = jobId;
      const job = await this.#jobs.wait(jobId);
      if (job.error !== null) throw EngineError.fromData(job.error);
      if (job.state === 'done') this.forget();
      await this.#onAdded();
    });
  }

  forget(): void {
    this.#origin = null;
    this.headOf = null;
    this.proposal = null;
    this.problem = null;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = EngineError.from(thrown).toData();
    } finally {
      this.busy = false;
      this.jobId = null;
    }
  }
}
