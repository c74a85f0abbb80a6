import { squaredDistance } from '../numerics/distances.ts';
import { Pacer } from '../numerics/pacer.ts';

/** A track that could be labelled next. */
export interface Candidate {
  track: number;
  /** Class it is thought to be of. */
  suggested: number;
  /** 0 … 1: how clearly that class stands above the second. */
  margin: number;
}

/** Which tracks are asked for first. `per-class` goes through the classes, those with the fewest labels first. */
export type QueueOrder = 'margin' | 'diversity' | 'per-class';

/** What the orders need to know besides the candidates. */
export interface QueueFacts {
  /** `[n, dim]` track embeddings. */
  vectors: Float32Array;
  dim: number;
  /** Tracks that have their labels, which `diversity` keeps away from. */
  labelled: readonly number[];
  /** `[C]`: labelled tracks of each class. */
  counts: readonly number[];
}

/** The first `most` of the candidates in an order; equal ones by track. @throws the signal's reason */
export async function labellingQueue(
  candidates: readonly Candidate[],
  order: QueueOrder,
  most: number,
  facts: QueueFacts,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const queue = await orders[order](candidates, most, facts, new Pacer(signal));
  return queue.slice(0, most);
}

const byMargin = (a: Candidate, b: Candidate): number => a.margin - b.margin || a.track - b.track;

const orders: Record<
  QueueOrder,
  (
    all: readonly Candidate[],
    most: number,
    facts: QueueFacts,
    pacer: Pacer,
  ) => Candidate[] | Promise<Candidate[]>
> = {
  margin: (all) => [...all].sort(byMargin),
  diversity: farthestFirst,
  'per-class': (all, most, { counts }) => {
    const waiting = new Map<number, Candidate[]>();
    for (const candidate of [...all].sort(byMargin)) {
      const own = waiting.get(candidate.suggested);
      if (own) own.push(candidate);
      else waiting.set(candidate.suggested, [candidate]);
    }
    const classes = [...waiting.keys()].sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0) || a - b);
    const queue: Candidate[] = [];
    for (let turn = 0; queue.length < Math.min(most, all.length); turn++)
      for (const label of classes) queue.push(...(waiting.get(label)?.slice(turn, turn + 1) ?? []));
    return queue;
  },
};

/** Each next one is the farthest from all that are labelled or chosen before (Sener and Savarese 2018, greedy k-centre). */
async function farthestFirst(
  all: readonly Candidate[],
  most: number,
  { vectors, dim, labelled }: QueueFacts,
  pacer: Pacer,
): Promise<Candidate[]> {
  const between = (a: number, b: number): number => squaredDistance(vectors, a * dim, vectors, b * dim, dim);
  const distances = new Float64Array(all.length);
  for (const [i, { track }] of all.entries()) {
    if (pacer.due(labelled.length * dim)) await pacer.pause();
    distances[i] = labelled.reduce((least, other) => Math.min(least, between(track, other)), Infinity);
  }
  const chosen: Candidate[] = [];
  const left = new Set(all.keys());
  while (chosen.length < most && left.size > 0) {
    if (pacer.due(left.size * dim)) await pacer.pause();
    let next = -1;
    for (const i of left) if (next < 0 || (distances[i] ?? 0) > (distances[next] ?? 0)) next = i;
    const candidate = all[next];
    left.delete(next);
    if (!candidate) break;
    chosen.push(candidate);
    for (const i of left) {
      const distance = between(all[i]?.track ?? 0, candidate.track);
      distances[i] = Math.min(distances[i] ?? Infinity, distance);
    }
  }
  return chosen;
}
