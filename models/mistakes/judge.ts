import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { poolTracks } from '../embeddings/pooling.ts';
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

/**
 * Judges every given label from predictions that did not learn from it. Single-label: one verdict a track. Multilabel:
 * one for each label given, and one for each that is not given but likelier there than not.
 */
export async function judgeLabels(
  set: LabelledWindows,
  folds: OutOfFold,
  { task, signal }: { task: 'single' | 'multi'; signal: AbortSignal },
): Promise<Judgement> {
  const pooled = poolTracks(set);
  const neighbours = await nearestOfOthers(pooled, { signal });
  const width = set.labelNames.length;
  const verdicts: LabelVerdict[] = [];
  const leftOut: number[] = [];
  const judge = task === 'single' ? judgeClass : judgeLabelset;
  for (const [track, near] of neighbours.entries()) {
    const given = pooled.labels.subarray(track * width, (track + 1) * width);
    const known = folds.known.subarray(track * width, (track + 1) * width);
    if (given.some((value, label) => value === 1 && known[label] !== 1)) {
      leftOut.push(track);
      if (task === 'single') continue;
    }
    const probabilities = folds.probabilities.subarray(track * width, (track + 1) * width);
    const votes = neighbourVotes(near, pooled.labels, width);
    const agreement = (label: number): number =>
      near.filter((other) => pooled.labels[other.track * width + label] === 1).length /
      Math.max(1, near.length);
    for (const verdict of judge(given, known, probabilities, votes))
      verdicts.push({ track, ...verdict, agreement: agreement(verdict.given ?? verdict.suggested ?? 0) });
  }
  return { verdicts, neighbours, leftOut };
}

type Verdict = Omit<LabelVerdict, 'track' | 'agreement'>;

function judgeClass(
  given: Uint8Array,
  known: Uint8Array,
  probabilities: Float32Array,
  votes: Float64Array,
): Verdict[] {
  const own = given.indexOf(1);
  const support = jointSupport(probabilities, votes);
  const rival = likeliest(support, (label) => label !== own && known[label] === 1);
  if (own < 0 || rival < 0) return [];
  const margin = normalisedMargin(support[own] ?? 0, support[rival] ?? 0);
  return [{ given: own, suggested: rival, margin, confidence: probabilities[own] ?? 0 }];
}

function judgeLabelset(
  given: Uint8Array,
  known: Uint8Array,
  probabilities: Float32Array,
  votes: Float64Array,
): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [label, value] of given.entries()) {
    if (known[label] !== 1) continue;
    const confidence = probabilities[label] ?? 0;
    const there = 2 * jointProbability(confidence, votes[label] ?? 0) - 1;
    if (value === 1) verdicts.push({ given: label, suggested: null, margin: there, confidence });
    else if (there > 0) verdicts.push({ given: null, suggested: label, margin: -there, confidence });
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

/** Suggests a class for every track that bears none. */
export async function suggestClasses(
  set: LabelledWindows,
  others: LabelledWindows,
  probabilities: Float32Array,
  { signal }: { signal: AbortSignal },
): Promise<Suggestion[]> {
  const pooled = poolTracks(set);
  const found = await nearestTracks(pooled, poolTracks(others).features, NEIGHBOURS, signal);
  const width = set.labelNames.length;
  return found.map((neighbours, track) => {
    const support = jointSupport(
      probabilities.subarray(track * width, (track + 1) * width),
      neighbourVotes(neighbours, pooled.labels, width),
    );
    const suggested = likeliest(support, () => true);
    const second = likeliest(support, (label) => label !== suggested);
    const margin = normalisedMargin(support[suggested] ?? 0, support[second] ?? 0);
    return { track, suggested, margin, neighbours };
  });
}
