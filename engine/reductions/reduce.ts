import { takeRows, type LabelledVectors } from '../../models/knn/index.ts';
import { splitTracks } from '../../models/evaluation/splits/holdout.ts';
import { findReductionMethod, reduce, toLabelledVectors } from '../../models/reduction/index.ts';
import { reductionsMethods } from '../api/reductions.ts';
import type { Reduction, ReductionRequest, ReductionScore, SplitName } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { newId } from '../identifier.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { libraryRows, type LabelledRows } from './corpus/index.ts';
import { runName } from '../library/reduction-names.ts';
import { insertReduction } from '../library/reductions.ts';
import { scoreSet, summary } from './study/score.ts';

/** What a reduce job is told. */
export const reduceSpecSchema = reductionsMethods['reductions.start'].input;

/** Shares of the job in its progress: generating the prototypes takes most of the time. */
const PERCENT = 100;
const GENERATED_AT = 80;

/**
 * Replaces the labelled tracks (or windows) of a library by generated prototypes, and scores LP-kNN on held-out tracks
 * with the full and with the reduced set.
 * @throws EngineError `not-found`, `too-few-labels`, `reduction`; ReductionError; the signal's reason
 */
export async function runReduction(
  context: EngineContext,
  library: Library,
  request: ReductionRequest,
  job: JobHandle,
): Promise<Reduction> {
  const started = performance.now();
  const report = (done: number): void => job.report({ done, total: PERCENT, unit: '%' });
  const { taxonomyId, level } = request;
  const source = { kind: 'library', taxonomyId, level } as const;
  const corpus = libraryRows(context, library, source);
  const splits = splitOf(corpus, request);
  const part = (wanted: (split: SplitName | undefined) => boolean): LabelledVectors =>
    takeRows(
      corpus,
      corpus.itemOf.flatMap((id, row) => (wanted(splits.get(id)) ? [row] : [])),
    );
  const training = part((split) => split !== 'test');
  const test = part((split) => split === 'test');
  if (training.count === 0 || test.count === 0)
    throw new EngineError(
      'reduction',
      `The split leaves ${training.count} rows to reduce and ${test.count} to test with.`,
      'Label more tracks, or give both parts of the split a share.',
    );

  const method = findReductionMethod(request.method);
  const takesPercent = method.parameters.some((parameter) => parameter.name === 'p');
  const result = await reduce(method.name, training, takesPercent ? { p: request.percent } : {}, {
    seed: request.seed,
    signal: job.signal,
    onProgress: (fraction) => report(Math.floor(fraction * GENERATED_AT)),
  });
  await job.checkpoint();
  const asked = { classifiers: ['lpknn'], k: [request.k] } as const;
  const full = summary(await scoreSet(training, test, asked, job.signal), training.count);
  report((GENERATED_AT + PERCENT) / 2);
  const scores = await scoreSet(toLabelledVectors(result, training), test, asked, job.signal);
  const reduced = summary(scores, result.clusters.length);
  report(PERCENT);

  const reduction: Reduction = {
    name: runName(method.name, result.parameters),
    ...{ id: newId(), taxonomyId, taxonomyName: corpus.name, space: corpus.space, request },
    labels: corpus.labelNames,
    corpusRows: training.count,
    testRows: test.count,
    prototypeRows: result.clusters.length,
    ...{ full, reduced },
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
    ...{ studyId: null, source, parameters: result.parameters, noise: 0, scores },
    sizes: [(100 * result.clusters.length) / training.count],
  };
  const set = {
    dim: training.dim,
    prototypes: result.prototypes,
    labelsets: result.labelsets,
    clusterSizes: result.clusters.map((rows) => rows.length),
  };
  insertReduction(library, reduction, set, splits);
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'reductions' });
  return reduction;
}

/** LP-kNN of a training set on test rows; a training set smaller than k is asked for all its rows. */
export async function score(
  training: LabelledVectors,
  test: LabelledVectors,
  k: number,
  signal: AbortSignal,
): Promise<ReductionScore> {
  return summary(await scoreSet(training, test, { classifiers: ['lpknn'], k: [k] }, signal), training.count);
}

function splitOf(corpus: LabelledRows, request: ReductionRequest): Map<string, SplitName> {
  const labelOf = new Map(corpus.itemOf.map((id, row) => [id, corpus.firstLabel[row] ?? 0]));
  const items = [...labelOf].map(([id, label]) => ({ id, group: corpus.groupOf.get(id) ?? id, label }));
  return splitTracks(items, request.split, request.seed);
}
