import { rocAuc } from '../evaluation/metrics/curves.ts';
import { groupedFolds } from '../evaluation/splits/folds.ts';
import { bootstrap, type Interval } from '../evaluation/statistics/index.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { equalErrorRate, risingOrder, type Trials } from './eer.ts';
import { pairsOf } from './held-out-pairs.ts';
import { presentModalities, type Modality, type SharedData } from './kinds.ts';
import { learnShared, type SharedLearnOptions, type SharedSettings } from './learn.ts';
import { misfits, type Misfit } from './misfits.ts';
import { cosine, placeAll, type SharedModel } from './projection.ts';
import { chooseSteps } from './stop.ts';

export type TrialVerdict = 'better' | 'worse' | 'cannot-tell';

/** How well pairs of one class are told from other pairs, one of each pair by `a`, the other by `b`. */
export interface TrialFigures {
  a: Modality;
  b: Modality;
  /** Pairs of one class, and others. */
  targets: number;
  others: number;
  eer: Interval;
  /** Area under the ROC curve. */
  auc: number;
  /** The same of what was learned with every modality's examples dealt out anew over the classes. */
  control: Interval;
  /** Control minus learned. */
  gain: Interval & { verdict: TrialVerdict };
  /** It tells more than the control does, and the interval stays below {@link HOPELESS}. */
  usable: boolean;
}

export interface SharedAssessment {
  /** Groups of held-out tracks that were asked, and their tracks. */
  groups: number;
  tracks: number;
  trials: TrialFigures[];
  /** Covers by how little they fit their own recordings, worst first; nothing was learned from either. */
  misfits: Misfit[];
}

/** A search that may be wrong as often as that is none. */
export const HOPELESS = 0.45;
const FOLDS = 3;
const DRAWS = 200;
const CONTROL_SEED = 0x5eed;

/**
 * Splits whole groups into three parts; learns from two, and asks the third, whose groups were not learned from. Then once more with
 * the examples of each modality dealt out anew: what that reaches is owed to the features alone, or to chance.
 * @param onProgress share done, 0…1
 * @throws NumericError; the signal's reason
 */
export async function assessShared(
  data: SharedData,
  settings: SharedSettings,
  options: Pick<SharedLearnOptions, 'signal' | 'pace'> & { onProgress?: (share: number) => void },
): Promise<SharedAssessment> {
  const { signal } = options;
  const present = presentModalities(data.modalities);
  const items = data.groups.map((group, track) => ({ group, label: at(data.labels, track) }));
  const names = [...new Set(data.groups)].sort();
  const groupOf = data.groups.map((group) => names.indexOf(group));
  const kinds = present.flatMap((a, i) => present.slice(i).map((b) => ({ a, b })));
  const collected = kinds.map(() => ({ learned: [] as Trials[], control: [] as Trials[] }));
  const found: Misfit[] = [];
  const runs = (settings.stop === 'held-out' ? 3 : 2) * FOLDS;
  let run = 0;
  const watched = (): SharedLearnOptions => {
    const done = run++;
    return {
      ...options,
      onProgress: ({ step, steps }) => options.onProgress?.((done + step / steps) / runs),
    };
  };
  for (const [fold, held] of groupedFolds(items, FOLDS, settings.seed).entries()) {
    const all = data.groups.map((_, track) => track);
    const test = all.filter((track) => held.has(data.groups[track] ?? ''));
    const train = all.filter((track) => !held.has(data.groups[track] ?? ''));
    const random = new Random(settings.seed ^ (CONTROL_SEED + fold));
    const pacer = new Pacer(signal);
    // Chosen by a part of what is learned from; the control takes as many.
    const steps =
      settings.stop === 'held-out' ? await chooseSteps(data, train, settings, watched()) : settings.steps;
    const own = { ...settings, steps };
    const learned = await placed(await learnShared(data, train, own, watched()), data, pacer);
    const taught = dealt(data, train, random);
    const control = await placed(await learnShared(data, train, own, watched(), taught), data, pacer);
    kinds.forEach(({ a, b }, kind) => {
      const pairs = pairsOf(data, test, a, b, random);
      for (const [name, where] of [
        ['learned', learned],
        ['control', control],
      ] as const) {
        const [from, to] = [where.at[a], where.at[b]];
        if (!from || !to) continue;
        collected[kind]?.[name].push({
          scores: Float32Array.from(pairs, ([i, j]) => cosine(from, i, to, j, where.dim)),
          same: Uint8Array.from(pairs, ([i, j]) => (at(data.labels, i) === at(data.labels, j) ? 1 : 0)),
          first: Int32Array.from(pairs, ([i]) => groupOf[i] ?? 0),
          second: Int32Array.from(pairs, ([, j]) => groupOf[j] ?? 0),
        });
      }
    });
    const [audio, cover] = [learned.at.audio, learned.at.cover];
    if (audio && cover) found.push(...(await misfits(data, test, { audio, cover, dim: learned.dim }, pacer)));
  }
  const trials: TrialFigures[] = [];
  for (const [kind, { a, b }] of kinds.entries()) {
    const own = collected[kind];
    const figures =
      own && (await figuresOf(joined(own.learned), joined(own.control), names.length, settings.seed, signal));
    if (figures) trials.push({ a, b, ...figures });
  }
  return {
    groups: names.length,
    tracks: data.groups.length,
    trials,
    misfits: found.sort((x, y) => x.z - y.z || x.track - y.track),
  };
}

/** Every modality of all tracks in a common space. */
async function placed(
  model: SharedModel,
  { modalities }: SharedData,
  pacer: Pacer,
): Promise<{ dim: number; at: Partial<Record<Modality, Float32Array>> }> {
  const where: Partial<Record<Modality, Float32Array>> = {};
  for (const of of presentModalities(model.projections)) {
    const [projection, own] = [model.projections[of], modalities[of]];
    if (projection && own) where[of] = await placeAll(projection, own.rows, pacer);
  }
  return { dim: model.dim, at: where };
}

/** Classes dealt out anew over the examples of each modality; what several tracks share stays of one class. */
function dealt(
  { labels, modalities }: SharedData,
  train: readonly number[],
  random: Random,
): Partial<Record<Modality, ArrayLike<number>>> {
  const taught: Partial<Record<Modality, ArrayLike<number>>> = {};
  for (const of of presentModalities(modalities)) {
    const units = modalities[of]?.units ?? [];
    const classOf = new Map<string, number>();
    for (const track of train) {
      const unit = units[track];
      if (unit !== null && unit !== undefined && !classOf.has(unit)) classOf.set(unit, at(labels, track));
    }
    const names = [...classOf.keys()];
    const shuffled = random.shuffle([...classOf.values()]);
    const now = new Map(names.map((name, i) => [name, shuffled[i] ?? 0]));
    taught[of] = Int32Array.from(units, (unit, track) => now.get(unit ?? '') ?? at(labels, track));
  }
  return taught;
}

function joined(parts: readonly Trials[]): Trials {
  const flat = (of: (part: Trials) => ArrayLike<number>): number[] =>
    parts.flatMap((part) => Array.from(of(part)));
  return {
    scores: Float32Array.from(flat(({ scores }) => scores)),
    same: Uint8Array.from(flat(({ same }) => same)),
    first: Int32Array.from(flat(({ first }) => first)),
    second: Int32Array.from(flat(({ second }) => second)),
  };
}

/** Null where there are no pairs of one class, or no others. */
async function figuresOf(
  learned: Trials,
  control: Trials,
  groups: number,
  seed: number,
  signal: AbortSignal,
): Promise<Omit<TrialFigures, 'a' | 'b'> | null> {
  const targets = learned.same.reduce((sum, value) => sum + value, 0);
  const others = learned.same.length - targets;
  if (targets === 0 || others === 0) return null;
  const orders = [risingOrder(learned), risingOrder(control)] as const;
  const counted = (drawn: Int32Array): Int32Array => {
    const weights = new Int32Array(groups);
    for (const group of drawn) weights[group] = at(weights, group) + 1;
    return weights;
  };
  // A draw without pairs of one kind says nothing: it is guessing.
  const orGuess = (value: number): number => (Number.isNaN(value) ? 0.5 : value);
  const interval = (figure: (weights: Int32Array) => number): Promise<Interval> =>
    bootstrap(groups, (drawn) => figure(counted(drawn)), { draws: DRAWS, seed, signal });
  // The same seed draws the same groups: differences are taken draw by draw of what was worked out before.
  const worked: [number[], number[]] = [[], []];
  const rate =
    (side: 0 | 1, trials: Trials) =>
    (weights: Int32Array): number => {
      const value = orGuess(equalErrorRate(trials, orders[side], weights));
      worked[side].push(value);
      return value;
    };
  const eer = await interval(rate(0, learned));
  const controlled = await interval(rate(1, control));
  let draw = 0;
  const gain = await interval(() => {
    const [own = 0, other = 0] = [worked[0][draw], worked[1][draw]];
    draw += 1;
    return other - own;
  });
  const verdict = gain.low > 0 ? 'better' : gain.high < 0 ? 'worse' : 'cannot-tell';
  return {
    targets,
    others,
    eer,
    auc: rocAuc(learned.same, learned.scores) ?? 0.5,
    control: controlled,
    gain: { ...gain, verdict },
    usable: verdict === 'better' && eer.high < HOPELESS,
  };
}
