/** The figures of an experiment under the names the field gives them: the same in the window, the command line and reports. */
import type { Experiment, Metrics, TrainRequest } from './experiments.ts';

type Task = TrainRequest['task'];

export interface MetricName {
  key:
    | 'accuracy'
    | 'balancedAccuracy'
    | 'macroF1'
    | 'microF1'
    | 'samplesF1'
    | 'hammingLoss'
    | 'majorityBaseline';
  title: string;
  /** Says what is counted, in a sentence. */
  meaning: string;
}

const single: readonly MetricName[] = [
  { key: 'accuracy', title: 'Accuracy', meaning: 'Share of tracks whose class was found.' },
  {
    key: 'balancedAccuracy',
    title: 'Balanced',
    meaning: 'Balanced accuracy: mean recall over the classes, each counting alike.',
  },
  { key: 'macroF1', title: 'Macro F1', meaning: 'Mean over the classes of the F1 of each.' },
  {
    key: 'majorityBaseline',
    title: 'Majority',
    meaning: 'Accuracy of always answering the most frequent class.',
  },
];

const multi: readonly MetricName[] = [
  {
    key: 'microF1',
    title: 'Micro F1',
    meaning: 'F1 of all label decisions together: frequent labels count more.',
  },
  { key: 'macroF1', title: 'Macro F1', meaning: 'Mean over the labels of the F1 of each.' },
  { key: 'samplesF1', title: 'Samples F1', meaning: 'Mean over the tracks of the F1 of their labels.' },
  { key: 'accuracy', title: 'Exact match', meaning: 'Share of tracks with exactly the right labels.' },
  {
    key: 'balancedAccuracy',
    title: 'Macro recall',
    meaning: 'Mean over the labels of the share of tracks bearing one that were found.',
  },
  {
    key: 'hammingLoss',
    title: 'Hamming loss',
    meaning: 'Share of label decisions that are wrong; lower is better.',
  },
  {
    key: 'majorityBaseline',
    title: 'Baseline',
    meaning: 'Exact match of always answering the most frequent set of labels.',
  },
];

/** Figures of a task in the order they are shown, the one in headlines and curves first. */
export const metricNames: Record<Task, readonly MetricName[]> = { single, multi };

/**
 * Classes that no test track bears: what is learned of them was not tested. A class of one or two groups (artists, folders) goes
 * into training as a whole. Empty where there is no test part.
 */
export function untested({ metrics }: Pick<Experiment, 'metrics'>): string[] {
  const test = metrics.find(({ split }) => split === 'test');
  return (test?.perClass ?? []).filter(({ support }) => support === 0).map((report) => report.class);
}

/** The figure that stands for an experiment, of its test tracks; null where there are none. */
export function headline({ parameters, metrics }: Pick<Experiment, 'parameters' | 'metrics'>): {
  name: MetricName;
  value: number;
  test: Metrics;
} | null {
  const test = metrics.find(({ split }) => split === 'test');
  // An earlier version did not measure the first one of several labels.
  const name = test && metricNames[parameters.task].find(({ key }) => test[key] !== null);
  const value = test && name ? test[name.key] : null;
  return test && name && value !== null ? { name, value, test } : null;
}
