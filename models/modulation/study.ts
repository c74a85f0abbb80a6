import { resampled, type Resampled } from '../evaluation/statistics/resampled.ts';
import { splitTracks } from '../evaluation/splits/holdout.ts';
import { Random } from '../numerics/random.ts';
import { learnSinc, type SincClassifier, type SwingSet } from './learn.ts';
import { edgesOf, octaveBands, SincFilters } from './sinc.ts';
import { CARRIER_GROUPS, FREQUENCIES, frequenciesHz } from './swing.ts';

/** Envelope values a second that sounds are told apart with, from all there are down to hardly any. */
export const SUBSAMPLED_RATES = [200, 100, 50, 25, 12.5, 6.25, 3.125] as const;
const FRACTIONS = { train: 0.7, validation: 0, test: 0.3 } as const;

/** `learned` edges, `fixed` octaves, edges learned from `permuted` labels. */
export const sincMethods = ['learned', 'fixed', 'permuted'] as const;
export type SincMethod = (typeof sincMethods)[number];

export interface StudySettings {
  classes: number;
  steps: number;
  /** Splits that are made, each with its own training. */
  splits: number;
  seed: number;
}

/** A filter, as it is drawn. */
export interface DrawnFilter {
  lowHz: number;
  highHz: number;
  /** Gain at each of `frequenciesHz`. */
  response: number[];
}

export interface ModulationStudy {
  /** Share of test tracks that were told right, over the splits. */
  accuracy: Record<SincMethod, Resampled>;
  /** Learned minus fixed, and learned minus permuted. */
  gain: { fixed: Resampled; permuted: Resampled };
  /** Share of the largest class among test tracks. */
  majority: number;
  testTracks: number;
  frequenciesHz: number[];
  /** The learned ones are learned from all tracks, the figures from parts of them. */
  filters: { fixed: DrawnFilter[]; learned: DrawnFilter[] };
  /** What is told right when the envelopes are taken less often; `perClass`: share of its test tracks, null without any. */
  rates: { rateHz: number; accuracy: Resampled; perClass: (number | null)[] }[];
}

export interface StudyData extends SwingSet {
  /** Tracks of one name never part. */
  groups: readonly string[];
}

interface Scored {
  accuracy: number;
  right: number[];
  tested: number[];
}

/**
 * Learned against fixed and permuted, and what lower envelope rates cost, over seeded splits by track (70 % to learn from).
 * @param on `run`: trainings that are done of all
 * @throws NumericError for fewer than two splits; the signal's reason
 */
export async function studyModulation(
  data: StudyData,
  settings: StudySettings,
  signal?: AbortSignal,
  onRun: (done: number, total: number) => void = () => undefined,
): Promise<ModulationStudy> {
  const { splits, seed } = settings;
  const lower = SUBSAMPLED_RATES.slice(1);
  const total = splits * (sincMethods.length + lower.length) + 1;
  let done = 0;
  const scores = new Map<string, Scored[]>();
  let [testPerTrain, testTracks, majority] = [0, 0, 0];
  for (let split = 0; split < splits; split++) {
    const parts = partsOf(data, seed + split);
    testTracks += parts.test.labels.length / splits;
    testPerTrain = parts.test.labels.length / Math.max(1, parts.train.labels.length);
    majority += largestShare(parts.test.labels, settings.classes) / splits;
    const run = async (name: string, train: SwingSet, test: SwingSet, learnBands: boolean) => {
      const model = await learnSinc(train, { ...settings, seed: seed + split, learnBands }, signal);
      scores.set(name, [...(scores.get(name) ?? []), scoreOf(model, test, settings.classes)]);
      onRun(++done, total);
    };
    await run('learned', parts.train, parts.test, true);
    await run('fixed', parts.train, parts.test, false);
    const labels = new Random(seed + split).shuffle(parts.train.labels);
    await run('permuted', { ...parts.train, labels }, parts.test, true);
    for (const rateHz of lower) {
      const [train, test] = [subsampled(parts.train, rateHz), subsampled(parts.test, rateHz)];
      await run(String(rateHz), train, test, true);
    }
  }
  const whole = await learnSinc(data, { ...settings, learnBands: true }, signal);
  onRun(++done, total);
  const accuracies = (name: string): number[] => (scores.get(name) ?? []).map(({ accuracy }) => accuracy);
  const mean = (name: string): Resampled => {
    const figure = resampled(accuracies(name), testPerTrain);
    // An interval of a share ends where shares do.
    return { ...figure, low: Math.max(0, figure.low), high: Math.min(1, figure.high) };
  };
  const minus = (name: string): Resampled => {
    const others = accuracies(name);
    return resampled(
      accuracies('learned').map((value, i) => value - (others[i] ?? 0)),
      testPerTrain,
    );
  };
  const filters = new SincFilters();
  const drawn = (bands: SincClassifier['bands']): DrawnFilter[] =>
    bands
      .map((band) => ({ ...edgesOf(band), response: [...filters.response(band).gain] }))
      .sort((a, b) => a.lowHz - b.lowHz);
  return {
    accuracy: { learned: mean('learned'), fixed: mean('fixed'), permuted: mean('permuted') },
    gain: { fixed: minus('fixed'), permuted: minus('permuted') },
    majority,
    testTracks: Math.round(testTracks),
    frequenciesHz: frequenciesHz(),
    filters: { fixed: drawn(octaveBands()), learned: drawn(whole.bands) },
    rates: SUBSAMPLED_RATES.map((rateHz, i) => {
      const name = i === 0 ? 'learned' : String(rateHz);
      return { rateHz, accuracy: mean(name), perClass: recalls(scores.get(name) ?? [], settings.classes) };
    }),
  };
}

/** What is left of envelopes that are taken so many times a second: nothing above half of that. */
function subsampled(set: SwingSet, rateHz: number): SwingSet {
  const above = frequenciesHz().findIndex((hz) => hz > rateHz / 2);
  if (above < 0) return set;
  const spectra = set.spectra.map((spectrum) => {
    const left = spectrum.slice();
    for (let group = 0; group < CARRIER_GROUPS; group++)
      left.fill(0, group * FREQUENCIES + above, (group + 1) * FREQUENCIES);
    return left;
  });
  return { ...set, spectra };
}

function partsOf(data: StudyData, seed: number): { train: SwingSet; test: SwingSet } {
  const items = data.labels.map((label, i) => ({ id: String(i), group: data.groups[i] ?? String(i), label }));
  const parts = splitTracks(items, FRACTIONS, seed);
  const of = (part: 'train' | 'test'): SwingSet => {
    const rows = data.labels.flatMap((_, i) => (parts.get(String(i)) === part ? [i] : []));
    return {
      spectra: rows.flatMap((i) => data.spectra[i] ?? []),
      labels: rows.map((i) => data.labels[i] ?? 0),
    };
  };
  return { train: of('train'), test: of('test') };
}

function scoreOf(model: SincClassifier, { spectra, labels }: SwingSet, classes: number): Scored {
  const [right, tested] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)];
  for (const [i, spectrum] of spectra.entries()) {
    const truth = labels[i] ?? 0;
    tested[truth] = (tested[truth] ?? 0) + 1;
    if (model.predict(spectrum) === truth) right[truth] = (right[truth] ?? 0) + 1;
  }
  const all = right.reduce((sum, value) => sum + value, 0);
  return { accuracy: labels.length === 0 ? 0 : all / labels.length, right, tested };
}

function recalls(scored: readonly Scored[], classes: number): (number | null)[] {
  return Array.from({ length: classes }, (_, c) => {
    const tested = scored.reduce((sum, own) => sum + (own.tested[c] ?? 0), 0);
    return tested === 0 ? null : scored.reduce((sum, own) => sum + (own.right[c] ?? 0), 0) / tested;
  });
}

function largestShare(labels: readonly number[], classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return labels.length === 0 ? 0 : Math.max(...counts) / labels.length;
}
