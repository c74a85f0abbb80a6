/**
 * How much each branch of a network of several views weighs in what is trained: Gradient-Blending (Wang, Tran, Feiszli,
 * CVPR 2020) as it was made adaptive for views of a sound (Phan and others, arXiv 2103.02420). A branch is a view on its
 * own, or the joint head. Let V be its validation and T its training loss. Over some time it generalised by G, and its gap
 * grew by O:
 *
 *     w ∝ max(0, G / (O² + 1e-6)), Σ w = 1; equal where no branch generalised
 */

/** Mean losses of every branch after some steps, in evaluation mode: the views in order, then the joint head. */
export interface BranchLosses {
  step: number;
  train: readonly number[];
  validation: readonly number[];
}

/** What a weighting makes of the losses so far; one number per branch. */
export interface BranchWeights {
  /** ≥ 0, summing to 1. */
  weights: number[];
  /** G: how much better it does on tracks that it did not learn from. */
  generalisation: number[];
  /** O: how much its gap between training and validation grew. */
  overfitting: number[];
}

interface WeightingKind {
  title: string;
  /** @param history from before the first step on, at least one entry; always of the same branches */
  weigh: (history: readonly BranchLosses[]) => BranchWeights;
}

/** Evaluations that losses are compared over, or smoothed over. */
export const WINDOW = 20;
/** Evaluations before losses weigh at all: the first steps say nothing of what is to come. */
const WARM_UP = { losses: 10, slopes: 20 } as const;
/** Keeps the quotient finite where the gap stays as it is. */
const LEAST_SQUARE = 1e-6;
/**
 * What every branch weighs at least where losses weigh: too little to move prototypes that others use as well, and enough
 * for Adam, which sees the direction of a gradient more than its size, to keep a head in step with prototypes that move.
 */
const LEAST_WEIGHT = 1e-3;
/** What a branch that weighs at all weighs at least, in the released XSleepNet. */
const LEAST_OF_SLOPES = 1e-5;

/** Every weighting, the default first. */
export const weightings = {
  /**
   * G and O from the losses themselves, over the last {@link WINDOW} evaluations: a branch that goes on getting better
   * weighs most, one that stands still or overfits least.
   */
  p1: { title: 'blend (losses)', weigh: byLosses },
  /**
   * G and O from the slopes of smoothed losses, against those at the steepest fall so far, as the released XSleepNet has
   * it. It takes an overfitting branch away, but prefers one that stands still to one that gets better.
   */
  p2: { title: 'blend (slopes, XSleepNet-2)', weigh: bySlopes },
  equal: { title: 'equal', weigh: (history) => equal(branchesOf(history)) },
  /** Only the joint head is trained: a network on all views beside each other, and nothing else. */
  concatenation: {
    title: 'concatenation',
    weigh: (history) => {
      const branches = branchesOf(history);
      return {
        ...equal(branches),
        weights: Array.from({ length: branches }, (_, b) => (b === branches - 1 ? 1 : 0)),
      };
    },
  },
} as const satisfies Record<string, WeightingKind>;

export type WeightingName = keyof typeof weightings;

/**
 * w ∝ max(0, G / (O² + 1e-6)); equal where nothing is above 0.
 * @param floor what becomes of a share of the sum, before shares are brought to a sum of 1 again
 */
export function blend(
  generalisation: readonly number[],
  overfitting: readonly number[],
  floor: (share: number) => number = (share) => share,
): number[] {
  const raw = generalisation.map((g, b) => Math.max(0, g / ((overfitting[b] ?? 0) ** 2 + LEAST_SQUARE)));
  const total = raw.reduce((a, b) => a + b, 0);
  if (!(total > 0) || !Number.isFinite(total)) return raw.map(() => 1 / raw.length);
  const floored = raw.map((value) => floor(value / total));
  const sum = floored.reduce((a, b) => a + b, 0);
  return floored.map((value) => value / sum);
}

function byLosses(history: readonly BranchLosses[]): BranchWeights {
  const now = fromLosses(history);
  const last = Array.from({ length: Math.min(WINDOW, history.length) }, (_, ago) =>
    ago === 0 ? now : fromLosses(history.slice(0, history.length - ago)),
  );
  const weights = now.weights.map(
    (_, b) => last.reduce((sum, then) => sum + (then.weights[b] ?? 0), 0) / last.length,
  );
  return { ...now, weights };
}

/** The weights of one evaluation, which the next one may turn round: where O happens to be near 0, one branch takes all. */
function fromLosses(history: readonly BranchLosses[]): BranchWeights {
  const branches = branchesOf(history);
  if (history.length <= WARM_UP.losses) return equal(branches);
  const now = history.at(-1);
  const before = history[Math.max(0, history.length - 1 - WINDOW)];
  const fall = (of: 'train' | 'validation', b: number): number =>
    (before?.[of][b] ?? 0) - (now?.[of][b] ?? 0);
  const all = Array.from({ length: branches }, (_, b) => b);
  const generalisation = all.map((b) => fall('validation', b));
  const overfitting = all.map((b) => fall('train', b) - fall('validation', b));
  const weights = blend(generalisation, overfitting, (share) => Math.max(LEAST_WEIGHT, share));
  return { weights, generalisation, overfitting };
}

function bySlopes(history: readonly BranchLosses[]): BranchWeights {
  const branches = branchesOf(history);
  const generalisation = new Array<number>(branches).fill(0);
  const overfitting = new Array<number>(branches).fill(0);
  for (let b = 0; b < branches; b++) {
    const train = smoothed(history.map((losses) => losses.train[b] ?? 0));
    const validation = smoothed(history.map((losses) => losses.validation[b] ?? 0));
    let steepest: { t: number; v: number } | null = null;
    for (let end = WARM_UP.slopes; end < history.length; end++) {
      const [t, v] = [slope(train, end), slope(validation, end)];
      generalisation[b] = steepest === null ? 0 : v - steepest.v;
      overfitting[b] = steepest === null ? 0 : v - t - (steepest.v - steepest.t);
      if (steepest === null || v < steepest.v) steepest = { t, v };
    }
  }
  const weights = blend(generalisation, overfitting, (share) =>
    share > 0 ? Math.max(LEAST_OF_SLOPES, share) : 0,
  );
  return { weights, generalisation, overfitting };
}

/** Mean of the last {@link WINDOW} values, or of as many as there are. */
function smoothed(values: readonly number[]): number[] {
  return values.map((_, i) => {
    const last = values.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return last.reduce((a, b) => a + b, 0) / last.length;
  });
}

/** Least-squares slope of the {@link WINDOW} values up to `end`, per evaluation. */
function slope(values: readonly number[], end: number): number {
  const last = values.slice(Math.max(0, end + 1 - WINDOW), end + 1);
  const middle = (last.length - 1) / 2;
  const mean = last.reduce((a, b) => a + b, 0) / last.length;
  let [products, squares] = [0, 0];
  last.forEach((value, i) => {
    products += (i - middle) * (value - mean);
    squares += (i - middle) ** 2;
  });
  return products / squares;
}

function equal(branches: number): BranchWeights {
  const zeros = (): number[] => new Array<number>(branches).fill(0);
  return { weights: zeros().map(() => 1 / branches), generalisation: zeros(), overfitting: zeros() };
}

function branchesOf(history: readonly BranchLosses[]): number {
  return history[0]?.train.length ?? 0;
}

/**
 * Whether a branch overfits at the end of a training: over the last {@link WINDOW} evaluations it got better at what it
 * learns from, and worse at what it does not.
 */
export function isOverfitting(history: readonly BranchLosses[], branch: number): boolean {
  const now = history.at(-1);
  const before = history[Math.max(0, history.length - 1 - WINDOW)];
  if (!now || !before || history.length <= WARM_UP.losses) return false;
  const fell = (of: 'train' | 'validation'): number => (before[of][branch] ?? 0) - (now[of][branch] ?? 0);
  return fell('train') > 0 && fell('validation') < 0;
}
