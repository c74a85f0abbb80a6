import { addLabelNoise } from '../../../models/knn/index.ts';
import { NumericError } from '../../../models/numerics/errors.ts';
import type { LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import {
  findReductionMethod,
  RowDistances,
  toLabelledVectors,
  type ReductionResult,
} from '../../../models/reduction/index.ts';
import { type Reduction, reductionsMethods } from '../../api/reductions.ts';
import type { FullScore, StudyRequest } from '../../api/studies.ts';
import { EngineError } from '../../api/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { newId } from '../../identifier.ts';
import type { JobHandle } from '../../jobs/queue.ts';
import { fingerprintOf, type LabelledRows } from '../corpus/index.ts';
import { runName } from '../../library/reduction-names.ts';
import type { ReducedSet } from '../../library/reductions.ts';
import { studyData } from './plan.ts';
import { addSplit, scoreSet, summary } from './score.ts';
import { Reducer } from './sizes.ts';
import type { StoredStudy } from '../../library/studies.ts';

/** What a study job is told. */
export const studySpecSchema = reductionsMethods['reductions.continueStudy'].input;

/**
 * Makes the reductions of a study that are not there yet: every split × noise × method with its parameters. Each is
 * stored as soon as it is scored, so a study that is stopped keeps what it has and goes on there.
 * @returns the number of reductions the study has
 * @throws EngineError `not-found`; `reduction` when the data changed since the study began; the signal's reason
 */
export async function runStudy(
  context: EngineContext,
  library: Library,
  studyId: string,
  job: JobHandle,
): Promise<number> {
  const started = performance.now();
  const study = library.studies.get(studyId);
  library.studies.setJob(studyId, job.id);
  let state: 'done' | 'stopped' = 'stopped';
  try {
    await new StudyRun(context, library, study, job).run();
    state = 'done';
    return library.reductions.list(studyId).length;
  } finally {
    library.studies.end(studyId, state, (performance.now() - started) / 1000);
  }
}

type Run = StudyRequest['runs'][number];

/** One split with one level of noise. */
interface Cell {
  split: number;
  noise: number;
  training: LabelledVectors;
  test: LabelledVectors;
  rows: LabelledRows;
  /** Rows of the corpus that are the training rows; null: all. */
  train: readonly number[] | null;
  reducer: Reducer;
  full: FullScore;
}

class StudyRun {
  readonly #known: Map<string, Reduction>;
  readonly #total: number;
  readonly #started = performance.now();
  #done = 0;
  /** Of them by this job. */
  #made = 0;

  constructor(
    readonly context: EngineContext,
    readonly library: Library,
    readonly study: StoredStudy,
    readonly job: JobHandle,
  ) {
    const { request, splits } = study;
    this.#known = new Map(library.reductions.list(study.id).map((item) => [keyOf(item, item.noise), item]));
    this.#total = splits.length * request.noise.length * (request.runs.length + 1);
  }

  async run(): Promise<void> {
    const { request, fingerprint } = this.study;
    const { signal } = this.job;
    const data = await studyData(this.context, this.library, request, signal, this.study.space ?? undefined);
    if ((await fingerprintOf(data.rows, signal)) !== fingerprint)
      throw new EngineError(
        'reduction',
        'Rows or labels changed since this study began, so its results would not be comparable.',
        'Start a new study.',
      );
    // What was refused is tried again: a newer version may do it.
    this.study.failures = [];
    this.library.studies.setFailures(this.study.id, []);
    for (const [split, part] of data.parts.entries()) {
      const { training, test } = part.make();
      // Noise exchanges labels, never vectors.
      const distances = new RowDistances(training.features, training.count, training.dim);
      for (const noise of request.noise) {
        await this.job.checkpoint();
        this.#report(`split ${split + 1}: the whole training data`);
        const { percent, seed } = { percent: noise, seed: request.seed + split };
        const noisy =
          percent === 0 ? training : addLabelNoise(training, { percent, seed, variant: 'proper' });
        const full = await this.#scoreFull(split, noise, noisy, test);
        this.#done += 1;
        let current = '';
        const reducer = new Reducer(noisy, this.#missing(noise, split), {
          ...{ seed: request.seed, signal, distances },
          onProgress: (fraction) => this.#report(`${current}, ${Math.floor(100 * fraction)} %`),
        });
        for (const run of request.runs) {
          await this.job.checkpoint();
          current = `split ${split + 1}: ${runName(run.method, run.parameters)}${noise > 0 ? `, ${noise} % noise` : ''}`;
          this.#report(current);
          const cell = {
            split,
            noise,
            training: noisy,
            test,
            rows: data.rows,
            train: part.train,
            reducer,
            full,
          };
          await this.#attempt(run, cell);
          this.#done += 1;
        }
      }
    }
    this.#report('');
  }

  /** Runs that a split with a level of noise does not have yet. */
  #missing(noise: number, split: number): Run[] {
    return this.study.request.runs.filter((run) => {
      const known = this.#known.get(keyOf(run, noise));
      return !known || known.sizes.length <= split;
    });
  }

  #report(current: string): void {
    const failures = this.study.failures.length;
    const left = this.#total - this.#done;
    const spent = (performance.now() - this.#started) / 1000;
    // Runs that were there before cost no time and would make the rest look quick.
    const etaSeconds = this.#made > 0 ? (spent / this.#made) * left : null;
    this.job.report({ done: this.#done, total: this.#total, unit: 'runs', current, failures, etaSeconds });
  }

  async #scoreFull(
    split: number,
    noise: number,
    training: LabelledVectors,
    test: LabelledVectors,
  ): Promise<FullScore> {
    const { study, library } = this;
    const known = study.full.find((full) => full.noise === noise);
    if (known && splitsIn(known.scores) > split) return known;
    const scores = await scoreSet(training, test, study.request, this.job.signal);
    const full = { noise, scores: addSplit(known?.scores ?? [], scores, split) };
    study.full = [...study.full.filter((other) => other.noise !== noise), full].sort(
      (a, b) => a.noise - b.noise,
    );
    library.studies.setFullScores(study.id, study.full);
    return full;
  }

  /** A method that refuses this data is noted; the others go on. */
  async #attempt(run: Run, cell: Cell): Promise<void> {
    const { failures } = this.study;
    const refused = failures.some(
      ({ noise, ...failed }) =>
        noise === cell.noise &&
        runName(failed.method, failed.parameters) === runName(run.method, run.parameters),
    );
    if (refused) return;
    try {
      await this.#reduce(run, cell);
    } catch (thrown) {
      if (!(thrown instanceof NumericError)) throw thrown;
      const { message, hint } = thrown;
      failures.push({ ...run, noise: cell.noise, message, hint });
      this.library.studies.setFailures(this.study.id, failures);
    }
  }

  async #reduce(run: Run, cell: Cell): Promise<void> {
    const { split, noise, training, test, reducer } = cell;
    const { request } = this.study;
    const known = this.#known.get(keyOf(run, noise));
    if (known && known.sizes.length > split) return;
    const { result, seconds: reducing } = await reducer.make(run);
    const started = performance.now();
    const generated = toLabelledVectors(result, training);
    const scores = await scoreSet(generated, test, request, this.job.signal);
    this.#made += 1;
    const seconds = reducing + (performance.now() - started) / 1000;
    const size = (100 * generated.count) / training.count;
    if (known) {
      const all = addSplit(known.scores, scores, split);
      const changed = {
        ...known,
        sizes: [...known.sizes, size],
        scores: all,
        reduced: summary(all, generated.count),
        seconds: known.seconds + seconds,
      };
      this.library.reductions.setScores(changed);
      this.#known.set(keyOf(run, noise), changed);
    } else {
      const reduction = this.#reduction(run, cell, { ...result, scores, seconds });
      this.library.reductions.insert(reduction, reducedSet(result, cell));
      this.#known.set(keyOf(run, noise), reduction);
    }
    this.job.kept();
  }

  #reduction(
    run: Run,
    { noise, training, test, full, rows }: Cell,
    made: Pick<Reduction, 'scores' | 'seconds'> & {
      clusters: unknown[];
      parameters: Reduction['parameters'];
    },
  ): Reduction {
    const { id, request, space } = this.study;
    const { source, seed } = request;
    const prototypeRows = made.clusters.length;
    return {
      id: newId(),
      name: runName(run.method, made.parameters),
      taxonomyId: source.kind === 'library' ? source.taxonomyId : '',
      taxonomyName: rows.name,
      space,
      ...{ method: run.method, seed },
      labels: rows.labelNames,
      corpusRows: training.count,
      testRows: test.count,
      prototypeRows,
      full: summary(full.scores, training.count),
      reduced: summary(made.scores, prototypeRows),
      createdAt: new Date().toISOString(),
      seconds: made.seconds,
      ...{ studyId: id, source, parameters: made.parameters, noise, scores: made.scores },
      sizes: [(100 * prototypeRows) / training.count],
    };
  }
}

function reducedSet(
  { prototypes, exactPrototypes, labelsets, clusters }: ReductionResult,
  { training, rows, train }: Cell,
): ReducedSet {
  return {
    dim: training.dim,
    ...{ prototypes, labelsets },
    clusterSizes: clusters.map((cluster) => cluster.length),
    whole:
      rows.dataset === null
        ? null
        : {
            prototypes: exactPrototypes,
            clusters: clusters.map((cluster) => cluster.map((row) => train?.[row] ?? row)),
          },
  };
}

const splitsIn = (scores: FullScore['scores']): number =>
  Math.min(...scores.map(({ metrics }) => metrics['hammingLoss']?.length ?? 0));

/**
 * Tells the runs of a study apart. A reduction has all parameters of its method, a run may leave defaults out: both are
 * named by what is in force.
 */
function keyOf(
  { method, parameters }: { method: string; parameters: Reduction['parameters'] },
  noise: number,
): string {
  const inForce = findReductionMethod(method).parameters.map(({ name, default: usual }) => [
    name,
    parameters[name] ?? usual,
  ]);
  return JSON.stringify([method, inForce, noise]);
}
