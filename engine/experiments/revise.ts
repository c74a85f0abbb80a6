import type { Experiment, LabelThreshold } from '../api/experiments.ts';
import { EngineError } from '../api/errors.ts';
import type { PrototypeEdit } from '../api/prototypes.ts';
import { newId } from '../identifier.ts';
import type { Library } from '../library/library.ts';
import type { AnyNetwork, SplitTrack } from '../library/experiments.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { scoreSplits } from './metrics.ts';
import { predictLibrary } from './predict.ts';
import { storeAtOnce } from './store-at-once.ts';

/** The subject of sentences. */
const WHAT = 'This experiment';

/** What a revision of an experiment consists of. */
export interface Revision {
  /** What was done, in words. */
  change: string;
  network: AnyNetwork;
  /** The edit of prototypes that it is. */
  edit?: PrototypeEdit | undefined;
  /** From which probability on labels are predicted; null for a single-label task. */
  thresholds:
    | LabelThreshold[]
    | null
    | ((tracks: SplitTrack[], predictions: ReadonlyMap<string, TrackPrediction>) => LabelThreshold[]);
}

/**
 * Scores an edited network on the experiment's own split, stores it as the newest revision, and predicts every track anew.
 * @param before what was edited
 * @throws EngineError `busy` when another edit came first; `other-space`; the signal's reason
 */
export async function revise(
  library: Library,
  before: Experiment,
  revision: Revision,
  signal: AbortSignal,
): Promise<Experiment> {
  const scored = await scoreRevision(library, before, revision, signal);
  requireSame(library, before);
  return storeAtOnce(library, before.id, scored, () => library.experiments.addRevision(before.id, scored));
}

/**
 * Makes a new experiment of an edited network; the one that was edited stays as it is.
 * @throws EngineError `other-space`; the signal's reason
 */
export async function keepAsNew(
  library: Library,
  before: Experiment,
  revision: Revision,
  signal: AbortSignal,
): Promise<Experiment> {
  const scored = await scoreRevision(library, before, revision, signal);
  const experiment = {
    ...before,
    ...{ id: newId(), name: `${before.name} · ${revision.change}`.slice(0, 200) },
    createdAt: new Date().toISOString(),
  };
  return storeAtOnce(library, experiment.id, scored, () =>
    library.experiments.insert(experiment, scored.tracks, scored),
  );
}

/**
 * Goes along the history of an experiment, or to one of its revisions, and predicts every track anew.
 * @throws EngineError `not-found` where there is no such step; `busy` when an edit came first; `other-space`; the signal's
 * reason
 */
export async function goTo(
  library: Library,
  experimentId: string,
  to: 'undo' | 'redo' | { revision: number },
  signal: AbortSignal,
): Promise<Experiment> {
  const before = library.experiments.get(experimentId);
  const revision = library.experiments.target(experimentId, to);
  const network = library.experiments.anyNetwork(experimentId, revision);
  const predictions = await predictLibrary(library, before, network, { what: WHAT, signal });
  requireSame(library, before);
  // The same revision may stand at another step by now.
  if (library.experiments.target(experimentId, to) !== revision) throw editedMeanwhile(before);
  const tracks = library.experiments.tracksOf(experimentId);
  return storeAtOnce(library, experimentId, { predictions, tracks }, () =>
    library.experiments.move(experimentId, to),
  );
}

async function scoreRevision(
  library: Library,
  before: Experiment,
  { change, network, edit, thresholds: wanted }: Revision,
  signal: AbortSignal,
) {
  const tracks = library.experiments.tracksOf(before.id);
  const predictions = await predictLibrary(library, before, network, { what: WHAT, signal });
  const thresholds = typeof wanted === 'function' ? wanted(tracks, predictions) : wanted;
  const metrics = scoreSplits(tracks, predictions, before.classes, thresholds);
  return { tracks, predictions, change, metrics, network, thresholds, ...(edit && { edit }) };
}

/** The change would be lost without a word, and numbers of prototypes mean others after another one. */
function requireSame(library: Library, before: Experiment): void {
  if (library.experiments.get(before.id).revision !== before.revision) throw editedMeanwhile(before);
}

function editedMeanwhile({ name }: Experiment): EngineError {
  return new EngineError(
    'busy',
    `“${name}” was edited while this edit was worked out; this one was not made.`,
    'Look at it as it is now, then edit again.',
  );
}
