import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readMultilabelCsv } from '../../models/datasets/index.ts';
import type { MultilabelSet } from '../../models/knn/index.ts';
import { Random } from '../../models/random.ts';
import {
  findReductionMethod,
  reduce,
  toMultilabelSet,
  type ReductionResult,
} from '../../models/reduction/index.ts';
import { writeNpz } from '../../models/tensors/index.ts';
import type { ExportResult, ReductionScore } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import { writeBundle } from '../exports/bundle.ts';
import { writeCsv } from '../exports/csv.ts';
import { EXPORT_SCHEMA, MANIFEST_FILE } from '../exports/manifest.ts';
import { typed } from '../packs/failures.ts';
import { score } from './reduce.ts';

export interface DatasetRequest {
  /** How many of the last columns are labels. */
  labelCount: number;
  method: string;
  percent: number;
  k: number;
  seed: number;
  /** Share of the rows held out for scoring; 0 reduces all rows and scores nothing. */
  testFraction: number;
  /** Folder to write; must not exist or be empty. */
  out: string;
  version: string;
}

export interface DatasetReduction {
  dataset: string;
  method: string;
  labels: string[];
  corpusRows: number;
  testRows: number;
  prototypeRows: number;
  full: ReductionScore | null;
  reduced: ReductionScore | null;
  seconds: number;
  export: ExportResult;
}

/**
 * Reduces a multilabel data set (CSV, plain or gzip) and writes the prototypes in the form of the data set, so that
 * they can take its place.
 * @throws EngineError `not-found`, `bad-input`, `reduction`, `disk-full`; the signal's reason
 */
export function reduceDataset(
  path: string,
  request: DatasetRequest,
  options: { signal: AbortSignal; onProgress?: (fraction: number) => void },
): Promise<DatasetReduction> {
  return typed(async () => {
    const started = performance.now();
    const { signal } = options;
    const method = findReductionMethod(request.method);
    const dataset = await readMultilabelCsv(path, { labelCount: request.labelCount, signal });
    const { training, test } = split(dataset, request);
    if (training.count === 0)
      throw new EngineError(
        'reduction',
        'Nothing is left to reduce.',
        'Hold out a smaller share for testing.',
      );
    const takesPercent = method.parameters.some((parameter) => parameter.name === 'p');
    const result = await reduce(method.name, training, takesPercent ? { p: request.percent } : {}, {
      seed: request.seed,
      signal,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
    const scored = test.count > 0;
    const full = scored ? await score(training, test, request.k, signal) : null;
    const reduced = scored ? await score(toMultilabelSet(result, training), test, request.k, signal) : null;
    const facts = {
      dataset: basename(path),
      method: result.method,
      labels: dataset.labelNames,
      corpusRows: training.count,
      testRows: test.count,
      prototypeRows: result.clusters.length,
      full,
      reduced,
    };
    const sha256 = await hashOfFile(path);
    const written = await writeBundle(request.out, async (bundle) => {
      await bundle.add('prototypes.csv', asDataset(dataset, result));
      await bundle.add('prototypes.npz', asArrays(dataset, result));
      const { seed, testFraction, k, version } = request;
      const manifest = {
        schema: EXPORT_SCHEMA,
        archetone: version,
        kind: 'reduction',
        method: result.method,
        parameters: { ...result.parameters, k },
        seed,
        split: { train: 1 - testFraction, test: testFraction },
        dataset: { name: facts.dataset, sha256 },
        classes: dataset.labelNames,
        counts: { corpusRows: facts.corpusRows, testRows: facts.testRows, prototypes: facts.prototypeRows },
        metrics: { full, reduced },
        files: bundle.files,
      };
      await bundle.add(MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
    });
    return { ...facts, seconds: (performance.now() - started) / 1000, export: written };
  });
}

function split(
  set: MultilabelSet,
  { testFraction, seed }: DatasetRequest,
): { training: MultilabelSet; test: MultilabelSet } {
  const order = new Random(seed).shuffle(Array.from({ length: set.count }, (_, row) => row));
  const held = Math.round(set.count * testFraction);
  const rows = (from: number, to: number): MultilabelSet =>
    take(
      set,
      order.slice(from, to).sort((a, b) => a - b),
    );
  return { training: rows(held, set.count), test: rows(0, held) };
}

function take(set: MultilabelSet, rows: readonly number[]): MultilabelSet {
  const { dim, labelNames } = set;
  const L = labelNames.length;
  const features = new Float64Array(rows.length * dim);
  const labels = new Uint8Array(rows.length * L);
  rows.forEach((row, i) => {
    features.set(set.features.subarray(row * dim, (row + 1) * dim), i * dim);
    labels.set(set.labels.subarray(row * L, (row + 1) * L), i * L);
  });
  return { features, count: rows.length, dim, labels, labelNames };
}

/** Header and columns of the data set; features in float64 as the methods computed them. */
function asDataset(set: MultilabelSet & { featureNames: string[] }, result: ReductionResult): string {
  const L = set.labelNames.length;
  const rows = result.clusters.map((_, i) => [
    ...result.exactPrototypes.subarray(i * set.dim, (i + 1) * set.dim),
    ...result.labelsets.subarray(i * L, (i + 1) * L),
  ]);
  return writeCsv([...set.featureNames, ...set.labelNames], rows);
}

function asArrays(set: MultilabelSet, result: ReductionResult): Uint8Array {
  const m = result.clusters.length;
  const sizes = Int32Array.from(result.clusters, (rows) => rows.length);
  return writeNpz({
    prototypes: { dtype: 'float64', shape: [m, set.dim], data: result.exactPrototypes },
    labelsets: { dtype: 'uint8', shape: [m, set.labelNames.length], data: result.labelsets },
    labels: { dtype: 'text', shape: [set.labelNames.length], data: set.labelNames },
    cluster_sizes: { dtype: 'int32', shape: [m], data: sizes },
  });
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
