import { z } from 'zod';
import { multilabelMetrics, predictLpKnn, type MultilabelSet } from '../../models/knn/index.ts';
import { splitTracks } from '../../models/pecmae/split.ts';
import { findReductionMethod, reduce, toMultilabelSet } from '../../models/reduction/index.ts';
import { reductionRequestSchema } from '../api/contract.ts';
import type { Reduction, ReductionRequest, ReductionScore, SplitName } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext, OpenLibrary } from '../context.ts';
import { splitGroups } from '../experiments/groups.ts';
import { groupFacts, nameOfTaxonomy } from '../experiments/tracks.ts';
import { newId } from '../identifier.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { libraryVectors } from '../neighbours/vectors.ts';
import { loadLabelsets } from '../taxonomies/index.ts';
import { insertReduction } from './store.ts';

/** What a reduce job is told. */
export const reduceSpecSchema = z.strictObject({ libraryId: z.string(), request: reductionRequestSchema });

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
  library: OpenLibrary,
  request: ReductionRequest,
  job: JobHandle,
): Promise<Reduction> {
  const started = performance.now();
  const report = (done: number): void => job.report({ done, total: PERCENT, unit: '%' });
  const taxonomyName = nameOfTaxonomy(library, request.taxonomyId);
  const corpus = labelledRows(library, request);
  const splits = splitOf(library, corpus, request);
  const training = select(corpus, (trackId) => splits.get(trackId) !== 'test');
  const test = select(corpus, (trackId) => splits.get(trackId) === 'test');
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
  const full = await score(training, test, request.k, job.signal);
  report((GENERATED_AT + PERCENT) / 2);
  const reduced = await score(toMultilabelSet(result, training), test, request.k, job.signal);
  report(PERCENT);

  const pack = context.packs.get(library.packId());
  const reduction: Reduction = {
    id: newId(),
    taxonomyId: request.taxonomyId,
    taxonomyName,
    packId: pack.manifest.id,
    request,
    labels: corpus.labelNames,
    corpusRows: training.count,
    testRows: test.count,
    prototypeRows: result.clusters.length,
    full,
    reduced,
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
  };
  const set = {
    dim: training.dim,
    prototypes: result.prototypes,
    labelsets: result.labelsets,
    clusterSizes: result.clusters.map((rows) => rows.length),
  };
  insertReduction(library, { ...reduction, packSha256: pack.sha256 }, set, splits);
  context.events.emit({ type: 'library-changed', libraryId: library.id, what: 'reductions' });
  return reduction;
}

/** LP-kNN of a training set on test rows; a training set smaller than k is asked for all its rows. */
export async function score(
  training: MultilabelSet,
  test: MultilabelSet,
  k: number,
  signal: AbortSignal,
): Promise<ReductionScore> {
  const asked = Math.min(k, training.count);
  const predicted = await predictLpKnn(training, test, { k: asked, signal });
  const metrics = multilabelMetrics(test.labels, predicted, test.count, test.labelNames.length);
  const { hammingLoss, exactMatch, f1Samples, f1Macro } = metrics;
  return { classifier: 'LP-kNN', k: asked, hammingLoss, exactMatch, f1Samples, f1Macro };
}

/** A multilabel set whose rows know their tracks. */
interface Corpus extends MultilabelSet {
  features: Float32Array;
  trackOf: string[];
  firstLabel: number[];
}

function labelledRows(library: OpenLibrary, { taxonomyId, level }: ReductionRequest): Corpus {
  const vectors = libraryVectors(library);
  const { windows } = vectors;
  const labelsets = loadLabelsets(library, taxonomyId);
  const source =
    level === 'track'
      ? { vectors: vectors.tracks.vectors, trackOf: vectors.tracks.trackIds }
      : {
          vectors: windows.vectors,
          trackOf: Array.from(windows.trackOf, (track) => windows.trackIds[track] ?? ''),
        };
  const rows = source.trackOf.flatMap((id, row) => ((labelsets.get(id)?.length ?? 0) > 0 ? [row] : []));
  if (rows.length === 0)
    throw new EngineError(
      'too-few-labels',
      'No track that is ready has a label in this taxonomy.',
      'Import the library first, then choose another taxonomy or label tracks by hand.',
    );
  const labelNames = [
    ...new Set(rows.flatMap((row) => labelsets.get(source.trackOf[row] ?? '') ?? [])),
  ].sort();
  const indexOf = new Map(labelNames.map((name, index) => [name, index]));
  const { dim } = windows;
  const features = new Float32Array(rows.length * dim);
  const labels = new Uint8Array(rows.length * labelNames.length);
  const firstLabel: number[] = [];
  rows.forEach((row, i) => {
    features.set(source.vectors.subarray(row * dim, (row + 1) * dim), i * dim);
    const indices = (labelsets.get(source.trackOf[row] ?? '') ?? []).map((name) => indexOf.get(name) ?? 0);
    for (const label of indices) labels[i * labelNames.length + label] = 1;
    firstLabel.push(indices[0] ?? 0);
  });
  const trackOf = rows.map((row) => source.trackOf[row] ?? '');
  return { features, count: rows.length, dim, labels, labelNames, trackOf, firstLabel };
}

function splitOf(library: OpenLibrary, corpus: Corpus, request: ReductionRequest): Map<string, SplitName> {
  const groups = splitGroups(groupFacts(library), 'track');
  const labelOf = new Map(corpus.trackOf.map((id, row) => [id, corpus.firstLabel[row] ?? 0]));
  const items = [...labelOf].map(([id, label]) => ({ id, group: groups.get(id) ?? id, label }));
  return splitTracks(items, request.split, request.seed);
}

function select(corpus: Corpus, wanted: (trackId: string) => boolean): MultilabelSet {
  const { dim, labelNames } = corpus;
  const rows = corpus.trackOf.flatMap((id, row) => (wanted(id) ? [row] : []));
  const features = new Float32Array(rows.length * dim);
  const labels = new Uint8Array(rows.length * labelNames.length);
  rows.forEach((row, i) => {
    features.set(corpus.features.subarray(row * dim, (row + 1) * dim), i * dim);
    labels.set(
      corpus.labels.subarray(row * labelNames.length, (row + 1) * labelNames.length),
      i * labelNames.length,
    );
  });
  return { features, count: rows.length, dim, labels, labelNames };
}
