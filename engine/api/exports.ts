/** Bundles: what an experiment or a reduction leaves the application as. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { distinct, id, path, seed, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';
import { classifierSchema } from './studies.ts';

export const exportFormatSchema = z.enum([
  'csv',
  'npz',
  'parquet',
  'mulan',
  'meka',
  'json',
  'onnx',
  'wav',
  'm3u8',
]);

/** The kNN classifier of a reduction that is exported. */
export const exportClassifierSchema = z.strictObject({
  classifier: classifierSchema,
  k: z.int().min(1).max(101),
});

/** What a bundle can hold; `onnx` is the classifier, `parquet` the table that embedding-atlas opens. */
export type ExportFormat = z.output<typeof exportFormatSchema>;

export interface ExportResult {
  folder: string;
  files: { path: string; bytes: number; sha256: string }[];
}

export const exportsMethods = {
  'exports.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      subject: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('experiment'), experimentId: id }),
        z.strictObject({ kind: z.literal('reduction'), reductionId: id }),
      ]),
      /** The bundle is written to this folder, which must not exist or be empty. */
      folder: path,
      formats: z
        .array(exportFormatSchema)
        .min(1)
        .max(exportFormatSchema.options.length)
        .refine(distinct, 'a format is named twice')
        .default([...exportFormatSchema.options]),
      seed: seed.default(1),
      /** Leaves text in tables as it is that a spreadsheet would run as a formula; by default it gets an apostrophe. */
      raw: z.boolean().default(false),
      /** Reductions: left out, the classifier it was scored with first. */
      classifier: exportClassifierSchema.optional(),
    }),
  ),
};
