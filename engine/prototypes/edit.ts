import { applyEdit } from '../../models/pecmae/edits.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { EngineError } from '../api/errors.ts';
import type { Experiment } from '../api/experiments.ts';
import type { PrototypeEdit } from '../api/prototypes.ts';
import type { Revision } from '../experiments/revise.ts';
import { keepAsNew, revise } from '../experiments/revise.ts';
import type { Library } from '../library/library.ts';
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
  network: PrototypeNetwork;
  edited: Revision & { network: PrototypeNetwork };
}

/**
 * Works an edit out, without making it.
 * @throws EngineError `not-found`; `busy` when the experiment is at another revision than was looked at; `other-space` for a
 * vector of another space; `bad-input` for a prototype that cannot be split. PrototypeError as `applyEdit`
 */
export async function workOut(
  library: Library,
  { experimentId, revision, edit }: EditRequest,
  signal: AbortSignal,
): Promise<WorkedOut> {
  const experiment = library.experiments.get(experimentId);
  sameRevision(experiment, revision);
  const network = library.experiments.network(experimentId, experiment.revision);
  const change = editInWords(network, edit);
  const after = applyEdit(network, await resolveEdit(library, experiment, network, edit, signal));
  const { thresholds } = experiment;
  return { experiment, network, edited: { change, network: after, thresholds, edit } };
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
