import type { Pacer } from '../numerics/pacer.ts';

/** Share of a class below which it is no more than "hardly ever confused". */
const LEAST_SHARE = 0.03;
/** Keeps the logarithm of a support of 0 finite. */
const LEAST_SUPPORT = 1e-3;
/** Weight of the unusual against the plain difference; chosen on sounds that are not reported (ADR 22). */
const UNUSUAL = 0.15;

/** What is known of one labelled track. */
export interface Supported {
  /** Number of the class that is given. */
  given: number;
  /** `[C]`, 0 … 1: what network and neighbours say of each class. */
  support: Float64Array;
}

/**
 * How often tracks of one class look like another, `[C, C]`: the mean support for each class (column) over the tracks
 * that bear a class (row). The soft form of the confident joint (Northcutt, Jiang and Chuang 2021, section 3.1).
 * @throws the pacer's
 */
export async function usualConfusions(
  tracks: readonly Supported[],
  classes: number,
  pacer: Pacer,
): Promise<Float64Array> {
  const sums = new Float64Array(classes * classes);
  const counts = new Float64Array(classes);
  for (const { given, support } of tracks) {
    if (pacer.due(8 * classes)) await pacer.pause();
    counts[given] = (counts[given] ?? 0) + 1;
    support.forEach((value, label) => {
      const cell = given * classes + label;
      sums[cell] = (sums[cell] ?? 0) + value;
    });
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[Math.floor(cell / classes)] ?? 1));
}

/**
 * How clearly the given class stands above a rival, −1 … 1: the difference of their support, less a share for a rival
 * that is more likely here than it is for other tracks of the given class. Two classes that sound alike are confused
 * on many tracks, which says little of any of them.
 */
export function classMargin({ given, support }: Supported, rival: number, confusions: Float64Array): number {
  const classes = support.length;
  const [own, other] = [support[given] ?? 0, support[rival] ?? 0];
  const usual = (label: number): number => (confusions[given * classes + label] ?? 0) + LEAST_SHARE;
  const here = Math.log((other + LEAST_SUPPORT) / (own + LEAST_SUPPORT));
  const unusual = here - Math.log(usual(rival) / usual(given));
  return Math.tanh(own - other - UNUSUAL * (unusual - 1));
}
