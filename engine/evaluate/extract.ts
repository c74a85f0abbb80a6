import { CLEAN } from './cell-files.ts';
import { groupBy, listenerOf, setKey, understood, type ActiveRun, type Cell } from './active-run.ts';
import { extractOverQueue, type Extraction } from './extract-over-queue.ts';
import type { QueueSettings } from '../queue/settings.ts';

/** Makes the vectors that the cells need and that are not there. @throws EngineError; the signal's reason */
export async function extract(run: ActiveRun, wanted: readonly Cell[]): Promise<void> {
  // A data set file brings its own.
  const cells = wanted.filter(({ task }) => task.columns === null);
  const { context, job, spec, vectors } = run;
  const settings = await context.queue.settingsFor(spec.overQueue);
  if (settings !== null) await extractElsewhere(run, cells, settings);
  const groups = groupBy([...cleanly(cells), ...cells], ({ task, scenario, experiment: { windows } }) =>
    JSON.stringify([task.fingerprint, scenario?.key ?? null, windows]),
  );
  const total = [...groups.values()].reduce((sum, [first]) => sum + (first?.task.items.length ?? 0), 0);
  let done = 0;
  for (const group of groups.values()) {
    const [first] = group;
    if (!first) continue;
    const { task, scenario, experiment } = first;
    const each = groupBy(group, ({ space, tagger }) => tagger?.key ?? space);
    const listeners = await Promise.all(
      [...each.values()].flatMap(([one]) => (one ? [listenerOf(run, one)] : [])),
    );
    for (const item of task.items) {
      await job.checkpoint();
      const current = `${task.title}, ${scenario?.title ?? CLEAN}: ${item.path}`;
      job.report({ done, total, unit: 'tracks', current });
      const asked = { windows: experiment.windows, scenario, signal: job.signal };
      const made = await understood(() => vectors.make(item, listeners, asked), item.path);
      // What was there before is nothing that this run brought nearer to its end.
      if (made) job.kept();
      done += 1;
    }
  }
  job.report({ done, total, unit: 'tracks', current: '' });
}

/** By workers, as far as they have what it takes. */
async function extractElsewhere(
  { context, job, evaluationId, vectors }: ActiveRun,
  cells: readonly Cell[],
  settings: QueueSettings,
): Promise<void> {
  // What heads say is computed here: workers make vectors.
  const learning = cells.filter(({ tagger }) => tagger === null);
  const groups = groupBy([...cleanly(learning), ...learning], setKey);
  const extractions: Extraction[] = [];
  for (const [first] of groups.values()) {
    if (!first) continue;
    const { task, scenario, space, experiment } = first;
    extractions.push({
      ...{ items: task.items, runtime: await context.packs.runtime(space) },
      wanted: { windows: experiment.windows, scenario },
      title: `${task.dataset.name}, ${scenario?.title ?? CLEAN}, ${space}`,
    });
  }
  await extractOverQueue(extractions, { context, settings, evaluationId, vectors, job });
}

/** Clean tracks are learned from, whatever is tested. */
const cleanly = (cells: readonly Cell[]): Cell[] => cells.map((cell) => ({ ...cell, scenario: null }));
