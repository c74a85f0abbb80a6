import { Pacer } from '../../models/numerics/pacer.ts';
import { columnsOf, withColumns } from '../../models/pecmae/columns.ts';
import { difference } from '../../models/pecmae/edits.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import type { Experiment, Metrics } from '../api/experiments.ts';
import type { EditPreview, Flip } from '../api/prototypes.ts';
import { argmax } from '../classify/network-scores.ts';
import { scoreSplits } from '../experiments/metrics.ts';
import { tracksOf } from '../experiments/track-windows.ts';
import type { AnyNetwork, SplitTrack } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import { predictedLabels, type TrackPrediction } from '../library/predictions.ts';
import type { LibraryVectors, TrackLogits } from '../library/vectors.ts';
import { workOut, type EditRequest } from './edit.ts';
import { viewedAnswers, type PreviewAnswers } from './preview-views.ts';

/** Flips that are told of; the rest is counted. */
const MOST_FLIPS = 200;
/** Work of two probabilities and what is predicted by them, for the pacer. */
const FLIP_UNITS = 32;

/**
 * What an edit would do. Logits are linear in the similarities to prototypes, so those of the present revision are kept
 * and only what the edit changes is added to them.
 * @throws EngineError as {@link workOut}; `other-space`; the signal's reason
 */
export async function previewEdit(
  library: Library,
  request: EditRequest,
  signal: AbortSignal,
): Promise<EditPreview> {
  const { experiment, network, part, edited } = await workOut(library, request, signal);
  const { trackIds, before, after } =
    network instanceof ViewNetwork
      ? await viewedAnswers(library, { experiment, network, part, edited }, signal)
      : await answersOf(library, experiment, network, edited.network, signal);
  const tracks = library.experiments.tracksOf(experiment.id);
  // A person chooses by this: test tracks that chose can no longer report.
  const split = ['validation', 'test', 'train'].find((name) => tracks.some((t) => t.split === name)) ?? '';
  const scored = tracks.filter((track) => track.split === split);
  const rowOf = new Map(trackIds.map((id, row) => [id, row]));
  const answers = [before, after].map((logits) => new Answers(experiment, network, logits));
  const [was, willBe] = answers.map((answer) =>
    scoreSplits(scored, answer.predictions(scored, rowOf), experiment.classes, experiment.thresholds).at(0),
  );
  const flips = await flipsOf(experiment, trackIds, tracks, answers, signal);
  return {
    ...{ change: edited.change, revision: experiment.revision, split },
    ...changes(was, willBe),
    flipped: flips.length,
    flips: flips
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MOST_FLIPS)
      .map((flip) => ({ ...flip, ...library.tracks.nameOf(flip.trackId) })),
  };
}

/** Logits of the tracks that an experiment of one space sees, before and after an edit. */
async function answersOf(
  library: Library,
  experiment: Experiment,
  network: PrototypeNetwork,
  edited: AnyNetwork,
  signal: AbortSignal,
): Promise<PreviewAnswers> {
  const vectors = library.embeddings.madeIn(experiment.space, 'This experiment');
  const before = await presentLogits(experiment, network, vectors, signal);
  const after =
    edited instanceof ViewNetwork ? before : await changedLogits(network, edited, before, vectors, signal);
  return { trackIds: vectors.windows.trackIds, before, after };
}

/** What the present revision says of every track. */
function presentLogits(
  { id, revision }: Experiment,
  network: PrototypeNetwork,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<TrackLogits> {
  return vectors.trackLogits(`${id} ${revision}`, async () => {
    const tracks = await tracksOf(vectors, signal);
    const C = network.data.classes.length;
    const logits = new Float32Array(tracks.length * C);
    const tops = new Uint16Array(tracks.length);
    const pacer = new Pacer(signal);
    let compared = 0;
    const columns = await vectors.similarities.of(network, tracks, async () => {
      const units = (tracks[compared++]?.count ?? 0) * vectors.windows.dim * network.prototypeCount;
      if (pacer.due(units)) await pacer.pause();
    });
    for (const row of tracks.keys()) {
      if (pacer.due(columns.length * C)) await pacer.pause();
      const answer = network.classifyMean(columns.map((column) => column[row] ?? 0));
      logits.set(answer.logits, row * C);
      tops[row] = answer.prediction;
    }
    return { logits, tops };
  });
}

/** The same of an edited network: only prototypes that differ are compared with windows. */
async function changedLogits(
  before: PrototypeNetwork,
  after: PrototypeNetwork,
  { logits, tops }: TrackLogits,
  vectors: LibraryVectors,
  signal: AbortSignal,
): Promise<TrackLogits> {
  const { columns } = difference(before, after);
  const stay = new Set(columns.filter((column) => typeof column === 'number'));
  const gone = columnsOf(before)
    .filter((_, j) => !stay.has(j))
    .map((column) => ({ ...column, weights: column.weights.map((weight) => -weight) }));
  const come = columns.filter((column) => typeof column === 'object');
  const changed = [...gone, ...come];
  if (changed.length === 0) return { logits, tops };
  const C = before.data.classes.length;
  const tracks = await tracksOf(vectors, signal);
  const { dim } = vectors.windows;
  const pacer = new Pacer(signal);
  let compared = 0;
  const similarities = await vectors.similarities.of(withColumns(before, changed), tracks, async () => {
    if (pacer.due((tracks[compared++]?.count ?? 0) * dim * changed.length)) await pacer.pause();
  });
  // Weights of the same prototype before and after cancel where the edit left them alone.
  const weights = new Map<Float32Array, Float64Array>();
  for (const [i, column] of changed.entries()) {
    const similarity = similarities[i];
    if (!similarity) continue;
    const sum = weights.get(similarity) ?? new Float64Array(C);
    column.weights.forEach((weight, c) => (sum[c] = (sum[c] ?? 0) + weight));
    weights.set(similarity, sum);
  }
  const next = logits.slice();
  for (const [similarity, sums] of weights) {
    const touched = [...sums.keys()].filter((c) => sums[c] !== 0);
    // By rows, as the logits lie: with hundreds of classes a column of them is a cache line for each number.
    for (let row = 0; row < tracks.length; row++) {
      if (pacer.due(touched.length)) await pacer.pause();
      for (const c of touched)
        next[row * C + c] = (next[row * C + c] as number) + (sums[c] as number) * (similarity[row] as number);
    }
  }
  const nextTops = Uint16Array.from(tops, (_, row) => argmax(next.subarray(row * C, (row + 1) * C)));
  return { logits: next, tops: nextTops };
}

/** What logits say of tracks: one class, or labels by thresholds. */
class Answers {
  readonly #experiment: Experiment;
  readonly #network: AnyNetwork;
  readonly #logits: TrackLogits;

  constructor(experiment: Experiment, network: AnyNetwork, logits: TrackLogits) {
    this.#experiment = experiment;
    this.#network = network;
    this.#logits = logits;
  }

  /** Indices of what is predicted for a row, in the order of the classes. */
  of(row: number): number[] {
    const { thresholds } = this.#experiment;
    if (thresholds === null) return [this.#logits.tops[row] ?? 0];
    return predictedLabels(this.#probabilities(row), thresholds).sort((a, b) => a - b);
  }

  predictions(
    tracks: readonly SplitTrack[],
    rowOf: ReadonlyMap<string, number>,
  ): Map<string, TrackPrediction> {
    const several = this.#experiment.thresholds !== null;
    return new Map(
      tracks.flatMap(({ id: trackId }) => {
        const row = rowOf.get(trackId);
        if (row === undefined) return [];
        const probabilities = several ? this.#probabilities(row) : new Float32Array();
        return [[trackId, { trackId, top: this.#logits.tops[row] ?? 0, probabilities }]];
      }),
    );
  }

  #probabilities(row: number): Float32Array {
    const C = this.#experiment.classes.length;
    return this.#network.probabilities(this.#logits.logits.subarray(row * C, (row + 1) * C));
  }
}

async function flipsOf(
  { classes }: Experiment,
  trackIds: readonly string[],
  tracks: readonly SplitTrack[],
  [before, after]: readonly Answers[],
  signal: AbortSignal,
): Promise<Omit<Flip, 'title' | 'path'>[]> {
  const truths = new Map(tracks.map(({ id, labels }) => [id, labels]));
  const names = (labels: readonly number[]): string[] => labels.map((label) => classes[label] ?? '');
  const flips: Omit<Flip, 'title' | 'path'>[] = [];
  const pacer = new Pacer(signal);
  for (const [row, trackId] of trackIds.entries()) {
    if (pacer.due(FLIP_UNITS * classes.length)) await pacer.pause();
    const [was, willBe] = [before?.of(row) ?? [], after?.of(row) ?? []];
    if (was.join() === willBe.join()) continue;
    const truth = [...(truths.get(trackId) ?? [])].sort((a, b) => a - b);
    const right = truth.join() === willBe.join();
    const wasRight = truth.join() === was.join();
    const becomes = truth.length === 0 || right === wasRight ? null : right ? 'right' : 'wrong';
    flips.push({ trackId, truth: names(truth), before: names(was), after: names(willBe), becomes });
  }
  return flips;
}

/** What gets worse first. */
function rank({ becomes }: Pick<Flip, 'becomes'>): number {
  return becomes === 'wrong' ? 0 : becomes === 'right' ? 1 : 2;
}

function changes(
  before: Metrics | undefined,
  after: Metrics | undefined,
): Pick<EditPreview, 'accuracy' | 'balancedAccuracy' | 'macroF1' | 'perClass'> {
  const change = (key: 'accuracy' | 'balancedAccuracy' | 'macroF1') => ({
    before: before?.[key] ?? 0,
    after: after?.[key] ?? 0,
  });
  const f1 = new Map(after?.perClass.map((report) => [report.class, report.f1]));
  return {
    accuracy: change('accuracy'),
    balancedAccuracy: change('balancedAccuracy'),
    macroF1: change('macroF1'),
    perClass: (before?.perClass ?? []).flatMap((report) => {
      const now = f1.get(report.class) ?? 0;
      return now === report.f1 ? [] : [{ class: report.class, before: report.f1, after: now }];
    }),
  };
}
