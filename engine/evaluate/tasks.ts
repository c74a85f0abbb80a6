import { createHash } from 'node:crypto';
import { keyName, keyOf } from '../../models/evaluation/metrics/key.ts';
import { groupedFolds } from '../../models/evaluation/splits/folds.ts';
import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import { splitTracks, type Part } from '../../models/evaluation/splits/holdout.ts';
import type { Targets } from '../../models/probes/ridge.ts';
import { counted } from '../../models/text/counted.ts';
import type { EvaluationTask } from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { toBlob } from '../storage/database.ts';
import { foundTracks, type FoundTrack } from './data-sets.ts';
import { hashOf } from './file-hash.ts';
import { fileRows } from './file-rows.ts';
import type { PlannedDataset } from './yaml-data-sets.ts';
import type { EvaluationSplit, PlannedExperiment } from './yaml.ts';

/** A track of a task. */
export interface TaskItem {
  /** Relative to the data set, with forward slashes; of a row its id. */
  path: string;
  /** Empty for a row of a data set file. */
  file: string;
  /** Of a row of a data set file. */
  vector: Float32Array | null;
  labels: string[];
  sha256: string;
  group: string;
  given: Part | null;
}

export interface Task {
  kind: EvaluationTask;
  dataset: PlannedDataset;
  /** What it is called in the table: its name, numbered where another data set of the evaluation has it too. */
  title: string;
  items: TaskItem[];
  /** Sorted. */
  labelNames: string[];
  /** Labels that are numbers, for `regression`. */
  numbers: Targets | null;
  /** Tracks of several labels in a task of one each: their first label counts. */
  several: number;
  /** How many artists or albums there are, and how many tracks bear none; null where neither keeps tracks together. */
  together: { groups: number; without: number } | null;
  /** Names of the features of a data set file, whose rows are vectors; null for sounds. */
  columns: readonly string[] | null;
  /** What a person should know of the data. */
  remarks: string[];
  /** Of paths, labels and contents: whatever changes any of them makes another task. */
  fingerprint: string;
}

/** Equal parts by value from which folds are drawn evenly, in a task of numbers. */
const NUMBER_STRATA = 5;

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
  const ofFile = dataset.type === 'file' ? await fileRows(context, dataset, signal) : null;
  const found: FoundTrack[] = ofFile?.rows ?? (await foundTracks(context, dataset, task !== 'mir', signal));
  const together = ofFile ? 'track' : groupBy;
  const items: TaskItem[] = [];
  const facts: Parameters<typeof splitGroups>[0][number][] = [];
  let [several, unlabelled] = [0, 0];
  for (const one of found.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { path, file, labels, given, vector = null } = one;
    if (labels.length === 0 && task !== 'mir') {
      unlabelled += 1;
      continue;
    }
    signal.throwIfAborted();
    // Equal rows are copies of one recording.
    const sha256 = vector ? createHash('sha256').update(toBlob(vector)).digest('hex') : await hashOf(file);
    if (task !== 'multi' && task !== 'mir' && labels.length > 1) several += 1;
    const own = task === 'multi' ? labels : task === 'mir' ? [] : labels.slice(0, 1);
    items.push({ ...{ path, file, vector, sha256, group: path, given }, labels: own });
    facts.push({ id: path, path, contentHash: sha256, ...(await bandOf(context, one, together, signal)) });
  }
  const groups = splitGroups(facts, together);
  for (const item of items) item.group = groups.get(item.path) ?? item.path;
  if (task === 'key') nameKeys(items, dataset.name);
  const numbers = task === 'regression' ? numbersOf(items, dataset.name) : null;
  const labelNames = task === 'regression' ? [] : [...new Set(items.flatMap(({ labels }) => labels))].sort();
  const different = task === 'regression' ? new Set(numbers?.values).size : labelNames.length;
  if (task === 'mir' ? items.length < 2 : different < 2)
    throw new EngineError(
      'too-few-labels',
      task === 'mir'
        ? `The data set ${dataset.name} holds fewer than two tracks.`
        : task === 'regression'
          ? `All ${items.length} labelled tracks of ${dataset.name} bear the same number.`
          : `The data set ${dataset.name} holds ${items.length} labelled tracks of fewer than two labels.`,
      task === 'mir'
        ? 'Look at its folder.'
        : 'A task needs two different ones at least; look at its folder and at where its labels come from.',
    );
  const hash = createHash('sha256').update(task);
  for (const { path, labels, sha256, group, given } of items)
    hash.update(JSON.stringify([path, labels, sha256, group, given]));
  return {
    ...{ kind: task, dataset, title: dataset.name, items, labelNames, numbers, several },
    together: togetherOf(facts, together),
    columns: ofFile?.columns ?? null,
    remarks: [
      ...(ofFile?.remarks ?? []),
      ...(ofFile && unlabelled > 0
        ? [`Without any label, and left out: ${counted(unlabelled, 'row')}.`]
        : []),
      ...(together === groupBy ? [] : [`Rows name no ${groupBy}; equal rows stay together.`]),
    ],
    fingerprint: hash.digest('hex').slice(0, 16),
  };
}

/** Artist and album as the data set says them, else as the tags of the file do; looked for only where they count. */
async function bandOf(
  { readers }: EngineContext,
  { file, artist, album }: FoundTrack,
  groupBy: PlannedExperiment['groupBy'],
  signal: AbortSignal,
): Promise<{ artist: string | null; album: string | null }> {
  const wanted = groupBy === 'artist' || groupBy === 'album';
  if (!wanted || (groupBy === 'artist' ? artist : album) !== null) return { artist, album };
  // A file that cannot be read is told of when it is decoded.
  const tags = await readers.probe(file, signal).catch(() => null);
  signal.throwIfAborted();
  return { artist: artist ?? tags?.tags.artist ?? null, album: album ?? tags?.tags.album ?? null };
}

function togetherOf(
  facts: readonly { artist: string | null; album: string | null }[],
  groupBy: PlannedExperiment['groupBy'],
): Task['together'] {
  if (groupBy !== 'artist' && groupBy !== 'album') return null;
  const names = facts.flatMap((fact) => {
    const name = fact[groupBy];
    return name === null || name.trim() === '' ? [] : [name.trim().toLowerCase()];
  });
  return { groups: new Set(names).size, without: facts.length - names.length };
}

/** @throws EngineError `bad-input` for labels that are no keys */
function nameKeys(items: readonly TaskItem[], name: string): void {
  const odd = new Set<string>();
  for (const item of items)
    item.labels = item.labels.map((label) => {
      const key = keyOf(label);
      if (key === null) odd.add(label);
      return key === null ? label : keyName(key);
    });
  if (odd.size > 0)
    throw new EngineError(
      'bad-input',
      `${odd.size === 1 ? 'A label' : `${odd.size} labels`} of ${name} ${odd.size === 1 ? 'is no key' : 'are no keys'}: ${quoted(odd)}.`,
      'Write keys as “C# minor”, “Db major”, “f#m” or “8A”, or choose another task.',
    );
}

/** @throws EngineError `bad-input` for labels that are no numbers */
function numbersOf(items: readonly TaskItem[], name: string): Targets {
  const values = Float64Array.from(items, ({ labels: [label = ''] }) =>
    label.trim() === '' ? NaN : Number(label),
  );
  const odd = new Set(
    items.flatMap(({ labels }, i) => (Number.isFinite(values[i]) ? [] : (labels[0] ?? ''))),
  );
  if (odd.size > 0)
    throw new EngineError(
      'bad-input',
      `${odd.size === 1 ? 'A label' : `${odd.size} labels`} of ${name} ${odd.size === 1 ? 'is no number' : 'are no numbers'}: ${quoted(odd)}.`,
      'Regression learns numbers, written as 128 or 0.5; for classes choose another task.',
    );
  return { names: ['number'], values };
}

const quoted = (labels: ReadonlySet<string>): string =>
  [...labels]
    .slice(0, 3)
    .map((label) => `“${label}”`)
    .join(', ') + (labels.size > 3 ? ', …' : '');

/**
 * The part of every track in each split: seeded, in proportion to the first labels, groups kept whole.
 * @throws EngineError `bad-input` where the given split leaks, or a part is empty; NumericError for more folds than groups
 */
export function splitsOf(task: Task, split: EvaluationSplit, seed: number): Part[][] {
  const { items, dataset } = task;
  const labels = strataOf(task);
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

/** What parts hold in proportion: the first label; of numbers, which fifth of them it is. */
function strataOf({ items, labelNames, numbers }: Task): number[] {
  if (!numbers) return items.map((item) => labelNames.indexOf(item.labels[0] ?? ''));
  const sorted = Float64Array.from(numbers.values).sort();
  return [...numbers.values].map((value) =>
    Math.min(NUMBER_STRATA - 1, Math.floor((NUMBER_STRATA * sorted.indexOf(value)) / sorted.length)),
  );
}
