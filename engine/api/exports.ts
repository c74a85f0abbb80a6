/** Bundles: what an experiment or a reduction leaves the application as. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { distinct, id, path, seed, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';
import { defaultSoundOrigin, soundOriginSchema } from './sonify.ts';
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

/** What can be exported: an experiment, or a reduction of a library's tracks or of a data set file. */
export type ExportSourceKind = 'experiment' | 'library' | 'dataset';

export interface ExportFormatInfo {
  id: ExportFormat;
  /** For people: what it is, and what it is for. */
  title: string;
  /** Of its files; those of `mulan` are two. */
  extensions: readonly string[];
  /** What it can be made of; asked for of anything else, it is left out. */
  sources: readonly ExportSourceKind[];
}

const everything = ['experiment', 'library', 'dataset'] as const;
const ofTracks = ['experiment', 'library'] as const;

/** Every format, in the order in which they are offered. What writes them is `engine/exports/formats.ts`. */
export const exportFormats: readonly ExportFormatInfo[] = [
  { id: 'csv', title: 'CSV: vectors and labels', extensions: ['csv'], sources: everything },
  { id: 'npz', title: 'NPZ: NumPy arrays', extensions: ['npz'], sources: everything },
  {
    id: 'parquet',
    title: 'Parquet: table for embedding-atlas',
    extensions: ['parquet'],
    sources: everything,
  },
  { id: 'mulan', title: 'ARFF and XML: Mulan', extensions: ['arff', 'xml'], sources: everything },
  { id: 'meka', title: 'ARFF: MEKA', extensions: ['arff'], sources: everything },
  { id: 'json', title: 'JSON: everything as text', extensions: ['json'], sources: everything },
  { id: 'onnx', title: 'ONNX: the classifier', extensions: ['onnx'], sources: everything },
  { id: 'wav', title: 'WAV: sonified prototypes', extensions: ['wav'], sources: ofTracks },
  { id: 'm3u8', title: 'M3U8: playlists', extensions: ['m3u8'], sources: ofTracks },
];

/** Formats that something can be exported in. */
export function formatsOf(source: ExportSourceKind): ExportFormat[] {
  return exportFormats.filter(({ sources }) => sources.includes(source)).map(({ id }) => id);
}

/** The kNN classifier of a reduction that is exported. */
const exportClassifierSchema = z.strictObject({
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
        /** Chosen tracks, in this order: a table (`csv`), a playlist (`m3u8`), and their files as they are. */
        z.strictObject({
          kind: z.literal('tracks'),
          trackIds: z.array(id).min(1).max(100_000),
          taxonomyId: id.nullable().default(null),
          experimentId: id.nullable().default(null),
          copyFiles: z.boolean().default(false),
        }),
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
      /** How the sounds are made. */
      soundsFrom: soundOriginSchema.default(defaultSoundOrigin),
      /** Leaves text in tables as it is that a spreadsheet would run as a formula; by default it gets an apostrophe. */
      raw: z.boolean().default(false),
      /** Reductions: left out, the classifier it was scored with first. */
      classifier: exportClassifierSchema.optional(),
    }),
  ),
};
