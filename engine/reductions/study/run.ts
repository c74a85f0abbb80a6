import { addLabelNoise, NumericError, type LabelledVectors } from '../../../models/knn/index.ts';
import { findReductionMethod, RowDistances, toLabelledVectors } from '../../../models/reduction/index.ts';
import type { FullScore, Reduction, StudyRequest } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import { reductionsMethods } from '../../api/reductions.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { newId } from '../../identifier.ts';
import type { JobHandle } from '../../jobs/queue.ts';
import { fingerprintOf } from '../corpus/index.ts';
import { runName } from '../../library/reduction-names.ts';
import { insertReduction, listReductions, updateScores } from '../../library/reductions.ts';
import { studyData } from './plan.ts';
import { addSplit, scoreSet, summary } from './score.ts';
import { Reducer } from './sizes.ts';
import { endStudy, getStudy, setFailures, setFullScores, setStudyJob, type StoredStudy } from './store.ts';

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
  const study = getStudy(library, studyId);
  setStudyJob(library, studyId, job.id);
  let state: 'done' | 'stopped' = 'stopped';
  try {
    await new StudyRun(context, library, study, job).run();
    state = 'done';
    return listReductions(library, studyId).length;
  } finally {
    endStudy(library, studyId, state, (performance.now() - started) / 1000);
    context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'reductions' });
  }
}

type Run = StudyRequest['runs'][number];

/** One split with one level of noise. */
interface Cell {
  split: number;
  noise: number;
  training: LabelledVectors;
  test: LabelledVectors;
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
    this.#known = new Map(listReductions(library, study.id).map((item) => [keyOf(item, item.noise), item]));
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
        const reducer = new Reducer(noisy, this.#missing(noise, split), {
          ...{ seed: request.seed, signal, distances },
        });
        for (const run of request.runs) {
          await this.job.checkpoint();
          this.#report(
            `split ${split + 1}: ${runName(run.method, run.parameters)}${noise > 0 ? `, ${noise} % noise` : ''}`,
          );
          await this.#attempt(run, { split, noise, training: noisy, test, reducer, full });
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
    setFullScores(library, study.id, study.full);
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
      setFailures(this.library, this.study.id, failures);
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
      updateScores(this.library, changed);
      this.#known.set(keyOf(run, noise), changed);
    } else {
      const reduction = this.#reduction(run, cell, { ...result, scores, seconds });
      insertReduction(
        this.library,
        reduction,
        {
          dim: training.dim,
          prototypes: result.prototypes,
          labelsets: result.labelsets,
          clusterSizes: result.clusters.map((rows) => rows.length),
        },
        new Map(),
      );
      this.#known.set(keyOf(run, noise), reduction);
    }
    this.job.kept();
    this.context.events.emit({ type: 'library-changed', libraryId: this.library.id, what: 'reductions' });
  }

  #reduction(
    run: Run,
    { noise, training, test, full }: Cell,
    made: Pick<Reduction, 'scores' | 'seconds'> & {
      clusters: unknown[];
      parameters: Reduction['parameters'];
    },
  ): Reduction {
    const { id, request, corpus, space } = this.study;
    const { source, split, seed, k } = request;
    const rows = made.clusters.length;
    const size = (100 * rows) / training.count;
    const p = made.parameters['p'];
    const share = test.count / (training.count + test.count);
    return {
      id: newId(),
      name: runName(run.method, made.parameters),
      taxonomyId: source.kind === 'library' ? source.taxonomyId : '',
      taxonomyName: corpus.name,
      space,
      // The short form that a reduction made alone has; the study knows more.
      request: {
        taxonomyId: source.kind === 'library' ? source.taxonomyId : '',
        level: source.kind === 'library' ? source.level : 'track',
        method: run.method,
        percent: typeof p === 'number' ? p : size,
        k: k[0] ?? 1,
        seed,
        split: split.kind === 'holdout' ? partsOf(split.test) : partsOf(share),
      },
      labels: corpus.labels.map(({ name }) => name),
      corpusRows: training.count,
      testRows: test.count,
      prototypeRows: rows,
      full: summary(full.scores, training.count),
      reduced: summary(made.scores, rows),
      createdAt: new Date().toISOString(),
      seconds: made.seconds,
      ...{ studyId: id, source, parameters: made.parameters, noise, scores: made.scores },
      sizes: [size],
    };
  }
}

const partsOf = (test: number): { train: number; validation: number; test: number } => ({
  train: 1 - test,
  validation: 0,
  test,
});

const splitsIn = (scores: FullScore['scores']): number =>
  Math.min(...scores.map(({ metrics }) => metrics['hammingLoss']?.length ?? 0));

/**
 * Tells the runs of a study apart. A reduction has all parameters of its method, a run may leave defaults out: both are
 * named by what is in force.
 */
function keyOf(
  run: { method: string; parameters: Reduction['parameters'] } | Reduction,
  noise: number,
): string {
  const method = 'request' in run ? run.request.method : run.method;
  const inForce = findReductionMethod(method).parameters.map((parameter) => [
    parameter.name,
    run.parameters[parameter.name] ?? parameter.default,
  ]);
  return JSON.stringify([method, inForce, noise]);
}
