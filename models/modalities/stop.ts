import { groupedFolds } from '../evaluation/splits/folds.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { equalErrorRate, risingOrder } from './eer.ts';
import { pairsOf } from './held-out-pairs.ts';
import { presentModalities, type Modality, type SharedData } from './kinds.ts';
import { defaultSharedSettings, learnShared, type SharedLearnOptions, type SharedSettings } from './learn.ts';
import { cosine, placeAll, type SharedModel } from './projection.ts';

/** One group of so many is not learned from, but asked. */
const PARTS = 5;
/** Fewer groups that are asked say more of these few than of when to stop. */
const FEWEST_GROUPS = 6;
/** Steps from one look to the next, and looks without anything better after which it ends. */
const EVERY = 20;
const PATIENCE = 8;
/** A look is taken together with those beside it: the errors of a few hundred pairs jump. */
const BESIDE = 1;
const SEED = 0x570b;

/**
 * How many steps to learn: a fifth of the groups is left out, and the mean equal error rate of its pairs across modalities is looked at
 * every {@link EVERY} steps. Where it is lowest is the answer; what is kept is then learned from all tracks in as many steps.
 * @param tracks what may be learned from
 * @param settings `steps` are the most that are tried
 * @returns the default where there are too few groups to leave one out
 * @throws NumericError; the signal's reason
 */
export async function chooseSteps(
  data: SharedData,
  tracks: readonly number[],
  settings: SharedSettings,
  options: SharedLearnOptions,
): Promise<number> {
  const items = tracks.map((track) => ({
    group: data.groups[track] ?? '',
    label: at(data.labels, track),
  }));
  const [held] = groupedFolds(items, PARTS, settings.seed);
  const usual = Math.min(settings.steps, defaultSharedSettings.steps);
  if (!held || held.size < FEWEST_GROUPS) return usual;
  const asked = tracks.filter((track) => held.has(data.groups[track] ?? ''));
  const rest = tracks.filter((track) => !held.has(data.groups[track] ?? ''));
  if (new Set(rest.map((track) => at(data.labels, track))).size < 2) return usual;
  const present = presentModalities(data.modalities);
  const random = new Random(settings.seed ^ SEED);
  const kinds = present.flatMap((a, i) =>
    present.slice(i + 1).map((b) => ({ a, b, pairs: pairsOf(data, asked, a, b, random) })),
  );
  const pacer = new Pacer(options.signal);
  const errors: number[] = [];
  await learnShared(data, rest, settings, {
    ...options,
    watch: {
      every: EVERY,
      look: async (model) => {
        errors.push(await meanError(data, asked, kinds, model, pacer));
        return lowest(errors) + PATIENCE >= errors.length - 1;
      },
    },
  });
  if (errors.every(Number.isNaN)) return usual;
  return EVERY * (lowest(errors) + 1);
}

/** The look with the lowest mean of itself and those beside it; the first of equal ones. */
function lowest(errors: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  for (const i of errors.keys()) {
    const some = errors.slice(Math.max(0, i - BESIDE), i + BESIDE + 1);
    const mean = some.reduce((sum, error) => sum + error, 0) / some.length;
    if (mean < least) [best, least] = [i, mean];
  }
  return best;
}

async function meanError(
  { labels, modalities }: SharedData,
  asked: readonly number[],
  kinds: readonly { a: Modality; b: Modality; pairs: readonly [number, number][] }[],
  { dim, projections }: SharedModel,
  pacer: Pacer,
): Promise<number> {
  const place = new Map(asked.map((track, i) => [track, i]));
  const where: Partial<Record<Modality, Float32Array>> = {};
  for (const of of presentModalities(modalities)) {
    const [own, into] = [modalities[of], projections[of]];
    if (!own || !into) continue;
    const rows = new Float32Array(asked.length * own.dim);
    asked.forEach((track, i) =>
      rows.set(own.rows.subarray(track * own.dim, (track + 1) * own.dim), i * own.dim),
    );
    where[of] = await placeAll(into, rows, pacer);
  }
  const found = kinds.flatMap(({ a, b, pairs }) => {
    const [from, to] = [where[a], where[b]];
    if (!from || !to || pairs.length === 0) return [];
    const rowOf = (track: number): number => place.get(track) ?? 0;
    const trials = {
      scores: Float32Array.from(pairs, ([i, j]) => cosine(from, rowOf(i), to, rowOf(j), dim)),
      same: Uint8Array.from(pairs, ([i, j]) => (at(labels, i) === at(labels, j) ? 1 : 0)),
      first: new Int32Array(pairs.length),
      second: new Int32Array(pairs.length),
    };
    const error = equalErrorRate(trials, risingOrder(trials));
    return Number.isNaN(error) ? [] : [error];
  });
  return found.reduce((sum, error) => sum + error, 0) / found.length;
}
