import type { TrackScores } from '../evaluation/metrics/track-scores.ts';

/** What a network did on the validation tracks after some steps; `loss` is over windows. */
export type Validation = TrackScores & { loss: number };

/**
 * Which of the networks that were validated while training is kept. Each rule gives the newest of them a standing, the
 * lower the better; where two are equal the next number decides, and after the last one the earlier network stays.
 */
export const keepRules = {
  /** Lowest loss on the validation windows. */
  loss: ({ loss }) => [loss],
  /** Most tracks right (multilabel: highest micro F1), then the lowest loss. */
  accuracy: ({ accuracy, f1Micro, loss }) => [-(f1Micro ?? accuracy), loss],
  /** Lowest mean loss of three validations in a row, the last of which is kept. */
  smoothed: (_, seen) => [mean(seen.slice(-3).map(({ loss }) => loss))],
  /** The end of the run. */
  last: (_, seen) => [-seen.length],
} as const satisfies Record<string, (newest: Validation, seen: readonly Validation[]) => number[]>;

export type KeepRule = keyof typeof keepRules;

/** Whether a standing is better than another. */
export function isBetter(standing: readonly number[], than: readonly number[] | undefined): boolean {
  if (!than) return true;
  const place = standing.findIndex((value, i) => value !== than[i]);
  return place >= 0 && (standing[place] ?? 0) < (than[place] ?? 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
