import type { StoredMistake } from '../library/mistakes.ts';

/** A mistake that is not about a label that was judged. */
export function plain(
  tab: StoredMistake['tab'],
  trackId: string,
  more: Partial<StoredMistake> & { reason: string },
): StoredMistake {
  return {
    id: `${tab}:${trackId}:${more.given ?? ''}`,
    ...{ tab, trackId, given: null, suggested: null, margin: null, confidence: null, neighbours: [] },
    ...{ fold: null, nearestGiven: null, nearestSuggested: null, others: [] },
    ...more,
  };
}
