import { createHash } from 'node:crypto';
import { EngineError } from '../api/errors.ts';
import type { Task, TaskItem } from './tasks.ts';

/** A task that learns from one collection and is tested on another. */
export interface AcrossTask {
  task: Task;
  /** What was left out, in words. */
  remarks: string[];
}

/**
 * Learns from all tracks of one collection and tests on those of another that bear one of its labels (Essentia's
 * cross-collection evaluation). Recordings that are in both are learned from, not tested.
 * @param mapping labels of the tested collection by what the learned one calls them; others count as they are
 * @throws EngineError `bad-input` where no label of the one is in the other, or the mapping names one that is not
 */
export function acrossTask(
  learned: Task,
  tested: Task,
  mapping: Readonly<Record<string, string>>,
): AcrossTask {
  const known = new Set(learned.labelNames);
  const odd = Object.values(mapping).find((label) => !known.has(label));
  if (odd !== undefined)
    throw new EngineError(
      'bad-input',
      `The \`mapping\` of ${tested.title} names “${odd}”, which is no label of ${learned.title}.`,
      `Labels there are ${learned.labelNames.slice(0, 20).join(', ')}${learned.labelNames.length > 20 ? ', …' : ''}: name one of them.`,
    );
  requireAlike(learned, tested);
  const contents = new Set(learned.items.map(({ sha256 }) => sha256));
  const nameOf = (label: string): string =>
    Object.hasOwn(mapping, label) ? (mapping[label] ?? label) : label;
  const unmapped = tested.labelNames.filter((label) => !known.has(nameOf(label)));
  const inside = (path: string): string => `${tested.title}/${path}`;
  let copies = 0;
  const test = tested.items.flatMap((item): TaskItem[] => {
    const labels = [...new Set(item.labels.map(nameOf))].filter((label) => known.has(label));
    if (labels.length === 0) return [];
    if (contents.has(item.sha256)) {
      copies += 1;
      return [];
    }
    return [{ ...item, labels, path: inside(item.path), group: inside(item.group), given: 'test' }];
  });
  const title = `${learned.title} → ${tested.title}`;
  if (test.length === 0)
    throw new EngineError(
      'bad-input',
      `${title}: no track of the second bears a label that the first has.`,
      'Say by `mapping` which label of the second is which of the first.',
    );
  const borne = new Set(test.flatMap(({ labels }) => labels));
  const untested = learned.labelNames.filter((label) => !borne.has(label));
  const absent = Object.keys(mapping).filter((label) => !tested.labelNames.includes(label));
  const remarks = [
    ...(absent.length > 0
      ? [`The mapping names what no track of ${tested.title} bears: ${absent.join(', ')}.`]
      : []),
    ...(unmapped.length > 0
      ? [`Labels of ${tested.title} that no mapping names, not tested: ${unmapped.join(', ')}.`]
      : []),
    ...(untested.length > 0
      ? [`Labels of ${learned.title} that are learned and not tested: ${untested.join(', ')}.`]
      : []),
    ...(copies > 0 ? [`${copies} recordings are in both; they are learned from and not tested.`] : []),
  ];
  const train = learned.items.map((item): TaskItem => ({ ...item, given: 'train' }));
  const key = [learned.fingerprint, tested.fingerprint, Object.entries(mapping).sort()];
  const fingerprint = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const dataset = { ...learned.dataset, name: title };
  return {
    task: { ...learned, dataset, title, items: [...train, ...test], together: null, fingerprint },
    remarks,
  };
}

/** @throws EngineError `bad-input` where one is sound and the other vectors, or vectors of other columns */
function requireAlike(learned: Task, tested: Task): void {
  const [own, theirs] = [learned.columns, tested.columns];
  if (own === null && theirs === null) return;
  if (own && theirs && own.length === theirs.length && own.every((name, i) => name === theirs[i])) return;
  throw new EngineError(
    'bad-input',
    `${tested.title} cannot be tested by what was learned of ${learned.title}: ${
      own && theirs ? 'they have other columns' : 'one is a data set file, the other is sound'
    }.`,
    'Test on a file with the same features in the same order.',
  );
}
