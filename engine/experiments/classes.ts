import type { TrainRequest } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { LabelledTrack } from '../library/experiments.ts';

export interface ClassChoice {
  /** Sorted by name, so that they do not depend on the order of the tracks. */
  classes: string[];
  /** Left out because fewer tracks than `minimumTracks` carry them. */
  droppedClasses: string[];
  tracks: LabelledTrack[];
}

type ChoosingParameters = Pick<TrainRequest, 'task' | 'minimumTracks'> &
  Partial<Pick<TrainRequest, 'classes' | 'others'>>;

/** What the class of everything else is called. */
function nameOfRest(classes: readonly string[]): string {
  const name = `not ${classes.join(' or ')}`;
  return name.length <= 100 ? name : 'the others';
}

/**
 * Chooses the classes of an experiment and the tracks that take part: those ready to be used, in the given order, that
 * carry at least one class.
 * @param trackIds tracks with embeddings.
 * @param labelsets labels per track, the first one being the class of a single-label task.
 * @throws EngineError `too-few-labels` when fewer than two classes have enough tracks.
 */
export function chooseClasses(
  trackIds: readonly string[],
  labelsets: ReadonlyMap<string, readonly string[]>,
  { task, minimumTracks, classes: wanted = null, others }: ChoosingParameters,
): ClassChoice {
  if (wanted !== null && others === 'one-class' && task === 'multi')
    throw new EngineError(
      'bad-input',
      'Of several labels each is learned against all others anyway.',
      'Leave the other labels out, or train one class a track.',
    );
  const labelsOf = (id: string): readonly string[] => {
    const all = labelsets.get(id) ?? [];
    const labels = task === 'single' ? all.slice(0, 1) : all;
    if (wanted === null || labels.length === 0) return labels;
    const own = labels.filter((label) => wanted.includes(label));
    return own.length === 0 && others === 'one-class' ? [nameOfRest(wanted)] : own;
  };
  const counts = new Map<string, number>();
  for (const id of trackIds) {
    for (const label of new Set(labelsOf(id))) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const names = [...counts.keys()].sort();
  const classes = names.filter((name) => (counts.get(name) ?? 0) >= minimumTracks);
  const droppedClasses = names.filter((name) => (counts.get(name) ?? 0) < minimumTracks);
  if (classes.length < 2) throw tooFewLabels(counts, classes, minimumTracks);
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const tracks = trackIds
    .map((id) => ({
      id,
      labels: [...new Set(labelsOf(id))].flatMap((label) => indexOf.get(label) ?? []).sort((a, b) => a - b),
    }))
    .filter((track) => track.labels.length > 0);
  return { classes, droppedClasses, tracks };
}

function tooFewLabels(
  counts: ReadonlyMap<string, number>,
  classes: readonly string[],
  minimumTracks: number,
): EngineError {
  if (counts.size === 0)
    return new EngineError(
      'too-few-labels',
      'No track that is ready has a label in this taxonomy.',
      'Import the library first, then choose another taxonomy or label tracks by hand.',
    );
  const largest = [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 5)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');
  const found = classes.length === 0 ? 'No class has' : 'Only one class has';
  return new EngineError(
    'too-few-labels',
    `${found} at least ${minimumTracks} labelled ${minimumTracks === 1 ? 'track that is' : 'tracks that are'} ready; two are needed. ` +
      `Labelled tracks per class: ${largest}${counts.size > 5 ? ', …' : ''}.`,
    'Label more tracks, choose another taxonomy, or lower the minimum of tracks per class.',
  );
}
