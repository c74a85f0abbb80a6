import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import type { Part } from '../../models/evaluation/splits/holdout.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { readTextBounded } from '../files/read-text.ts';
import { scanFolder } from '../files/scan.ts';
import type { Library } from '../library/library.ts';
import { labelsFromFolders, labelsFromTokens, type Labelsets } from '../taxonomies/derive.ts';
import { hashOf } from './file-hash.ts';
import type { DatasetType, PlannedDataset } from './yaml-data-sets.ts';

/** Of a table of labels or an index: a million lines of 250 characters. */
const MOST_BYTES = 256 * 2 ** 20;

/** A track as its data set tells of it. */
export interface FoundTrack {
  path: string;
  file: string;
  labels: string[];
  artist: string | null;
  album: string | null;
  given: Part | null;
  /** Of a row of a data set file, which has no sound. */
  vector?: Float32Array;
}

interface Asked {
  context: EngineContext;
  dataset: PlannedDataset;
  /** Whether labels are needed. */
  labelled: boolean;
  signal: AbortSignal;
}

/** How the tracks of each kind of data set are found. */
const readers: Readonly<Record<Exclude<DatasetType, 'file'>, (asked: Asked) => Promise<FoundTrack[]>>> = {
  library: (asked) => Promise.resolve(fromLibrary(asked)),
  folders: (asked) => fromFolder(asked, labelsFromFolders),
  tokens: (asked) => fromFolder(asked, labelsFromTokens),
  csv: fromCsv,
  mirdata: fromMirdata,
};

/**
 * The tracks of a data set of sounds, whatever it is.
 * @throws EngineError `missing-folder`, `empty-folder`, `bad-input`, `not-found`; the signal's reason
 */
export function foundTracks(
  context: EngineContext,
  dataset: PlannedDataset,
  labelled: boolean,
  signal: AbortSignal,
): Promise<FoundTrack[]> {
  const { type } = dataset;
  if (type === 'file') throw new EngineError('internal', 'A data set file has rows, not tracks.');
  return readers[type]({ context, dataset, labelled, signal });
}

function fromLibrary({ context, dataset, labelled }: Asked): FoundTrack[] {
  const library = libraryOf(context, dataset.dir);
  const labels = labelled ? labelsIn(library, dataset.taxonomy ?? '') : null;
  return library.tracks.tagged().map(({ id, path, artist, album }) => ({
    ...{ path, artist, album, given: null },
    file: library.absolutePath(path),
    labels: labels?.get(id) ?? [],
  }));
}

/** @throws EngineError `not-found` for a taxonomy that the library has not */
function labelsIn(library: Library, named: string): ReadonlyMap<string, string[]> {
  const known = library.taxonomies.list();
  const taxonomy = known.find((one) => one.name === named || one.id === named);
  if (!taxonomy)
    throw new EngineError(
      'not-found',
      `The library has no taxonomy “${named}”.`,
      `Name one that it has: ${known.map(({ name }) => `“${name}”`).join(', ')}.`,
    );
  return library.labels.of(taxonomy.id);
}

/** By its id, or by its name where no other has it. @throws EngineError `not-found`, `bad-input` */
function libraryOf({ libraries }: EngineContext, named: string): Library {
  const known = libraries.list();
  const found = known.filter(({ id }) => id === named);
  const [one, ...more] = found.length > 0 ? found : known.filter(({ name }) => name === named);
  if (!one)
    throw new EngineError(
      'not-found',
      `There is no library “${named}”.`,
      known.length > 0
        ? `Name one of ${known.map(({ name }) => `“${name}”`).join(', ')}.`
        : 'Import one first.',
    );
  if (more.length > 0)
    throw new EngineError(
      'bad-input',
      `${more.length + 1} libraries are called “${named}”.`,
      'Name it by its id.',
    );
  return libraries.get(one.id);
}

async function fromFolder(
  { dataset: { dir, name }, signal }: Asked,
  derive: (tracks: Parameters<typeof labelsFromFolders>[0]) => Labelsets,
): Promise<FoundTrack[]> {
  if (!existsSync(dir))
    throw new EngineError(
      'missing-folder',
      `There is no folder ${dir}.`,
      `Say where the data set ${name} is, or connect its drive.`,
    );
  const { files } = await scanFolder(dir, { signal });
  if (files.length === 0)
    throw new EngineError(
      'empty-folder',
      `There is no audio in ${dir}.`,
      `Say where the data set ${name} is.`,
    );
  const unknown = { genre: [], artist: null, album: null, year: null, key: null };
  const labels = derive(files.map(({ path }) => ({ id: path, path, ...unknown })));
  return files.map(({ path }) => ({
    ...{ path, artist: null, album: null, given: null },
    file: join(dir, ...path.split('/')),
    labels: labels.get(path) ?? [],
  }));
}

/** A line of a table of labels. */
interface Row {
  /** For messages. */
  at: string;
  key: string;
  labels: string[];
  artist: string | null;
  album: string | null;
  given: Part | null;
}

/**
 * Columns `labels` (parted by semicolons) and, where they are there, `split`, `artist` and `album`.
 * @param keys of the column that says which track it is, the first that is there
 */
async function tableOf(
  file: string,
  name: string,
  keys: readonly string[],
  labelled: boolean,
): Promise<Row[]> {
  const content = await readTextBounded(
    file,
    MOST_BYTES,
    () => new EngineError('not-found', `There is no file ${file}.`, `Say where the labels of ${name} are.`),
  );
  let rows: Record<string, string>[];
  try {
    rows = parse(content, { columns: true, bom: true, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw new EngineError('bad-input', `${file} is no table: ${String(cause)}`, 'Write it as CSV.', {
      cause,
    });
  }
  return rows.map((row, i) => {
    const column = (...names: readonly string[]): string | undefined =>
      names.map((one) => row[one]).find((value) => value !== undefined);
    const at = `Row ${i + 1} of ${file}`;
    const key = column(...keys);
    const label = column('labels', 'label', 'class');
    if (key === undefined || (label === undefined && labelled))
      throw new EngineError(
        'bad-input',
        `${at} has no ${keys[0] ?? ''} or no labels.`,
        `Name the columns “${keys[0] ?? ''}” and “labels”.`,
      );
    const given = row['split'];
    if (given !== undefined && given !== 'train' && given !== 'validation' && given !== 'test')
      throw new EngineError(
        'bad-input',
        `${at} is in the split “${given}”.`,
        'It is train, validation or test.',
      );
    const labels = (label ?? '')
      .split(';')
      .map((word) => word.trim())
      .filter(Boolean);
    const said = (one: string): string | null => row[one] || null;
    return { at, key, labels, artist: said('artist'), album: said('album'), given: given ?? null };
  });
}

async function fromCsv({ dataset: { name, dir, labels }, labelled }: Asked): Promise<FoundTrack[]> {
  const rows = await tableOf(labels ?? '', name, ['path', 'file', 'filename'], labelled);
  return rows.map(({ at, key, ...row }) => {
    const path = insideOf(key, at, name);
    return { ...row, path, file: join(dir, ...path.split('/')) };
  });
}

/** A path relative to a data set, with forward slashes. @throws EngineError `bad-input` where it leads out of it */
function insideOf(path: string, at: string, name: string): string {
  const relative = posix.normalize(path.replaceAll('\\', '/'));
  if (relative !== '..' && !relative.startsWith('../')) return relative;
  throw new EngineError(
    'bad-input',
    `${at} leads out of the folder of ${name}.`,
    'Name a folder that holds all of its sounds.',
  );
}

/** The part of an index of mirdata that is used: files of each track, with their MD5. */
const indexSchema = z.object({
  tracks: z.record(z.string(), z.record(z.string(), z.tuple([z.string().nullable(), z.string().nullable()]))),
});
const AUDIO = /\.(wav|wave|aif|aiff|flac|mp3|ogg|opus|m4a|au)$/i;

/** The tracks of a mirdata index whose files are as they were published; their labels by `id` of the table of labels. */
async function fromMirdata({ dataset, labelled, signal }: Asked): Promise<FoundTrack[]> {
  const { name, dir, labels, index } = dataset;
  const tracks = await indexOf(index ?? '');
  const known = labels === null ? [] : await tableOf(labels, name, ['id', 'track_id'], labelled);
  const rowOf = new Map(known.map((row) => [row.key, row]));
  const unknown = known.find(({ key }) => !Object.hasOwn(tracks, key));
  if (unknown)
    throw new EngineError(
      'bad-input',
      `${unknown.at} names the track “${unknown.key}”, which ${index ?? ''} has not.`,
      'Use the table and the index of one version of the data set.',
    );
  const found: FoundTrack[] = [];
  for (const [id, files] of Object.entries(tracks)) {
    signal.throwIfAborted();
    const row = rowOf.get(id);
    const [audio, checksum] = Object.values(files).find(([path]) => path !== null && AUDIO.test(path)) ?? [];
    // Some tracks have annotations only, and some are not asked for.
    if (!audio || (labels !== null && !row)) continue;
    const path = insideOf(audio, `The track ${id} of ${index ?? ''}`, name);
    const file = join(dir, ...path.split('/'));
    if (checksum && (await hashOf(file, 'md5')) !== checksum.toLowerCase())
      throw new EngineError(
        'bad-input',
        `${path} of ${name} is not the file that the index names: its checksum differs.`,
        'Fetch the data set again, or use the index of its version.',
      );
    const { artist = null, album = null, given = null } = row ?? {};
    found.push({ path, file, labels: row?.labels ?? [], artist, album, given });
  }
  return found;
}

async function indexOf(file: string): Promise<z.output<typeof indexSchema>['tracks']> {
  const content = await readTextBounded(
    file,
    MOST_BYTES,
    () =>
      new EngineError('not-found', `There is no file ${file}.`, 'Say where the index of the data set is.'),
  );
  try {
    return indexSchema.parse(JSON.parse(content)).tracks;
  } catch (cause) {
    throw new EngineError(
      'bad-input',
      `${file} is no index of mirdata.`,
      'It is a JSON file with “tracks”, each with the path and the MD5 of its files.',
      { cause },
    );
  }
}
