import type { ListeningRound, ListeningScore, ListeningSummary } from '../../../engine/api/listening.ts';
import { percent } from '../ui/format.ts';

/** What is asked, and what the answers are called where the question itself does not name them. */
export const questions: Record<ListeningRound['kind'], { ask: string; answers: readonly string[] }> = {
  class: { ask: 'Which class is this?', answers: [] },
  real: { ask: 'Which is the real excerpt?', answers: ['the first sound', 'the second sound'] },
  abx: { ask: 'Is X the sound A or the sound B?', answers: ['X is A', 'X is B'] },
};

/** “8 of 10, 80.0 % (49.0–94.3 %), by chance 20.0 %” */
export function scoreInWords({ answered, right, share, low, high, chance }: ListeningScore): string {
  if (share === null) return 'nothing answered';
  return `${String(right)} of ${String(answered)}, ${percent(share)} (${percent(low)}–${percent(high)}), by chance ${percent(chance)}`;
}

/** The figure of all questions of a kind. */
export function overall({ scores }: ListeningSummary, kind: ListeningScore['kind']): ListeningScore | null {
  return scores.find((score) => score.kind === kind && score.class === null) ?? null;
}

/** How the sounds of a test were made, in words. */
export function settingsInWords({ settings: { seed, steps, guidance, from } }: ListeningSummary): string {
  const origin = from.origin === 'noise' ? 'noise' : `recording, ${percent(from.share)} noise`;
  return `${origin} · ${String(steps)} steps · guidance ${String(guidance)} · seed ${String(seed)}`;
}
