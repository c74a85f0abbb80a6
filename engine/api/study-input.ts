/** Schemas of what shells ask of reduction studies. */
import { z } from 'zod';
import type * as studies from './studies.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'not an identifier');
const path = z.string().min(1).max(4096);
const columns = z.array(z.string().min(1).max(1000)).max(100_000);
const percent = z.number().min(0).max(100);

export const datasetLabelsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal(['last', 'first']), count: z.int().min(1).max(100_000) }),
  z.strictObject({ kind: z.literal('names'), names: columns.min(1) }),
  z.strictObject({ kind: z.literal('xml'), path }),
]) satisfies z.ZodType<studies.DatasetLabels>;

export const corpusSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('library'),
    taxonomyId: id,
    level: z.enum(['track', 'window']).default('track'),
  }),
  z.strictObject({
    kind: z.literal('dataset'),
    path,
    labels: datasetLabelsSchema.nullable().default(null),
    exclude: columns.default([]),
  }),
]) satisfies z.ZodType<studies.CorpusSource>;

export const classifierSchema = z.enum(['brknn-a', 'brknn-b', 'lpknn', 'mlknn']);

export const studySplitSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('holdout'),
    test: z.number().gt(0).lt(1).default(0.3),
    repeats: z.int().min(1).max(100).default(1),
  }),
  z.strictObject({
    kind: z.literal('folds'),
    folds: z.int().min(2).max(50).default(5),
    repeats: z.int().min(1).max(20).default(1),
  }),
  z.strictObject({ kind: z.literal('file'), path }),
]) satisfies z.ZodType<studies.StudySplit>;

/** Values of a list that must not occur twice. */
const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

export const studyRequestSchema = z.strictObject({
  source: corpusSourceSchema,
  runs: z
    .array(
      z.strictObject({
        method: z.string().min(1).max(40),
        parameters: z
          .record(z.string().max(40), z.union([z.number(), z.string().max(100), z.boolean()]))
          .default({}),
      }),
    )
    .min(1)
    .max(500)
    .refine((runs) => distinct(runs.map((run) => JSON.stringify(run))), 'a run is asked for twice'),
  classifiers: z
    .array(classifierSchema)
    .min(1)
    .refine(distinct, 'a classifier is named twice')
    .default(['lpknn']),
  k: z.array(z.int().min(1).max(101)).min(1).max(20).refine(distinct, 'a k is named twice').default([1]),
  noise: z.array(percent).min(1).max(20).refine(distinct, 'a noise level is named twice').default([0]),
  split: studySplitSchema.default({ kind: 'holdout', test: 0.3, repeats: 1 }),
  seed: z.int().min(0).max(0xffffffff).default(1),
}) satisfies z.ZodType<studies.StudyRequest>;
