import { join } from 'node:path';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import {
  debiasedCka,
  representationalSimilarity,
  representationOf,
  type Representation,
} from '../../models/evaluation/statistics/similarity.ts';
import type { EvaluationSimilarity } from '../api/evaluations.ts';
import { writeWhole } from '../files/write-whole.ts';
import { groupBy, spaceTitle, type ActiveRun, type Cell } from './active-run.ts';
import { similarityFile } from './cell-files.ts';
import type { TaskSets } from './task-sets.ts';

/** Fewer tracks have no unbiased estimate; of more, every pair of as many is compared. */
const LEAST_COMPARED = 4;
const MOST_COMPARED = 1000;

/** How much the spaces share on the clean tracks of each data set. */
export async function compareSpaces(
  { job, folder }: ActiveRun,
  sets: TaskSets,
  cells: readonly Cell[],
): Promise<void> {
  const groups = groupBy(cells, ({ task, experiment: { windows } }) =>
    JSON.stringify([task.fingerprint, windows]),
  );
  const found: EvaluationSimilarity[] = [];
  for (const group of groups.values()) {
    const known: { space: string; representation: Representation }[] = [];
    const spaces = groupBy(group, spaceTitle);
    // One alone need not be embedded for it: a head may be all that was asked.
    for (const [space, own] of spaces.size < 2 ? [] : spaces) {
      const [first] = own;
      if (!first) continue;
      await job.checkpoint();
      const { features, dim, count } = poolTracks(await sets.of({ ...first, scenario: null, tagger: null }));
      if (count < LEAST_COMPARED) continue;
      const compared = spread(features, dim, count);
      known.push({ space, representation: await representationOf(compared, dim, job.signal) });
    }
    const dataset = group[0]?.task.title ?? '';
    for (const [i, first] of known.entries())
      for (const second of known.slice(i + 1)) {
        await job.checkpoint();
        found.push({
          ...{ dataset, first: first.space, second: second.space },
          cka: debiasedCka(first.representation, second.representation),
          rsa: representationalSimilarity(first.representation, second.representation),
          tracks: first.representation.n,
        });
      }
  }
  await writeWhole(join(folder, similarityFile), `${JSON.stringify(found, null, 1)}\n`);
}

/** Of many rows some, evenly spread. */
function spread(features: ArrayLike<number>, dim: number, count: number): Float32Array {
  const kept = Math.min(count, MOST_COMPARED);
  const rows = new Float32Array(kept * dim);
  for (let i = 0; i < kept; i++) {
    const from = Math.floor((i * count) / kept) * dim;
    for (let d = 0; d < dim; d++) rows[i * dim + d] = features[from + d] ?? 0;
  }
  return rows;
}
