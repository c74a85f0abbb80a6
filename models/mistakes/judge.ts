import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { poolTracks } from '../embeddings/pooling.ts';
import { Pacer } from '../numerics/pacer.ts';
import { classMargin, usualConfusions, type Supported } from './confusions.ts';
import type { OutOfFold } from './out-of-fold.ts';
import {
  jointProbability,
  jointSupport,
  nearestOfOthers,
  nearestTracks,
  NEIGHBOURS,
  neighbourVotes,
  normalisedMargin,
  type TrackNeighbour,
} from './support.ts';

/** Raised with every change of what is judged, or how: reports of another version are told to be old. */
export const SCORES_VERSION = 3;

/** What is thought of one given label, or of one that is not given. */
export interface LabelVerdict {
  /** Number of the track. */
  track: number;
  /** The label in question; null: the track has none. */
  given: number | null;
  /** What to put in its place; null: nothing, the label is to go. */
  suggested: number | null;
  /** −1 … 1: how clearly the given state stands above the suggested one; below 0, it does not. */
  margin: number;
  /** Out-of-fold probability of the label in question: of the given one, or of the one that is missing. */
  confidence: number;
  /** Share of the neighbours that bear the label in question, 0 … 1. */
  agreement: number;
}

/** All labels of a set with what network and neighbours say of them. */
export interface Judgement {
  verdicts: LabelVerdict[];
  /** Of each track, nearest first. */
  neighbours: TrackNeighbour[][];
  /** Tracks whose class nobody outside their own group bears: nothing can be said of them. */
  leftOut: number[];
}

/** In units of {@link Pacer.due}, for each label of a track: votes, support, and what is made of both. */
const WORK_PER_LABEL = 60;

/**
 * Judges every given label from predictions that did not learn from it. Single-label: one verdict a track. Multilabel:
 * one for each label given, and one for each that is not given but likelier there than not.
 * @throws the signal's reason
 */
export async function judgeLabels(
  set: LabelledWindows,
  folds: OutOfFold,
  { task, signal }: { task: 'single' | 'multi'; signal: AbortSignal },
): Promise<Judgement> {
  const pooled = poolTracks(set);
  const neighbours = await nearestOfOthers(pooled, { signal });
  const width = set.labelNames.length;
  const row = <T extends Uint8Array | Float32Array>(cells: T, track: number): T =>
    cells.subarray(track * width, (track + 1) * width) as T;
  const pacer = new Pacer(signal);
  const asked: Asked[] = [];
  for (const [track, near] of neighbours.entries()) {
    if (pacer.due(WORK_PER_LABEL * width)) await pacer.pause();
    asked.push({
      track,
      given: row(pooled.labels, track),
      known: row(folds.known, track),
      probabilities: row(folds.probabilities, track),
      votes: neighbourVotes(near, pooled.labels, width),
    });
  }
  const leftOut = asked
    .filter(({ given, known }) => given.some((value, label) => value === 1 && known[label] !== 1))
    .map(({ track }) => track);
  const found =
    task === 'single'
      ? await judgeClasses(asked, new Set(leftOut), width, pacer)
      : await judgeLabelsets(asked, width, pacer);
  const verdicts = found.map((verdict) => {
    const near = neighbours[verdict.track] ?? [];
    const label = verdict.given ?? verdict.suggested ?? 0;
    const bearing = near.filter((other) => pooled.labels[other.track * width + label] === 1).length;
    return { ...verdict, agreement: bearing / Math.max(1, near.length) };
  });
  return { verdicts, neighbours, leftOut };
}

/** What is known of one track, by label. */
interface Asked {
  track: number;
  given: Uint8Array;
  known: Uint8Array;
  probabilities: Float32Array;
  votes: Float64Array;
}

type Verdict = Omit<LabelVerdict, 'agreement'>;

async function judgeClasses(
  asked: readonly Asked[],
  leftOut: ReadonlySet<number>,
  width: number,
  pacer: Pacer,
): Promise<Verdict[]> {
  const judged: (Asked & { own: Supported })[] = [];
  for (const track of asked) {
    const given = track.given.indexOf(1);
    if (given < 0 || leftOut.has(track.track)) continue;
    if (pacer.due(WORK_PER_LABEL * width)) await pacer.pause();
    judged.push({ ...track, own: { given, support: jointSupport(track.probabilities, track.votes) } });
  }
  const confusions = await usualConfusions(
    judged.map(({ own }) => own),
    width,
    pacer,
  );
  const verdicts: Verdict[] = [];
  for (const { track, known, probabilities, own } of judged) {
    if (pacer.due(WORK_PER_LABEL * width)) await pacer.pause();
    const { given, support } = own;
    const suggested = likeliest(support, (label) => label !== given && known[label] === 1);
    if (suggested < 0) continue;
    const margin = classMargin(own, suggested, confusions);
    verdicts.push({ track, given, suggested, margin, confidence: probabilities[given] ?? 0 });
  }
  return verdicts;
}

async function judgeLabelsets(asked: readonly Asked[], width: number, pacer: Pacer): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const track of asked) {
    if (pacer.due(WORK_PER_LABEL * width)) await pacer.pause();
    verdicts.push(...judgeLabelset(track));
  }
  return verdicts;
}

function judgeLabelset({ track, given, known, probabilities, votes }: Asked): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [label, value] of given.entries()) {
    if (known[label] !== 1) continue;
    const confidence = probabilities[label] ?? 0;
    const there = 2 * jointProbability(confidence, votes[label] ?? 0) - 1;
    if (value === 1) verdicts.push({ track, given: label, suggested: null, margin: there, confidence });
    else if (there > 0) verdicts.push({ track, given: null, suggested: label, margin: -there, confidence });
  }
  return verdicts;
}

function likeliest(support: Float64Array, allowed: (label: number) => boolean): number {
  let best = -1;
  for (const [label, value] of support.entries())
    if (allowed(label) && (best < 0 || value > (support[best] ?? 0))) best = label;
  return best;
}

/** What a track without labels is thought to be. */
export interface Suggestion {
  /** Number of the track among those without labels. */
  track: number;
  suggested: number;
  /** 0 … 1: how clearly the best class stands above the second. */
  margin: number;
  /** Labelled tracks, nearest first. */
  neighbours: TrackNeighbour[];
}

/** Suggests a class for every track that bears none. @throws the signal's reason */
export async function suggestClasses(
  set: LabelledWindows,
  others: LabelledWindows,
  probabilities: Float32Array,
  { signal }: { signal: AbortSignal },
): Promise<Suggestion[]> {
  const pooled = poolTracks(set);
  const found = await nearestTracks(pooled, poolTracks(others).features, NEIGHBOURS, signal);
  const width = set.labelNames.length;
  const pacer = new Pacer(signal);
  const suggestions: Suggestion[] = [];
  for (const [track, neighbours] of found.entries()) {
    if (pacer.due(WORK_PER_LABEL * width)) await pacer.pause();
    const support = jointSupport(
      probabilities.subarray(track * width, (track + 1) * width),
      neighbourVotes(neighbours, pooled.labels, width),
    );
    const suggested = likeliest(support, () => true);
    const second = likeliest(support, (label) => label !== suggested);
    const margin = normalisedMargin(support[suggested] ?? 0, support[second] ?? 0);
    suggestions.push({ track, suggested, margin, neighbours });
  }
  return suggestions;
}
