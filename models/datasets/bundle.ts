import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { readBounded } from '../files/read.ts';
import { DatasetError, readFailure } from './errors.ts';
import type { LabelChoice } from './types.ts';

/** Names and versions the format of an export bundle; readers refuse what they do not know. */
export const EXPORT_SCHEMA = 'archetone.export/1';
export const MANIFEST_FILE = 'manifest.json';

/** Nothing that a manifest needs. */
const MAX_MANIFEST_BYTES = 16 * 2 ** 20;
/** Files that hold the whole set, the most exact first. */
const SOURCES = [
  'prototypes.npz',
  'prototypes.parquet',
  'prototypes.csv',
  'prototypes.arff',
  'prototypes-meka.arff',
];

const manifestSchema = z.object({
  schema: z.literal(EXPORT_SCHEMA),
  kind: z.string(),
  classes: z.array(z.string()),
  /** Null or absent for what comes from a library, whose tables mark labels by themselves. */
  dataset: z.unknown(),
  files: z.array(z.object({ path: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/**
 * The file of an exported bundle that its prototypes are read from, once its content is what the manifest says.
 * @throws DatasetError `missing`, `unreadable`, `unsupported`
 */
export async function bundledDataset(
  folder: string,
): Promise<{ path: string; labels: LabelChoice | undefined }> {
  const manifest = await readManifest(folder);
  if (manifest.kind !== 'reduction')
    throw new DatasetError(
      'unsupported',
      `${folder} holds ${manifest.kind === 'experiment' ? 'an experiment' : 'something else'}, not a reduced set.`,
      'Choose the bundle of a reduction.',
    );
  const file = SOURCES.flatMap((name) => manifest.files.find(({ path }) => path === name) ?? [])[0];
  if (!file)
    throw new DatasetError(
      'unsupported',
      `${folder} holds none of ${SOURCES.join(', ')}.`,
      'Export the reduction again with one of the formats csv, npz, parquet, mulan or meka.',
    );
  const path = join(folder, file.path);
  if ((await sha256(path)) !== file.sha256)
    throw new DatasetError(
      'unreadable',
      `${path} is not the file that the bundle's manifest describes.`,
      'It was changed or damaged: export again, or read the file by itself.',
    );
  const isTable = file.path.endsWith('.csv') && manifest.dataset != null;
  return { path, labels: isTable ? { kind: 'last', count: manifest.classes.length } : undefined };
}

async function readManifest(folder: string): Promise<z.output<typeof manifestSchema>> {
  const path = join(folder, MANIFEST_FILE);
  try {
    return manifestSchema.parse(JSON.parse((await readBounded(path, MAX_MANIFEST_BYTES)).toString('utf8')));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      throw new DatasetError(
        'unreadable',
        `${path} is no manifest of ${EXPORT_SCHEMA}.`,
        'Is this an exported bundle?',
      );
    throw readFailure(path, error, 'Is this an exported bundle?');
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw readFailure(path, error, 'Is the bundle whole?');
  }
  return hash.digest('hex');
}
