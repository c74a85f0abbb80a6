/** Bundles: what an experiment, a reduction or tracks leave the application as. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { distinct, id, path, seed, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';
import { defaultSoundOrigin, soundOriginSchema } from './sonify.ts';
import { classifierSchema } from './studies.ts';

export const exportFormatSchema = z.enum([
  'csv',
  'npz',
  'parquet',
  'jsonl',
  'audiofolder',
  'mulan',
  'meka',
  'json',
  'onnx',
  'wav',
  'jams',
  'rekordbox',
  'm3u8',
]);

/** What can be exported: an experiment, a reduction of a library's tracks or of a data set file, or tracks themselves. */
export type ExportSourceKind = 'experiment' | 'library' | 'dataset' | 'tracks';

export interface ExportFormatInfo {
  id: ExportFormat;
  /** For people: what it is, and what it is for. */
  title: string;
  /** Of its files; those of `mulan` are two. */
  extensions: readonly string[];
  /** What it can be made of; asked for of anything else, it is left out. */
  sources: readonly ExportSourceKind[];
}

const ofPrototypes = ['experiment', 'library', 'dataset'] as const;
const everything = [...ofPrototypes, 'tracks'] as const;
const tracksOnly = ['tracks'] as const;

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
  { id: 'jsonl', title: 'JSON Lines: an object per row', extensions: ['jsonl'], sources: tracksOnly },
  {
    id: 'audiofolder',
    title: 'AudioFolder: metadata.jsonl for Hugging Face',
    extensions: ['jsonl'],
    sources: tracksOnly,
  },
  { id: 'mulan', title: 'ARFF and XML: Mulan', extensions: ['arff', 'xml'], sources: ofPrototypes },
  { id: 'meka', title: 'ARFF: MEKA', extensions: ['arff'], sources: ofPrototypes },
  { id: 'json', title: 'JSON: everything as text', extensions: ['json'], sources: ofPrototypes },
  { id: 'onnx', title: 'ONNX: the classifier', extensions: ['onnx'], sources: ofPrototypes },
  { id: 'wav', title: 'WAV: sonified prototypes', extensions: ['wav'], sources: ['experiment', 'library'] },
  { id: 'jams', title: 'JAMS: annotations of each track', extensions: ['jams'], sources: tracksOnly },
  { id: 'rekordbox', title: 'XML: Rekordbox collection', extensions: ['xml'], sources: tracksOnly },
  {
    id: 'm3u8',
    title: 'M3U8: playlists',
    extensions: ['m3u8'],
    sources: ['experiment', 'library', 'tracks'],
  },
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
        /** Tracks as they are: what is known of them, in tables, arrays, annotations and playlists. */
        z.strictObject({
          kind: z.literal('tracks'),
          /** In this order; null: all whose files are there, by path. */
          trackIds: z.array(id).min(1).max(1_000_000).nullable(),
          /** What a row of the tables is. Windows are those of the one space that is named then. */
          level: z.enum(['track', 'window']).default('track'),
          taxonomyId: id.nullable().default(null),
          experimentId: id.nullable().default(null),
          /** Keys of spaces whose embeddings are written; map and neighbours are those of the first. */
          spaces: z.array(id).max(32).refine(distinct, 'a space is named twice').default([]),
          map: z.enum(['pca', 'umap']).nullable().default(null),
          /** How many of each row's nearest rows are named. */
          neighbours: z.int().min(0).max(100).default(0),
          /** Also their files, as they are. */
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
      /** Of the sounds and of maps. */
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
