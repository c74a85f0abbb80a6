import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parse } from 'csv-parse/sync';
import { groupedFolds } from '../../models/evaluation/splits/folds.ts';
import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import { splitTracks, type Part } from '../../models/evaluation/splits/holdout.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { scanFolder } from '../files/scan.ts';
import type { Library } from '../library/library.ts';
import { labelsFromFolders, labelsFromTokens, type Labelsets } from '../taxonomies/derive.ts';
import type { EvaluationSplit, PlannedDataset, PlannedExperiment } from './yaml.ts';

/** A track of a task. */
export interface TaskItem {
  /** Relative to the data set, with forward slashes. */
  path: string;
  file: string;
  labels: string[];
  sha256: string;
  group: string;
  given: Part | null;
}

export interface Task {
  dataset: PlannedDataset;
  /** What it is called in the table: its name, numbered where another data set of the evaluation has it too. */
  title: string;
  items: TaskItem[];
  /** Sorted. */
  labelNames: string[];
  /** Tracks of several labels in a task of one each: their first label counts. */
  several: number;
  /** Of paths, labels and contents: whatever changes any of them makes another task. */
  fingerprint: string;
}

/**
 * The tracks of a data set with their labels.
 * @throws EngineError `missing-folder`, `bad-input`, `not-found`; `too-few-labels` for a task of one class; the signal's reason
 */
export async function readTask(
  context: EngineContext,
  dataset: PlannedDataset,
  { task, groupBy }: Pick<PlannedExperiment, 'task' | 'groupBy'>,
  signal: AbortSignal,
): Promise<Task> {
  const found = await labelled(context, dataset, signal);
  const items: TaskItem[] = [];
  let several = 0;
  for (const { path, file, labels, given } of found.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (labels.length === 0) continue;
    signal.throwIfAborted();
    const sha256 = await hashOf(file);
    if (task === 'single' && labels.length > 1) several += 1;
    items.push({
      path,
      file,
      labels: task === 'single' ? labels.slice(0, 1) : labels,
      sha256,
      group: path,
      given,
    });
  }
  const groups = splitGroups(
    items.map(({ path, sha256 }) => ({ id: path, path, artist: null, album: null, contentHash: sha256 })),
    groupBy,
  );
  for (const item of items) item.group = groups.get(item.path) ?? item.path;
  const labelNames = [...new Set(items.flatMap(({ labels }) => labels))].sort();
  if (labelNames.length < 2)
    throw new EngineError(
      'too-few-labels',
      `The data set ${dataset.name} holds ${items.length} labelled tracks of fewer than two labels.`,
      'A task needs two classes at least; look at its folder and at where its labels come from.',
    );
  const hash = createHash('sha256').update(task);
  for (const { path, labels, sha256, group, given } of items)
    hash.update(JSON.stringify([path, labels, sha256, group, given]));
  return {
    dataset,
    title: dataset.name,
    items,
    labelNames,
    several,
    fingerprint: hash.digest('hex').slice(0, 16),
  };
}

interface Found {
  path: string;
  file: string;
  labels: string[];
  given: Part | null;
}

async function labelled(
  context: EngineContext,
  dataset: PlannedDataset,
  signal: AbortSignal,
): Promise<Found[]> {
  const { type, dir, name } = dataset;
  if (type === 'library') {
    const library = libraryOf(context, dir);
    const taxonomy = library.taxonomies
      .list()
      .find((one) => one.name === dataset.taxonomy || one.id === dataset.taxonomy);
    if (!taxonomy)
      throw new EngineError(
        'not-found',
        `The library has no taxonomy “${dataset.taxonomy ?? ''}”.`,
        `Name one that it has: ${library.taxonomies
          .list()
          .map((one) => `“${one.name}”`)
          .join(', ')}.`,
      );
    const labels = library.labels.of(taxonomy.id);
    return library.tracks.tagged().map(({ id, path }) => ({
      path,
      file: library.absolutePath(path),
      labels: labels.get(id) ?? [],
      given: null,
    }));
  }
  if (type === 'csv') return fromCsv(dataset);
  const { files } = await scanFolder(dir, { signal });
  const tracks = files.map(({ path }) => ({
    id: path,
    path,
    genre: [],
    artist: null,
    album: null,
    year: null,
    key: null,
  }));
  const labels: Labelsets = type === 'folders' ? labelsFromFolders(tracks) : labelsFromTokens(tracks);
  if (tracks.length === 0)
    throw new EngineError(
      'empty-folder',
      `There is no audio in ${dir}.`,
      `Say where the data set ${name} is.`,
    );
  return tracks.map(({ path }) => ({
    path,
    file: join(dir, ...path.split('/')),
    labels: labels.get(path) ?? [],
    given: null,
  }));
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

/** Columns `path`, `labels` (parted by semicolons) and, where it is there, `split`. */
async function fromCsv({ name, dir, labels }: PlannedDataset): Promise<Found[]> {
  const content = await readFile(labels ?? '', 'utf8').catch(() => {
    throw new EngineError(
      'not-found',
      `There is no file ${labels ?? ''}.`,
      `Say where the labels of ${name} are.`,
    );
  });
  let rows: Record<string, string>[];
  try {
    rows = parse(content, { columns: true, bom: true, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw new EngineError('bad-input', `${labels ?? ''} is no table: ${String(cause)}`, 'Write it as CSV.', {
      cause,
    });
  }
  const column = (row: Record<string, string>, ...names: string[]): string | undefined =>
    names.map((one) => row[one]).find((value) => value !== undefined);
  return rows.map((row, i) => {
    const path = column(row, 'path', 'file', 'filename');
    const label = column(row, 'labels', 'label', 'class');
    if (path === undefined || label === undefined)
      throw new EngineError(
        'bad-input',
        `Row ${i + 1} of ${labels ?? ''} has no path or no labels.`,
        'Name the columns “path” and “labels”.',
      );
    const given = row['split'];
    if (given !== undefined && given !== 'train' && given !== 'validation' && given !== 'test')
      throw new EngineError(
        'bad-input',
        `Row ${i + 1} of ${labels ?? ''} is in the split “${given}”.`,
        'It is train, validation or test.',
      );
    const relative = posix.normalize(path.replaceAll('\\', '/'));
    if (relative === '..' || relative.startsWith('../'))
      throw new EngineError(
        'bad-input',
        `Row ${i + 1} of ${labels ?? ''} leads out of the folder of ${name}.`,
        'Name a folder that holds all of its sounds.',
      );
    const words = label
      .split(';')
      .map((word) => word.trim())
      .filter(Boolean);
    return { path: relative, file: join(dir, ...relative.split('/')), labels: words, given: given ?? null };
  });
}

/** SHA-256 of a file. @throws EngineError `unreadable` */
export async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  } catch (cause) {
    throw new EngineError(
      'unreadable',
      `${file} cannot be read.`,
      'Look at the evaluation and its data set.',
      { cause },
    );
  }
  return hash.digest('hex');
}

/**
 * The part of every track in each split: seeded, in proportion to the first labels, groups kept whole.
 * @throws EngineError `bad-input` where the given split leaks, or a part is empty; NumericError for more folds than groups
 */
export function splitsOf(
  { items, labelNames, dataset }: Task,
  split: EvaluationSplit,
  seed: number,
): Part[][] {
  const labels = items.map((item) => labelNames.indexOf(item.labels[0] ?? ''));
  if (split.kind === 'given') {
    const parts = items.map(({ given, path }) => {
      if (given) return given;
      throw new EngineError(
        'bad-input',
        `${path} of ${dataset.name} is in no part of the split.`,
        'Fill in the column “split”.',
      );
    });
    const seen = new Map<string, { part: Part; path: string }>();
    items.forEach(({ group, path }, i) => {
      const part = parts[i] ?? 'train';
      const other = seen.get(group);
      if (other && other.part !== part)
        throw new EngineError(
          'bad-input',
          `The split of ${dataset.name} leaks: ${path} (${part}) and ${other.path} (${other.part}) belong together.`,
          'Put copies and members of one group into the same part.',
        );
      seen.set(group, { part, path });
    });
    return [checked(parts, dataset.name)];
  }
  const repeats = Array.from({ length: split.repeats }, (_, repeat) => seed + 1000 * repeat);
  return repeats.flatMap((each) => {
    if (split.kind === 'folds')
      return groupedFolds(
        items.map(({ group }, i) => ({ group, label: labels[i] ?? 0 })),
        split.folds,
        each,
        'by-class',
      ).map((held) =>
        checked(
          items.map(({ group }) => (held.has(group) ? 'test' : 'train')),
          dataset.name,
        ),
      );
    const { test, validation } = split;
    const rows = items.map(({ path, group }, i) => ({ id: path, group, label: labels[i] ?? 0 }));
    const parts = splitTracks(rows, { train: 1 - test - validation, validation, test }, each);
    return [
      checked(
        items.map(({ path }) => parts.get(path) ?? 'train'),
        dataset.name,
      ),
    ];
  });
}

function checked(parts: Part[], name: string): Part[] {
  for (const part of ['train', 'test'] as const)
    if (!parts.includes(part))
      throw new EngineError(
        'bad-input',
        `The split of ${name} leaves no track in the part “${part}”.`,
        'Use more tracks or another split.',
      );
  return parts;
}
