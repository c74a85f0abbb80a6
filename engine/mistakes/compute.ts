import { judgeLabels, suggestClasses, type LabelVerdict } from '../../models/mistakes/judge.ts';
import { foldsOf, outOfFold, type OutOfFold } from '../../models/mistakes/out-of-fold.ts';
import { NEIGHBOURS, type TrackNeighbour } from '../../models/mistakes/support.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { squaredDistance } from '../../models/numerics/distances.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type * as z from 'zod';
import { mistakesMethods } from '../api/mistakes.ts';
import type { AudioDecoder } from '../decode/index.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { StoredMistake, StoredReport } from '../library/mistakes.ts';
import { copiesIn } from './copies.ts';
import { foldsId, gatherLabels, reportId } from './gather.ts';
import { plain } from './plain.ts';
import { duplicateRows, damagedRows, outlierRows } from './plain-lists.ts';
import { withPlaces } from './queue.ts';

/** What a mistakes job is told. */
export const mistakesSpecSchema = mistakesMethods['mistakes.compute'].input;
export type MistakesSpec = z.output<typeof mistakesSpecSchema>;

/** Accuracies of earlier runs that are kept. */
const MOST_HISTORY = 50;
/** The networks are unsure of a label that stands so little above the next one. */
const UNSURE_MARGIN = 0.5;

/**
 * Looks for labels that are probably wrong and stores the report. Folds that an earlier run had finished are taken from the
 * cache.
 * @param decoder by which tracks that are alike are heard
 * @throws EngineError `not-found`; the signal's reason
 */
export async function findMistakes(
  library: Library,
  spec: MistakesSpec,
  job: JobHandle,
  decoder: Pick<AudioDecoder, 'decode'>,
): Promise<StoredReport> {
  const { taxonomyId, folds: wanted, groupBy, seed } = spec;
  const started = performance.now();
  const vectors = library.embeddings.vectors();
  const { signal } = job;
  const copies = await copiesIn(library, vectors, decoder, job);
  await job.checkpoint();
  const outliers = await outlierRows(vectors, signal);
  const gathered = await gatherLabels(library, vectors, taxonomyId, groupBy, copies, signal);
  const { labelled, strata, unlabelled, leftOut, task, problem } = gathered;
  const folds = Math.min(wanted, Math.max(2, new Set(labelled.tracks.groups).size));
  const id = reportId(library, vectors, { taxonomyId, folds, groupBy, seed });
  const mistakes = [
    ...duplicateRows(vectors, copies),
    ...outliers,
    ...damagedRows(library),
    ...leftOut.flatMap(({ name, trackIds, reason }) =>
      trackIds.map((trackId) => plain('left-out', trackId, { given: name, reason: `“${name}”: ${reason}.` })),
    ),
  ];
  let accuracy: number | null = null;
  const keptAs = problem ? null : foldsId(id, labelled, foldsOf(labelled, { folds, seed, strata }));
  if (keptAs !== null) {
    const predictions = await outOfFold(labelled, {
      ...{ task, folds, seed, signal, strata, others: unlabelled },
      pace: () => job.checkpoint(),
      onProgress: (done) => {
        job.report({ done: Math.round(100 * done), total: 100, unit: '%' });
      },
      recall: (fold) => library.mistakes.fold(keptAs, fold),
      keep: (fold, rows) => {
        library.mistakes.putFold(keptAs, fold, rows);
        job.kept();
      },
    });
    const judgement = await judgeLabels(labelled, predictions, { task, signal });
    accuracy = accuracyOf(labelled, predictions, task);
    const known = new Described(labelled);
    const pacer = new Pacer(signal);
    const judged: StoredMistake[] = [];
    for (const verdict of judgement.verdicts) {
      if (tabOf(verdict) === null) continue;
      if (pacer.due(known.work)) await pacer.pause();
      judged.push(...known.verdict(verdict, judgement.neighbours[verdict.track] ?? [], predictions));
    }
    const suggested = unlabelled
      ? await suggestClasses(labelled, unlabelled, predictions.others, { signal })
      : [];
    for (const { track, suggested: label, margin, neighbours } of suggested) {
      if (pacer.due(known.work)) await pacer.pause();
      judged.push(...known.suggestion(unlabelled?.tracks.ids[track] ?? '', label, margin, neighbours));
    }
    for (const mistake of await withPlaces(judged, labelled, unlabelled, signal)) mistakes.push(mistake);
  }
  mistakes.sort((a, b) => (a.margin ?? 0) - (b.margin ?? 0) || (a.id < b.id ? -1 : 1));
  const before = library.mistakes.report(taxonomyId, vectors.windows.space.key);
  const createdAt = new Date().toISOString();
  const tracks = problem ? 0 : labelled.tracks.ids.length;
  // Looking again at what did not change is the same run.
  const again = before?.id === id && before.accuracy !== null;
  const earlier = (before?.history ?? []).slice(0, again ? -1 : undefined).slice(-MOST_HISTORY + 1);
  const report: StoredReport = {
    ...{ id, taxonomyId, space: vectors.windows.space.key, task, folds, groupBy, seed },
    askedFolds: wanted,
    createdAt,
    seconds: (performance.now() - started) / 1000,
    tracks,
    classes: labelled.labelNames.length,
    accuracy,
    previousAccuracy: before?.id === id ? before.previousAccuracy : (before?.accuracy ?? null),
    history: accuracy === null ? earlier : [...earlier, { createdAt, tracks, accuracy }],
    leftOutClasses: leftOut.map(({ name, trackIds, reason }) => ({ name, tracks: trackIds.length, reason })),
    problem: problem?.toData() ?? null,
    mistakes,
  };
  signal.throwIfAborted();
  library.mistakes.put(report, keptAs);
  return report;
}

/** Share of out-of-fold predictions that agree with the labels. */
function accuracyOf(set: LabelledWindows, { probabilities }: OutOfFold, task: 'single' | 'multi'): number {
  const { labels, labelNames, count } = poolTracks(set);
  const width = labelNames.length;
  let right = 0;
  for (let track = 0; track < count; track++) {
    const own = probabilities.subarray(track * width, (track + 1) * width);
    const given = labels.subarray(track * width, (track + 1) * width);
    if (task === 'single') right += given[own.indexOf(Math.max(...own))] === 1 ? 1 : 0;
    else own.forEach((p, label) => (right += p >= 0.5 === (given[label] === 1) ? 1 / width : 0));
  }
  return right / Math.max(1, count);
}

/** Puts verdicts about track and label numbers into words. */
class Described {
  readonly #set: LabelledWindows;
  readonly #pooled: LabelledWindows;

  constructor(set: LabelledWindows) {
    this.#set = set;
    this.#pooled = poolTracks(set);
  }

  /** Of one verdict, in units of {@link Pacer.due}: labels of the neighbours, and the nearest track of all. */
  get work(): number {
    const { tracks, labelNames } = this.#set;
    return 20 * (NEIGHBOURS * labelNames.length + tracks.ids.length);
  }

  verdict(verdict: LabelVerdict, near: readonly TrackNeighbour[], { foldOf }: OutOfFold): StoredMistake[] {
    const { track, given, suggested, margin, confidence } = verdict;
    const [own, other] = [this.#name(given), this.#name(suggested)];
    const tab = tabOf(verdict);
    if (tab === null) return [];
    const trackId = this.#set.tracks.ids[track] ?? '';
    const judged = given ?? suggested ?? 0;
    return [
      {
        ...{ id: `${tab}:${trackId}:${own ?? other ?? ''}`, tab, trackId, given: own, suggested: other },
        ...{ margin, confidence, fold: foldOf[track] ?? null },
        neighbours: this.#neighbours(near, judged, given !== null),
        nearestGiven: given === null ? null : this.#nearest(track, given),
        nearestSuggested: suggested === null ? null : this.#nearest(track, suggested),
        others: [],
        reason: this.#reason(verdict, near),
      },
    ];
  }

  suggestion(
    trackId: string,
    label: number,
    margin: number,
    near: readonly TrackNeighbour[],
  ): StoredMistake[] {
    const suggested = this.#name(label);
    const neighbours = this.#neighbours(near, label, true);
    const nearest = near.find(({ track }) => this.#bears(track, label));
    const agreeing = neighbours.filter(({ agrees }) => agrees).length;
    const item = (tab: 'label-missing' | 'unsure'): StoredMistake => ({
      ...{ id: `${tab}:${trackId}:${suggested ?? ''}`, tab, trackId, given: null, suggested },
      ...{ margin: tab === 'unsure' ? margin : -margin, confidence: null, neighbours, fold: null },
      ...{ nearestGiven: null, others: [] },
      nearestSuggested: nearest ? (this.#set.tracks.ids[nearest.track] ?? null) : null,
      reason: `It bears no label; ${agreeing} of its ${neighbours.length} nearest tracks are “${suggested ?? ''}”.`,
    });
    return margin < UNSURE_MARGIN ? [item('label-missing'), item('unsure')] : [item('label-missing')];
  }

  #name(label: number | null): string | null {
    return label === null ? null : (this.#set.labelNames[label] ?? null);
  }

  #bears(track: number, label: number): boolean {
    return this.#pooled.labels[track * this.#set.labelNames.length + label] === 1;
  }

  /** @param wanted whether bearing the label speaks for what is given */
  #neighbours(near: readonly TrackNeighbour[], label: number, wanted: boolean): StoredMistake['neighbours'] {
    return near.slice(0, NEIGHBOURS).map(({ track }) => ({
      trackId: this.#set.tracks.ids[track] ?? '',
      labels: this.#set.labelNames.filter((_, column) => this.#bears(track, column)),
      agrees: this.#bears(track, label) === wanted,
    }));
  }

  #nearest(track: number, label: number): string | null {
    const { features, dim, tracks } = this.#pooled;
    let [best, smallest] = [-1, Infinity];
    for (let other = 0; other < tracks.ids.length; other++) {
      if (tracks.groups[other] === tracks.groups[track] || !this.#bears(other, label)) continue;
      const distance = squaredDistance(features, track * dim, features, other * dim, dim);
      if (distance < smallest) [best, smallest] = [other, distance];
    }
    return tracks.ids[best] ?? null;
  }

  #reason({ given, suggested, confidence }: LabelVerdict, near: readonly TrackNeighbour[]): string {
    const percent = `${String(Math.round(100 * confidence))} %`;
    const name = this.#name(given ?? suggested) ?? '';
    const bearing = near.filter(({ track }) => this.#bears(track, given ?? suggested ?? 0)).length;
    const agree = `${bearing} of its ${near.length} nearest tracks are “${name}”`;
    return given === null
      ? `“${name}” is not given, but networks that did not learn from it say ${percent}, and ${agree}.`
      : `Networks that did not learn from it give “${name}” ${percent}, and ${agree}.`;
  }
}

function tabOf({
  given,
  suggested,
  margin,
}: LabelVerdict): 'likely-wrong' | 'label-missing' | 'unsure' | null {
  if (margin < 0) return given === null ? 'label-missing' : 'likely-wrong';
  // Of several labels, the unsure ones are labels given that hardly stand: what is not given is listed as missing.
  return margin < UNSURE_MARGIN && (suggested !== null || given !== null) ? 'unsure' : null;
}
