import type { Contribution, Explanation } from '../../../engine/api/classify.ts';

/** What of an explanation is drawn. */
export type Explained = Pick<Explanation, 'class' | 'bias' | 'logit' | 'contributions'> &
  Partial<Pick<Explanation, 'views'>>;

export interface WaterfallStep {
  key: string;
  kind: 'bias' | 'prototype' | 'rest';
  contribution: Contribution | null;
  /** How many prototypes a `rest` step stands for. */
  count: number;
  value: number;
  /** Running sum before and after this step. */
  from: number;
  to: number;
}

export interface Waterfall {
  steps: WaterfallStep[];
  /** bias + Σ contributions, added up here and not taken from the engine. */
  sum: number;
  /** |sum − logit|. */
  deviation: number;
  /** Smallest and largest running sum, 0 included. */
  low: number;
  high: number;
}

/** The explanation holds to this; anything above is an error and shown as one. */
export const tolerance = 1e-5;

/** The axis that several explanations share: 0 and every running sum of each lie on it. */
export function sharedRange(explanations: readonly Explained[]): { low: number; high: number } {
  const all = explanations.map((explanation) => waterfall(explanation, Infinity));
  return {
    low: Math.min(0, ...all.map(({ low }) => low)),
    high: Math.max(0, ...all.map(({ high }) => high)),
  };
}

/** Lays the contributions out as steps that lead from 0 to the logit; beyond `limit` prototypes the rest is one step. */
export function waterfall(explanation: Explained, limit: number): Waterfall {
  const ranked = [...explanation.contributions].sort(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
  );
  // One prototype more needs no more room than “1 other prototype”.
  const shown = ranked.length <= limit + 1 ? ranked : ranked.slice(0, limit);
  const rest = ranked.slice(shown.length);
  const parts: Omit<WaterfallStep, 'from' | 'to'>[] = [
    { key: 'bias', kind: 'bias', contribution: null, count: 0, value: explanation.bias },
    ...shown.map((contribution) => ({
      key: `p${String(contribution.prototype)}`,
      kind: 'prototype' as const,
      contribution,
      count: 1,
      value: contribution.contribution,
    })),
  ];
  if (rest.length > 0) {
    parts.push({
      key: 'rest',
      kind: 'rest',
      contribution: null,
      count: rest.length,
      value: rest.reduce((total, item) => total + item.contribution, 0),
    });
  }
  let running = 0;
  const steps = parts.map((part) => {
    const from = running;
    running += part.value;
    return { ...part, from, to: running };
  });
  const ends = [0, explanation.logit, ...steps.map((step) => step.to)];
  return {
    steps,
    sum: running,
    deviation: Math.abs(running - explanation.logit),
    low: Math.min(...ends),
    high: Math.max(...ends),
  };
}
