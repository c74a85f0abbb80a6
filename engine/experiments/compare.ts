import { bootstrap, mcnemar, type Interval } from '../../models/evaluation/statistics/index.ts';
import { perLabelReport } from '../../models/evaluation/metrics/multilabel.ts';
import { at } from '../../models/numerics/vectors.ts';
import { counted } from '../../models/text/counted.ts';
import type { Experiment } from '../api/experiments.ts';
import type { ComparedTrack, ExperimentComparison } from '../api/compare.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { predictedLabels, type TrackPrediction } from '../library/predictions.ts';
import { predictLibrary } from './predict.ts';

/** What one experiment says of the tracks that both were tested on. */
interface Side {
  experiment: Experiment;
  predictions: ReadonlyMap<string, TrackPrediction>;
  truths: ReadonlyMap<string, string[]>;
}

/** Flips that are listed; their numbers count all. */
const MOST_FLIPS = 500;

/**
 * Compares two experiments on the tracks that neither learned from nor chose by: those that are test tracks of both, with
 * the labels that the first was scored by.
 * @throws EngineError `bad-input` where there are fewer than two such tracks, or the tasks or classes cannot be compared;
 *   `not-found`; `other-space`; the signal's reason
 */
export async function compareExperiments(
  library: Library,
  ids: readonly [string, string],
  signal: AbortSignal,
): Promise<ExperimentComparison> {
  const sides = [await sideOf(library, ids[0], signal), await sideOf(library, ids[1], signal)] as const;
  const [a, b] = [sides[0].experiment, sides[1].experiment];
  if (a.parameters.task !== b.parameters.task)
    throw new EngineError(
      'bad-input',
      'One experiment gives a track one class, the other several labels.',
      'Compare two of the same task.',
    );
  const classes = a.classes.filter((name) => b.classes.includes(name));
  const tracks = [...sides[0].truths]
    .filter(([id, labels]) => sides[1].truths.has(id) && labels.every((label) => classes.includes(label)))
    .map(([id]) => id);
  if (tracks.length < 2 || classes.length < 2)
    throw new EngineError(
      'bad-input',
      `Both experiments share ${counted(tracks.length, 'test track')} and ${counted(classes.length, 'class', 'classes')}.`,
      'Train both with the same taxonomy, seed and split: then they are tested on the same tracks.',
    );
  const truth = tracks.map((id) => sides[0].truths.get(id) ?? []);
  const answers = sides.map((side) => tracks.map((id) => answerOf(side, id))) as [string[][], string[][]];
  const right = answers.map((side) => side.map((labels, i) => same(labels, truth[i] ?? []))) as [
    boolean[],
    boolean[],
  ];
  const share =
    (values: readonly boolean[]) =>
    (rows: Int32Array): number =>
      rows.reduce((sum, row) => sum + (values[row] ? 1 : 0), 0) / rows.length;
  const places = (labelsOf: readonly string[][]): number[][] =>
    labelsOf.map((labels) => labels.map((name) => classes.indexOf(name)).filter((place) => place >= 0));
  const truthPlaces = places(truth);
  const figures = [
    { id: 'accuracy', of: [share(right[0]), share(right[1])] },
    {
      id: 'macroF1',
      of: [
        macroF1(truthPlaces, places(answers[0]), classes.length),
        macroF1(truthPlaces, places(answers[1]), classes.length),
      ],
    },
  ] as const;
  const n = tracks.length;
  const drawn = (figure: (rows: Int32Array) => number): Promise<Interval> => bootstrap(n, figure, { signal });
  const metrics: ExperimentComparison['metrics'] = [];
  for (const { id, of } of figures) {
    const [x, y] = of;
    const [first, second] = [await drawn(x), await drawn(y)];
    // Of the same draws of tracks for both: what differs is the experiment only.
    metrics.push({ id, first, second, difference: await drawn((rows) => y(rows) - x(rows)) });
  }
  const all = Int32Array.from(tracks.keys());
  const [before, after] = answers.map((side) => reports(all, truth, side, classes));
  const flips = tracks.flatMap((trackId, i): ComparedTrack[] => {
    const [was, is] = [right[0][i] ?? false, right[1][i] ?? false];
    if (was === is) return [];
    const [labels, firstSays, secondSays] = [truth[i] ?? [], answers[0][i] ?? [], answers[1][i] ?? []];
    const { title, path } = library.tracks.nameOf(trackId);
    return [{ trackId, title, path, labels, first: firstSays, second: secondSays, won: is }];
  });
  return {
    firstId: a.id,
    secondId: b.id,
    tracks: n,
    classes,
    metrics,
    perClass: classes.map((name, c) => ({
      class: name,
      support: before?.[c]?.support ?? 0,
      first: before?.[c]?.f1 ?? 0,
      second: after?.[c]?.f1 ?? 0,
    })),
    mcnemar: mcnemar(right[0], right[1]),
    flips: flips.slice(0, MOST_FLIPS),
    won: flips.filter(({ won }) => won).length,
    lost: flips.filter(({ won }) => !won).length,
    ...chosen(a, b),
  };
}

async function sideOf(library: Library, id: string, signal: AbortSignal): Promise<Side> {
  const experiment = library.experiments.get(id);
  const what = `The experiment “${experiment.name}”`;
  const network = library.experiments.anyNetwork(id);
  const predictions = await predictLibrary(library, experiment, network, { what, signal });
  const test = library.experiments
    .tracksOf(id)
    .filter(({ split, id: track }) => split === 'test' && predictions.has(track));
  const truths = new Map(
    test.map(({ id: track, labels }) => [track, labels.map((label) => experiment.classes[label] ?? '')]),
  );
  return { experiment, predictions, truths };
}

function answerOf({ experiment, predictions }: Side, trackId: string): string[] {
  const prediction = predictions.get(trackId);
  if (!prediction) return [];
  const { thresholds, classes } = experiment;
  const labels =
    thresholds === null ? [prediction.top] : predictedLabels(prediction.probabilities, thresholds);
  return labels.map((label) => classes[label] ?? '');
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label) => b.includes(label));

/** Macro F1 over the classes that the truth of some tracks holds; tracks by number, labels by their place. */
function macroF1(
  truth: readonly number[][],
  answers: readonly number[][],
  width: number,
): (rows: Int32Array) => number {
  const [support, given, hits] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  return (rows) => {
    for (const counts of [support, given, hits]) counts.fill(0);
    for (const row of rows) {
      const [labels, said] = [truth[row] ?? [], answers[row] ?? []];
      for (const label of labels) support[label] = at(support, label) + 1;
      for (const label of said) {
        given[label] = at(given, label) + 1;
        if (labels.includes(label)) hits[label] = at(hits, label) + 1;
      }
    }
    let [sum, present] = [0, 0];
    for (let label = 0; label < width; label++) {
      if (at(support, label) === 0) continue;
      present += 1;
      sum += (2 * at(hits, label)) / (at(support, label) + at(given, label));
    }
    return sum / Math.max(1, present);
  };
}

function reports(
  rows: Int32Array,
  truth: readonly string[][],
  answers: readonly string[][],
  classes: readonly string[],
): { f1: number; support: number }[] {
  const width = classes.length;
  const cells = (of: readonly string[][]): Uint8Array => {
    const out = new Uint8Array(rows.length * width);
    rows.forEach((row, i) => {
      for (const label of of[row] ?? []) {
        const c = classes.indexOf(label);
        if (c >= 0) out[i * width + c] = 1;
      }
    });
    return out;
  };
  return perLabelReport(cells(truth), cells(answers), rows.length, classes);
}

/** Everything that was chosen: what is not the same, and what is. */
function chosen(a: Experiment, b: Experiment): Pick<ExperimentComparison, 'parameters' | 'same'> {
  const facts = ({
    parameters,
    taxonomyName,
    space,
    views,
    classes,
    revision,
    counts,
  }: Experiment): Map<string, string> =>
    new Map(
      Object.entries({
        ...parameters,
        taxonomyId: taxonomyName,
        pack: views ? views.views.map((view) => view.space.packId).join(' + ') : space.packId,
        windows: space.windows,
        classes: classes.length,
        revision,
        trainTracks: counts.train.tracks,
        testTracks: counts.test.tracks,
      }).map(([name, value]) => [
        name === 'taxonomyId' ? 'taxonomy' : name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
    );
  const [x, y] = [facts(a), facts(b)];
  const all = [...new Set([...x.keys(), ...y.keys()])].map((name) => ({
    name,
    first: x.get(name) ?? '',
    second: y.get(name) ?? '',
  }));
  return {
    parameters: all.filter(({ first, second }) => first !== second),
    same: all.flatMap(({ name, first, second }) => (first === second ? [{ name, value: first }] : [])),
  };
}
