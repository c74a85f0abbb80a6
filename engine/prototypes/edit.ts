import { applyEdit } from '../../models/pecmae/edits.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { editView } from '../../models/views/edit-view.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { EngineError } from '../api/errors.ts';
import type { Experiment } from '../api/experiments.ts';
import type { PrototypeEdit } from '../api/prototypes.ts';
import type { Revision } from '../experiments/revise.ts';
import { keepAsNew, revise } from '../experiments/revise.ts';
import { tracksOf } from '../experiments/track-windows.ts';
import type { AnyNetwork } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import { partOfView, partsOf, partWith, type NetworkPart } from './parts.ts';
import { resolveEdit } from './resolve.ts';
import { editInWords } from './words.ts';

export interface EditRequest {
  experimentId: string;
  /** The revision that was looked at. */
  revision?: number | undefined;
  edit: PrototypeEdit;
}

/** An edit that was worked out but not made. */
export interface WorkedOut {
  experiment: Experiment;
  /** What was edited. */
  network: AnyNetwork;
  /** The part of it that the edit is about. */
  part: NetworkPart;
  edited: Revision;
}

/**
 * Works an edit out, without making it.
 * @throws EngineError `not-found`; `busy` when the experiment is at another revision than was looked at; `other-space` for a
 * vector of another space; `bad-input` for a prototype that cannot be split; `several-views` for what is not defined with several
 * views. PrototypeError as `applyEdit`
 */
export async function workOut(
  library: Library,
  { experimentId, revision, edit }: EditRequest,
  signal: AbortSignal,
): Promise<WorkedOut> {
  const experiment = library.experiments.get(experimentId);
  sameRevision(experiment, revision);
  const network = library.experiments.anyNetwork(experimentId, experiment.revision);
  const parts = partsOf(experiment, network);
  const part = partOfEdit(experiment, parts, edit);
  const change = editInWords(parts, edit);
  const own = await resolveEdit(library, experiment, part, within(part, edit), signal);
  const after =
    network instanceof ViewNetwork
      ? await editView(network, part.view ?? 0, own, (fresh) =>
          meanSimilarities(library, experiment, part, fresh, signal),
        )
      : applyEdit(network, own);
  const { thresholds } = experiment;
  return { experiment, network, part, edited: { change, network: after, thresholds, edit } };
}

/** The part of an experiment's network that an edit is about. @throws EngineError `not-found`; `several-views` */
function partOfEdit({ views }: Experiment, parts: readonly NetworkPart[], edit: PrototypeEdit): NetworkPart {
  const [first] = parts;
  if (views !== null && edit.kind === 'freeze')
    throw new EngineError(
      'several-views',
      'Prototypes of several views are not frozen: such an experiment is not retrained around them.',
      'Train it anew with other settings, or train in one of its spaces to retrain.',
    );
  if (edit.kind === 'add') {
    if (edit.view !== undefined) return partOfView(parts, edit.view);
    if (views === null && first) return first;
    throw new EngineError(
      'several-views',
      'It is not said to which view the prototype is added.',
      'Name one: each view has prototypes of its own.',
    );
  }
  const indices = edit.kind === 'merge' || edit.kind === 'freeze' ? edit.indices : [edit.index];
  const owners = new Set(indices.map((index) => partWith(parts, index)));
  const [owner] = owners;
  if (owner && owners.size === 1) return owner;
  throw new EngineError(
    'several-views',
    'Prototypes of different views cannot be merged: nothing lies between their spaces.',
    'Choose prototypes of one view.',
  );
}

/** An edit with its prototypes counted as a part counts them. */
function within({ first }: NetworkPart, edit: PrototypeEdit): PrototypeEdit {
  if (edit.kind === 'add') return edit;
  if (edit.kind === 'merge' || edit.kind === 'freeze')
    return { ...edit, indices: edit.indices.map((index) => index - first) };
  return { ...edit, index: edit.index - first };
}

/** `[K]`: how similar the training windows of a view are to prototypes, in the mean. */
async function meanSimilarities(
  library: Library,
  experiment: Experiment,
  { space, prepare }: NetworkPart,
  network: PrototypeNetwork,
  signal: AbortSignal,
): Promise<Float32Array> {
  const K = network.prototypeCount;
  const training = new Set(
    library.experiments.tracksOf(experiment.id).flatMap(({ id, split }) => (split === 'train' ? [id] : [])),
  );
  const sums = new Float64Array(K);
  let windows = 0;
  const pacer = new Pacer(signal);
  const embedded = library.embeddings.madeIn(space, 'This experiment');
  for (const track of await tracksOf(embedded, signal)) {
    const { trackId, count } = track;
    if (!training.has(trackId)) continue;
    if (pacer.due(count * embedded.windows.dim * K)) await pacer.pause();
    network
      .similarities(prepare(track.vectors), count)
      .forEach((value, i) => (sums[i % K] = (sums[i % K] ?? 0) + value));
    windows += count;
  }
  return Float32Array.from(sums, (sum) => (windows === 0 ? 0 : sum / windows));
}

/** @throws EngineError `busy` when the experiment is at another revision than was looked at */
export function sameRevision({ name, revision }: Experiment, lookedAt: number | undefined): void {
  if (lookedAt === undefined || lookedAt === revision) return;
  throw new EngineError(
    'busy',
    `“${name}” was edited meanwhile: it is at revision ${revision}, not ${lookedAt}.`,
    'Look at it as it is now, then edit again.',
  );
}

/** Makes an edit: a new revision. @throws as {@link workOut}; EngineError `busy` when another edit came first */
export async function makeEdit(
  library: Library,
  request: EditRequest,
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment, edited } = await workOut(library, request, signal);
  return revise(library, experiment, edited, signal);
}

/** Makes an edit of a copy of the experiment. @throws as {@link workOut} */
export async function keepEdit(
  library: Library,
  request: EditRequest,
  signal: AbortSignal,
): Promise<Experiment> {
  const { experiment, edited } = await workOut(library, request, signal);
  return keepAsNew(library, experiment, edited, signal);
}
