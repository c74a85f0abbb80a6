import { Pacer } from '../../models/numerics/pacer.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import type { Experiment, Metrics } from '../api/experiments.ts';
import type { EditPreview, Flip } from '../api/prototypes.ts';
import { scoreSplits } from '../experiments/metrics.ts';
import { changedLogits, trackLogitsOf } from '../experiments/track-logits.ts';
import type { AnyNetwork, SplitTrack } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import { predictedLabels, type TrackPrediction } from '../library/predictions.ts';
import type { TrackLogits } from '../library/vectors.ts';
import { workOut, type EditRequest } from './edit.ts';
import { presentAnswers, viewedAnswers, type PreviewAnswers } from './preview-views.ts';

/** Flips that are told of; the rest is counted. */
const MOST_FLIPS = 200;
/** Of one class nothing is asked but which it is. */
const NO_PROBABILITIES = new Float32Array();
/** Rows that are compared without looking at the clock. */
const ROWS_AT_ONCE = 64;
/** Work of two probabilities and what is predicted by them, for the pacer. */
const FLIP_UNITS = 32;

/**
 * What an edit would do: what the present revision says of every track is kept, and only what the edit changes is added.
 * @throws EngineError as {@link workOut}; `other-space`; the signal's reason
 */
export async function previewEdit(
  library: Library,
  request: EditRequest,
  signal: AbortSignal,
): Promise<EditPreview> {
  const { experiment, network, part, edited } = await workOut(library, request, signal);
  const { trackIds, rowOf, before, after } =
    network instanceof ViewNetwork
      ? await viewedAnswers(library, { experiment, network, part, edited }, signal)
      : await answersOf(library, experiment, network, edited.network, signal);
  const tracks = library.experiments.tracksOf(experiment.id);
  // A person chooses by this: test tracks that chose can no longer report.
  const split = ['validation', 'test', 'train'].find((name) => tracks.some((t) => t.split === name)) ?? '';
  const scored = tracks.filter((track) => track.split === split);
  const answerOf = (logits: TrackLogits) => new Answers(experiment, network, logits);
  const answers = [answerOf(before), answerOf(after)] as const;
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

/**
 * Works out what the present revision says of every track, which previews start from.
 * @throws EngineError `not-found`; `other-space`; the signal's reason
 */
export async function preparePreviews(
  library: Library,
  experimentId: string,
  signal: AbortSignal,
): Promise<void> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.anyNetwork(experimentId, experiment.revision);
  if (network instanceof ViewNetwork) await presentAnswers(library, experiment, network, signal);
  else
    await trackLogitsOf(network, library.embeddings.madeIn(experiment.space, 'This experiment'), { signal });
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
  const before = await trackLogitsOf(network, vectors, { signal });
  const after =
    edited instanceof ViewNetwork ? before : await changedLogits(network, edited, before, vectors, signal);
  return { trackIds: vectors.windows.trackIds, rowOf: vectors.rowOfTrack, before, after };
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

  /** Rows from `first` to before `end` for which another one predicts something else. */
  differing(other: Answers, first: number, end: number): number[] {
    const [own, others] = [this.#logits.tops, other.#logits.tops];
    const several = this.#experiment.thresholds !== null;
    const rows: number[] = [];
    for (let row = first; row < end; row++)
      if (several ? this.of(row).join() !== other.of(row).join() : own[row] !== others[row]) rows.push(row);
    return rows;
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
        const probabilities = several ? this.#probabilities(row) : NO_PROBABILITIES;
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
  [before, after]: readonly [Answers, Answers],
  signal: AbortSignal,
): Promise<Omit<Flip, 'title' | 'path'>[]> {
  const rows: number[] = [];
  const pacer = new Pacer(signal);
  for (let first = 0; first < trackIds.length; first += ROWS_AT_ONCE) {
    if (pacer.due(ROWS_AT_ONCE * FLIP_UNITS * classes.length)) await pacer.pause();
    rows.push(...before.differing(after, first, Math.min(trackIds.length, first + ROWS_AT_ONCE)));
  }
  const flipped = new Set(rows.map((row) => trackIds[row]));
  const truths = new Map(
    tracks.flatMap(({ id, labels }) => (flipped.has(id) ? [[id, labels] as const] : [])),
  );
  const names = (labels: readonly number[]): string[] => labels.map((label) => classes[label] ?? '');
  const flips: Omit<Flip, 'title' | 'path'>[] = [];
  for (const row of rows) {
    if (pacer.due(FLIP_UNITS * classes.length)) await pacer.pause();
    const trackId = trackIds[row] ?? '';
    const [was, willBe] = [before.of(row), after.of(row)];
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
