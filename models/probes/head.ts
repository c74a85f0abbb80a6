import { meanByTrack } from '../embeddings/pooling.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { decide, type Answers } from './decide.ts';
import type { ProbeTask } from './gradient-graph.ts';

/** A classifier that was published with a backbone: nothing is learned of the tracks at hand. */
export interface HeadSettings {
  kind: 'head';
  /** Id of a head of the pack; null: the tags of the pack itself. */
  head: string | null;
  /** Labels by the class that says them; a class that is not named says the label of its own name. */
  mapping: Readonly<Record<string, string>>;
}

export const headTitle = ({ head }: HeadSettings): string =>
  head === null ? 'its own tags' : `head ${head}`;

/**
 * Which class says which label: by the mapping, else by its name, whatever its case.
 * @returns `[classes]`, each the number of a label; −1 for one that says none
 */
export function labelsOfClasses(
  classes: readonly string[],
  labelNames: readonly string[],
  mapping: HeadSettings['mapping'],
): number[] {
  const lower = labelNames.map((name) => name.toLowerCase());
  return classes.map((name) => {
    const mapped = Object.hasOwn(mapping, name) ? mapping[name] : undefined;
    if (mapped !== undefined) return labelNames.indexOf(mapped);
    const own = labelNames.indexOf(name);
    return own >= 0 ? own : lower.indexOf(name.toLowerCase());
  });
}

/** How far the classes of a softmax may be from adding up to 1, in any precision that heads come in. */
const SUM_TOLERANCE = 0.01;

/**
 * Answers about tracks from what a head said of their windows: the mean of its predictions. Where several classes say one
 * label, shares of one whole are added up; of independent answers (a sigmoid each) the surest speaks, or a label would win by
 * the number of its classes.
 * @param said predictions `[windows, classes]` as features
 * @param labelOf `[classes]`, as {@link labelsOfClasses} gives them
 * @throws NumericError for predictions that are no numbers
 */
export function headAnswers(said: LabelledWindows, labelOf: readonly number[], task: ProbeTask): Answers {
  const { features, dim, labelNames, tracks } = said;
  const means = meanByTrack(features, dim, tracks.of, tracks.ids.length);
  const width = labelNames.length;
  const shares = task === 'single' && tracks.ids.every((_, track) => addsUp(means, track, dim));
  const scores = new Float64Array(tracks.ids.length * width);
  labelOf.forEach((label, c) => {
    if (label < 0) return;
    for (let track = 0; track < tracks.ids.length; track++) {
      const at = track * width + label;
      const value = means[track * dim + c] ?? NaN;
      scores[at] = shares ? (scores[at] ?? 0) + value : Math.max(scores[at] ?? 0, value);
    }
  });
  return decide(scores, said, task);
}

function addsUp(means: ArrayLike<number>, track: number, dim: number): boolean {
  let sum = 0;
  for (let c = 0; c < dim; c++) sum += means[track * dim + c] ?? NaN;
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}
