import { Pacer } from '../../models/numerics/pacer.ts';
import { changeOfView } from '../../models/views/edit-view.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import { argmax } from '../classify/network-scores.ts';
import { viewedTracks, type ViewedTrack } from '../experiments/viewed-tracks.ts';
import type { Experiment } from '../api/experiments.ts';
import type { Library } from '../library/library.ts';
import type { TrackLogits } from '../library/vectors.ts';
import type { WorkedOut } from './edit.ts';

/** What is predicted for tracks, in this order, before and after an edit. */
export interface PreviewAnswers {
  trackIds: readonly string[];
  rowOf: ReadonlyMap<string, number>;
  before: TrackLogits;
  after: TrackLogits;
}

/**
 * Logits of the tracks that an experiment of several views sees, before and after an edit of one of them. Logits are a sum over
 * prototypes: only those that differ are compared with windows again.
 * @throws the signal's reason
 */
export async function viewedAnswers(
  library: Library,
  { experiment, network, part, edited }: WorkedOut & { network: ViewNetwork },
  signal: AbortSignal,
): Promise<PreviewAnswers> {
  const { tracks, before } = await presentAnswers(library, experiment, network, signal);
  const trackIds = tracks.map(({ trackId }) => trackId);
  const rowOf = new Map(trackIds.map((id, row) => [id, row]));
  const after = edited.network;
  if (!(after instanceof ViewNetwork)) return { trackIds, rowOf, before, after: before };
  const C = network.classes.length;
  const view = part.view ?? 0;
  const change = changeOfView(network, after, view);
  const logits = before.logits.slice();
  const pacer = new Pacer(signal);
  for (const [row, { vectors, count }] of tracks.entries()) {
    const own = vectors[view];
    if (own && change.network === null) continue;
    const added =
      own && change.network ? change.network.logits(network.standardise(view, own), count) : change.lacking;
    if (pacer.due((own?.length ?? C) * (change.network?.prototypeCount ?? 1))) await pacer.pause();
    const share = own ? 1 / count : 1;
    added.forEach((value, i) => {
      const at = row * C + (i % C);
      logits[at] = (logits[at] ?? 0) + share * value;
    });
  }
  const tops = Uint16Array.from(trackIds, (_, row) => argmax(logits.subarray(row * C, (row + 1) * C)));
  return { trackIds, rowOf, before, after: { logits, tops } };
}

/** The tracks that an experiment of several views sees, and what its present revision says of them. @throws the signal's reason */
export async function presentAnswers(
  library: Library,
  experiment: Experiment,
  network: ViewNetwork,
  signal: AbortSignal,
): Promise<{ tracks: ViewedTrack[]; before: TrackLogits }> {
  const spaces = (experiment.views?.views ?? []).map(({ space }) => space);
  const tracks = viewedTracks(library, spaces);
  // Made anew whenever embeddings of any space change.
  const before = await library.embeddings
    .madeIn(experiment.space, 'This experiment')
    .trackLogits(`${experiment.id} ${experiment.revision}`, () => logitsOf(network, tracks, signal));
  return { tracks, before };
}

async function logitsOf(
  network: ViewNetwork,
  tracks: readonly ViewedTrack[],
  signal: AbortSignal,
): Promise<TrackLogits> {
  const C = network.classes.length;
  const logits = new Float32Array(tracks.length * C);
  const tops = new Uint16Array(tracks.length);
  const pacer = new Pacer(signal);
  for (const [row, { vectors, count }] of tracks.entries()) {
    const size = vectors.reduce((sum, own) => sum + (own?.length ?? 0), 0);
    if (pacer.due(size * network.prototypeCount)) await pacer.pause();
    const answer = network.classify(vectors, count);
    logits.set(answer.logits, row * C);
    tops[row] = answer.prediction;
  }
  return { logits, tops };
}
