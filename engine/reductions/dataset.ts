import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  MANIFEST_FILE,
  type Dataset,
  type DatasetWarning,
  type LabelChoice,
} from '../../models/datasets/index.ts';
import { takeRows, type KnnClassifier, type LabelledVectors } from '../../models/knn/index.ts';
import { Random } from '../../models/numerics/random.ts';
import {
  findReductionMethod,
  reduce,
  toLabelledVectors,
  type ReductionParameters,
  type ReductionResult,
} from '../../models/reduction/index.ts';
import type { ExportFormat, ExportResult, KnnScore, ReductionScore } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineOptions } from '../context.ts';
import { readDataset, type ReadFileOptions } from '../datasets/read.ts';
import { writeBundle } from '../bundles/bundle.ts';
import { csvLines, mapped, type Cell } from '../bundles/csv.ts';
import { datasetOrigin, writeManifest } from '../bundles/manifest.ts';
import { addReducedSet } from '../bundles/reduced.ts';
import { typed } from '../packs/failures.ts';
import { scoreSet, summary } from './study/score.ts';

/** What a data set file can be exported as: everything but sound and playlists. */
export const datasetFormats = [
  'csv',
  'npz',
  'parquet',
  'mulan',
  'meka',
  'json',
  'onnx',
] as const satisfies readonly ExportFormat[];

export interface DatasetRequest {
  /** Left out: as the file itself says. */
  labels?: LabelChoice | undefined;
  /** Columns that are neither features nor labels. */
  exclude?: readonly string[] | undefined;
  missing?: 'refuse' | 'drop-rows' | undefined;
  method: string;
  parameters: ReductionParameters;
  classifier: KnnClassifier;
  k: number;
  seed: number;
  /** Share of the rows held out for scoring; 0 reduces all rows and scores nothing. */
  testFraction: number;
  /** A second file of the same columns to score on, in place of held-out rows. */
  test?: string | undefined;
  formats: readonly ExportFormat[];
  /** Leaves names in tables as they are that a spreadsheet would run as formulas. */
  raw?: boolean | undefined;
  /** Folder to write; must not exist or be empty. */
  out: string;
  version: string;
}

export interface DatasetReduction {
  dataset: string;
  method: string;
  /** As the method ran, defaults filled in. */
  parameters: Record<string, number | string | boolean>;
  seed: number;
  labels: string[];
  dim: number;
  corpusRows: number;
  testRows: number;
  prototypeRows: number;
  full: ReductionScore | null;
  reduced: ReductionScore | null;
  /** Every metric of both sets; null when nothing was held out. */
  scores: { full: KnnScore; reduced: KnnScore } | null;
  warnings: DatasetWarning[];
  /** Wall time of the parts, in seconds. */
  timings: { read: number; reduce: number; score: number; write: number };
  seconds: number;
  export: ExportResult;
}

/**
 * Reduces a multilabel data set file and writes the prototypes in the forms of the field, so that they can take its
 * place.
 * @throws EngineError `not-found`, `bad-input`, `reduction`, `disk-full`; the signal's reason
 */
export function reduceDataset(
  path: string,
  request: DatasetRequest,
  options: Pick<EngineOptions, 'parquetWorker'> & {
    signal: AbortSignal;
    onProgress?: (fraction: number) => void;
  },
): Promise<DatasetReduction> {
  return typed(async () => {
    const clock = new Clock();
    const { parquetWorker, signal } = options;
    // Before anything is read: a wrong name is the caller's mistake.
    const method = findReductionMethod(request.method);
    const { dataset, training, test } = await readParts(path, request, { parquetWorker, signal });
    const read = clock.lap();
    const result = await reduce(method.name, training, request.parameters, {
      seed: request.seed,
      signal,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
    const reduced = clock.lap();
    const scores = test.count > 0 ? await scoreBoth(training, test, result, request, signal) : null;
    const scored = clock.lap();
    const facts = {
      dataset: basename(path),
      method: result.method,
      parameters: result.parameters,
      seed: request.seed,
      labels: dataset.labelNames,
      dim: dataset.dim,
      corpusRows: training.count,
      testRows: test.count,
      prototypeRows: result.clusters.length,
      full: scores && summary([scores.full], training.count),
      reduced: scores && summary([scores.reduced], result.clusters.length),
      scores,
      warnings: dataset.warnings,
    };
    const sha256 = await hashOfFile(path);
    const written = await writeReduced(dataset, result, { ...facts, sha256 }, request, signal);
    const timings = { read, reduce: reduced, score: scored, write: clock.lap() };
    return { ...facts, timings, seconds: clock.total(), export: written };
  });
}

/** Seconds between one look and the next. */
class Clock {
  readonly #start = performance.now();
  #last = this.#start;

  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#last) / 1000;
    this.#last = now;
    return seconds;
  }

  total(): number {
    return (performance.now() - this.#start) / 1000;
  }
}

async function readParts(
  path: string,
  request: DatasetRequest,
  options: Required<Pick<ReadFileOptions, 'parquetWorker' | 'signal'>>,
): Promise<{ dataset: Dataset; training: LabelledVectors; test: LabelledVectors }> {
  const { labels, exclude, missing } = request;
  const dataset = await readDataset(path, { labels, exclude, missing, ...options });
  if (request.test !== undefined) {
    const test = await readDataset(request.test, { labels, exclude, missing, ...options });
    requireSameColumns(dataset, test, request.test);
    return { dataset, training: dataset, test };
  }
  const order = new Random(request.seed).shuffle(Array.from({ length: dataset.count }, (_, row) => row));
  const held = Math.round(dataset.count * request.testFraction);
  const part = (from: number, to: number): LabelledVectors =>
    takeRows(
      dataset,
      order.slice(from, to).sort((a, b) => a - b),
    );
  const training = part(held, dataset.count);
  if (training.count === 0)
    throw new EngineError('reduction', 'Nothing is left to reduce.', 'Hold out a smaller share for testing.');
  return { dataset, training, test: part(0, held) };
}

/** @throws EngineError `bad-input` when two parts of a data set differ in features or labels. */
export function requireSameColumns(training: Dataset, test: Dataset, path: string): void {
  const same =
    test.dim === training.dim &&
    test.labelNames.length === training.labelNames.length &&
    test.labelNames.every((name, label) => name === training.labelNames[label]);
  if (!same)
    throw new EngineError(
      'bad-input',
      `${basename(path)} has ${test.dim} features and ${test.labelNames.length} labels, not the ${training.dim} and ${training.labelNames.length} of ${training.name}, or other label names.`,
      'Give the test part of the same data set.',
    );
}

async function scoreBoth(
  training: LabelledVectors,
  test: LabelledVectors,
  result: ReductionResult,
  { classifier, k }: DatasetRequest,
  signal: AbortSignal,
): Promise<{ full: KnnScore; reduced: KnnScore }> {
  const asked = { classifiers: [classifier], k: [k] };
  const [full] = await scoreSet(training, test, asked, signal);
  const [reduced] = await scoreSet(toLabelledVectors(result, training), test, asked, signal);
  if (!full || !reduced) throw new Error('one classifier and one k give one score');
  return { full, reduced };
}

async function writeReduced(
  dataset: Dataset,
  result: ReductionResult,
  facts: Omit<DatasetReduction, 'timings' | 'seconds' | 'export'> & { sha256: string },
  request: DatasetRequest,
  signal: AbortSignal,
): Promise<ExportResult> {
  const set = {
    ...toLabelledVectors(result, dataset),
    name: dataset.name,
    featureNames: dataset.featureNames,
  };
  const { classifier, k, seed, testFraction, formats } = request;
  return writeBundle(request.out, async (bundle) => {
    if (formats.includes('csv'))
      await bundle.add('prototypes.csv', asTable(dataset, result, request.raw ?? false), signal);
    const statement = await addReducedSet(
      bundle,
      formats,
      {
        set,
        clusterSizes: result.clusters.map((rows) => rows.length),
        clusters: result.clusters,
        classifier: { name: classifier, k },
        seed,
        audio: null,
        nearest: null,
      },
      signal,
    );
    await writeManifest(
      bundle,
      request.version,
      {
        kind: 'reduction',
        method: result.method,
        parameters: { ...result.parameters, classifier, k },
        seed,
        split:
          request.test === undefined
            ? { train: 1 - testFraction, test: testFraction }
            : { file: basename(request.test) },
        classes: dataset.labelNames,
        counts: { corpusRows: facts.corpusRows, testRows: facts.testRows, prototypes: facts.prototypeRows },
        metrics: { full: facts.full, reduced: facts.reduced, scores: facts.scores },
        details: { excluded: [...(request.exclude ?? [])], ...statement },
      },
      datasetOrigin(facts.dataset, facts.sha256),
    );
  });
}

/** Header and columns of the data set; features in float64 as the methods computed them. */
function asTable(set: Dataset, result: ReductionResult, raw: boolean): Iterable<string> {
  const L = set.labelNames.length;
  const row = (i: number): Cell[] => [
    ...result.exactPrototypes.subarray(i * set.dim, (i + 1) * set.dim),
    ...result.labelsets.subarray(i * L, (i + 1) * L),
  ];
  return csvLines([...set.featureNames, ...set.labelNames], mapped(result.clusters.keys(), row), { raw });
}

/** Of a bundle it is its manifest's, which lists the hashes of all other files. */
async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const isFolder = (await stat(path)).isDirectory();
  await pipeline(createReadStream(isFolder ? join(path, MANIFEST_FILE) : path), hash);
  return hash.digest('hex');
}
