import type { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import type { Modality, SharedData } from './kinds.ts';

/** Of one kind and fold: more pairs do not narrow the interval, which is over groups. */
const MOST_TARGETS = 1000;
const MOST_OTHERS = 1500;
/** Of one fold, all pairs of which are looked at. */
const MOST_TRACKS = 400;

/**
 * Pairs of held-out tracks. Within one modality neither the same track twice nor two that have the very same, such as two tracks of
 * one cover; across two, a track with itself is a pair as any other.
 */
export function pairsOf(
  { labels, modalities }: SharedData,
  test: readonly number[],
  a: Modality,
  b: Modality,
  random: Random,
): [number, number][] {
  const [first, second] = [modalities[a]?.units ?? [], modalities[b]?.units ?? []];
  const some = random.shuffle(test).slice(0, MOST_TRACKS);
  const targets: [number, number][] = [];
  const others: [number, number][] = [];
  some.forEach((i, place) => {
    if ((first[i] ?? null) === null) return;
    for (const j of a === b ? some.slice(place + 1) : some) {
      if ((second[j] ?? null) === null || (a === b && first[i] === second[j])) continue;
      (at(labels, i) === at(labels, j) ? targets : others).push([i, j]);
    }
  });
  return [...random.shuffle(targets).slice(0, MOST_TARGETS), ...random.shuffle(others).slice(0, MOST_OTHERS)];
}
