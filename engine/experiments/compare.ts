import { bootstrap, mcnemar } from '../../models/evaluation/statistics/index.ts';
import { perLabelReport } from '../../models/evaluation/metrics/multilabel.ts';
import type { Experiment } from '../api/experiments.ts';
import type { ComparedTrack, ExperimentComparison } from '../api/compare.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { predictedLabels, type TrackPrediction } from '../library/predictions.ts';
import { predictTracks } from './metrics.ts';

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
  const [first, second] = [await sideOf(library, ids[0], signal), await sideOf(library, ids[1], signal)];
  const [a, b] = [first.experiment, second.experiment];
  if (a.parameters.task !== b.parameters.task)
    throw new EngineError(
      'bad-input',
      'One experiment gives a track one class, the other several labels.',
      'Compare two of the same task.',
    );
  const classes = a.classes.filter((name) => b.classes.includes(name));
  const tracks = [...first.truths]
    .filter(([id, labels]) => second.truths.has(id) && labels.every((label) => classes.includes(label)))
    .map(([id]) => id);
  if (tracks.length < 2 || classes.length < 2)
    throw new EngineError(
      'bad-input',
      `Only ${tracks.length} tracks are test tracks of both experiments, with ${classes.length} classes that both know.`,
      'Train both with the same taxonomy, seed and split: then they are tested on the same tracks.',
    );
  const truth = tracks.map((id) => first.truths.get(id) ?? []);
  const answers = [first, second].map((side) => tracks.map((id) => answerOf(side, id))) as [
    string[][],
    string[][],
  ];
  const right = answers.map((side) => side.map((labels, i) => same(labels, truth[i] ?? []))) as [
    boolean[],
    boolean[],
  ];
  const share =
    (values: readonly boolean[]) =>
    (rows: Int32Array): number =>
      rows.reduce((sum, row) => sum + (values[row] ? 1 : 0), 0) / rows.length;
  const figures = [
    { id: 'accuracy', of: (side: 0 | 1) => share(right[side]) },
    {
      id: 'macroF1',
      of: (side: 0 | 1) => (rows: Int32Array) => {
        const scored = reports(rows, truth, answers[side], classes).filter(({ support }) => support > 0);
        return scored.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(1, scored.length);
      },
    },
  ] as const;
  const n = tracks.length;
  const metrics = figures.map(({ id, of }) => {
    const [x, y] = [of(0), of(1)];
    return {
      id,
      first: bootstrap(n, x),
      second: bootstrap(n, y),
      // Of the same draws of tracks for both: what differs is the experiment only.
      difference: bootstrap(n, (rows) => y(rows) - x(rows)),
    };
  });
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
    parameters: differences(a, b),
  };
}

async function sideOf(library: Library, id: string, signal: AbortSignal): Promise<Side> {
  const experiment = library.experiments.get(id);
  const vectors = library.embeddings.madeIn(experiment.space, `The experiment “${experiment.name}”`);
  const predictions = await predictTracks(library.experiments.network(id), vectors, signal);
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

/** Everything that was chosen and is not the same. */
function differences(a: Experiment, b: Experiment): ExperimentComparison['parameters'] {
  const facts = ({
    parameters,
    taxonomyName,
    space,
    classes,
    revision,
    counts,
  }: Experiment): Map<string, string> =>
    new Map(
      Object.entries({
        ...parameters,
        taxonomyId: taxonomyName,
        pack: space.packId,
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
  return [...new Set([...x.keys(), ...y.keys()])].flatMap((name) => {
    const [first, second] = [x.get(name) ?? '', y.get(name) ?? ''];
    return first === second ? [] : [{ name, first, second }];
  });
}
