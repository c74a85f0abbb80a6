import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { readMultilabelCsv } from '../../models/datasets/index.ts';
import type { MultilabelMetrics } from '../../models/evaluation/metrics/multilabel.ts';
import type { LabelledVectors } from '../../models/embeddings/labelled-vectors.ts';
import { sharedFolder } from '../support/shared.ts';

/** The reference outputs. */
export const goldenFolder = sharedFolder('golden/multilabel');

const rowLists = z.array(z.array(z.number()));
const configSchema = z.object({
  method: z.string(),
  param: z.number(),
  n_out: z.number(),
  random_picks: z.array(z.number()).optional(),
  clusters: rowLists.optional(),
  labelsets: rowLists.optional(),
  proto_sum: z.array(z.number()).optional(),
  prototypes_f32_b64: z.string().optional(),
  pred: z.record(z.string(), z.string()).optional(),
  tie_rows: z.record(z.string(), z.array(z.number())).optional(),
});
const goldenSchema = z.object({
  n_train: z.number(),
  n_test: z.number(),
  n_labels: z.number(),
  train_subset: z.array(z.number()).optional(),
  test_subset: z.array(z.number()).optional(),
  label_perm: z.array(z.number()),
  configs: z.array(configSchema),
});
const plainSchema = z.object({
  runs: z.array(
    z.object({ noise: z.number(), clusters: rowLists, labelsets: rowLists, proto_sum: z.array(z.number()) }),
  ),
});
const imbalanceSchema = z.object({
  MeanIR: z.number(),
  IRLbl: z.array(z.number()),
  configs: z.array(
    z.object({
      normalised_minmax_train: z.boolean(),
      method: z.enum(['MRHC', 'MRSP3', 'MChen']),
      param: z.number(),
      exclude: z.string(),
      merging: z.string(),
      n_out: z.number(),
      clusters: rowLists.nullish(),
      labelsets: rowLists,
      excluded_rows_appended: z.array(z.number()),
    }),
  ),
});
export type ImbalanceConfig = z.infer<typeof imbalanceSchema>['configs'][number];
export type GoldenConfig = z.infer<typeof configSchema>;
export type Golden = z.infer<typeof goldenSchema>;

function readJson(folder: string, name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(folder, 'golden', name))).toString('utf8'));
}

export function readGolden(folder: string, dataset: string, noise: number): Golden {
  return goldenSchema.parse(readJson(folder, `${dataset}.N${noise}.json.gz`));
}

export function readPlainMrhc(folder: string, dataset: string): z.infer<typeof plainSchema>['runs'] {
  return plainSchema.parse(readJson(folder, `${dataset}.mrhcplain.json.gz`)).runs;
}

/** What the imbalance-aware repository itself gave. */
export function readImbalance(folder: string, dataset: string): z.infer<typeof imbalanceSchema> {
  return imbalanceSchema.parse(readJson(folder, `${dataset}.imbalance.json.gz`));
}

/** Every column scaled to 0..1, in the arithmetic of scikit-learn's MinMaxScaler. */
export function scaleToUnit(set: LabelledVectors): LabelledVectors {
  const { count, dim } = set;
  const features = new Float64Array(set.features);
  for (let d = 0; d < dim; d++) {
    const column = Array.from({ length: count }, (_, row) => features[row * dim + d] ?? NaN);
    const least = Math.min(...column);
    const range = Math.max(...column) - least;
    const factor = 1 / (range === 0 ? 1 : range);
    column.forEach((value, row) => (features[row * dim + d] = value * factor - least * factor));
  }
  return { ...set, features };
}

/** Training and test part of a data set, cut to the subset the golden file names. */
export async function readParts(
  folder: string,
  dataset: string,
  golden: Golden,
): Promise<{ train: LabelledVectors; test: LabelledVectors }> {
  const [name = dataset] = dataset.split('@');
  const read = (part: string): Promise<LabelledVectors> =>
    readMultilabelCsv(join(folder, 'data', `${name}.${part}.csv.gz`), { labelCount: golden.n_labels });
  const train = pickRows(await read('train'), golden.train_subset);
  const test = pickRows(await read('test'), golden.test_subset);
  return { train, test };
}

function pickRows(set: LabelledVectors, rows: number[] | undefined): LabelledVectors {
  if (!rows) return set;
  const width = set.labelNames.length;
  const features = new Float64Array(rows.length * set.dim);
  rows.forEach((row, i) =>
    features.set(set.features.subarray(row * set.dim, (row + 1) * set.dim), i * set.dim),
  );
  return { ...set, count: rows.length, features, labels: pickLabels(set.labels, width, rows) };
}

/** Row `i` of the result is row `rows[i]` of the labels. */
export function pickLabels(labels: Uint8Array, width: number, rows: number[]): Uint8Array {
  const out = new Uint8Array(rows.length * width);
  rows.forEach((row, i) => out.set(labels.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/** The label numbers that are on in each row. */
export function toLabelLists(labels: Uint8Array, width: number): number[][] {
  return Array.from({ length: labels.length / width }, (_, row) =>
    Array.from({ length: width }, (_unused, l) => l).filter((l) => labels[row * width + l] === 1),
  );
}

/** Bit-packed predictions, `ceil(width / 8)` bytes a row, first label in the most significant bit. */
export function unpackPredictions(base64: string, rows: number, width: number): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  const stride = Math.ceil(width / 8);
  const out = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++)
    for (let l = 0; l < width; l++)
      out[row * width + l] = ((bytes[row * stride + (l >> 3)] ?? 0) >> (7 - (l & 7))) & 1;
  return out;
}

/** Metric columns of `NAME.metrics.csv` in our names. */
export const metricColumns: Record<string, keyof MultilabelMetrics> = {
  HL: 'hammingLoss',
  EMR: 'exactMatch',
  acc: 'accuracy',
  'jaccard-s': 'accuracy',
  'F1-s': 'f1Samples',
  F1_inhouse: 'f1Samples',
  'jaccard-m': 'jaccardMicro',
  'F1-m': 'f1Micro',
  'jaccard-M': 'jaccardMacro',
  'F1-M': 'f1Macro',
  RL: 'rankingLossHard',
};

/** Rows of the metrics file by `noise,method,param,classifier,k`. */
export function readMetrics(folder: string, dataset: string): Map<string, Record<string, number>> {
  const [header = '', ...lines] = readFileSync(join(folder, 'golden', `${dataset}.metrics.csv`), 'utf8')
    .trim()
    .split('\n');
  const names = header.split(',');
  return new Map(
    lines.map((line) => {
      const cells = line.split(',');
      const row = Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
      const key = ['noise', 'method', 'param', 'classifier', 'k'].map((name) => row[name]).join();
      return [key, Object.fromEntries(Object.keys(metricColumns).map((name) => [name, Number(row[name])]))];
    }),
  );
}
