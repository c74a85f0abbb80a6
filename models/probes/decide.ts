import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { NumericError } from '../numerics/errors.ts';
import type { ProbeTask } from './gradient-graph.ts';

/** Answers about the tracks of a set, in their order: `scores [tracks, L]` in 0…1, `labels [tracks, L]` of 0/1. */
export interface Answers {
  scores: Float64Array;
  labels: Uint8Array;
}

/** The best-scored label, or all from ½ on. @throws NumericError for scores of a training that went astray */
export function decide(
  scores: Float64Array,
  { labelNames }: Pick<LabelledWindows, 'labelNames'>,
  task: ProbeTask,
): Answers {
  const width = labelNames.length;
  if (!scores.every(Number.isFinite))
    throw new NumericError(
      'not-finite',
      'A probe gave scores that are no numbers.',
      'Give it a smaller learning rate, or use another one.',
    );
  const labels = new Uint8Array(scores.length);
  if (task === 'multi') scores.forEach((score, i) => (labels[i] = score >= 0.5 ? 1 : 0));
  else
    for (let row = 0; row < scores.length; row += width) {
      const own = scores.subarray(row, row + width);
      labels[row + own.indexOf(Math.max(...own))] = 1;
    }
  return { scores, labels };
}
