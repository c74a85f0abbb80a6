import type { CurvePoint, Experiment, LabelThreshold, Metrics } from '../api/experiments.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { ViewsReport } from '../api/views.ts';
import { DEFAULT_THRESHOLD } from '../../models/evaluation/metrics/thresholds.ts';

/** What is stored of an experiment, and of its present revision. */
export interface ExperimentRow {
  id: string;
  name: string;
  taxonomy_id: string;
  taxonomy_name: string;
  space: string;
  parameters: string;
  classes: string;
  dropped_classes: string;
  counts: string;
  curve: string;
  views: string | null;
  revision: number;
  notes: string;
  pinned: number;
  created_at: string;
  seconds: number;
  metrics: string;
  thresholds: string | null;
}

/** Experiments as {@link ExperimentRow}; a condition may follow. */
export const experimentRowsSql = `SELECT e.*, r.metrics AS metrics, r.thresholds AS thresholds FROM experiments e
  JOIN experiment_revisions r ON r.experiment_id = e.id AND r.revision = e.revision`;

/** What experiments were trained with before these could be chosen. */
const ADDED_LATER = {
  initialisation: 'kmeans',
  projection: 'none',
  prototypeLoss: 'class',
  coverage: 0.5,
  channelWeights: 'none',
  classes: null,
  others: 'leave-out',
  views: null,
} as const;

/** What was not measured before. */
const LATER_METRICS = { microF1: null, samplesF1: null } as const;
const LATER_SCORES = { trainMicroF1: null, validationMicroF1: null, kept: null } as const;
type StoredMetrics = Omit<Metrics, keyof typeof LATER_METRICS> & Partial<Metrics>;
type StoredPoint = Omit<CurvePoint, keyof typeof LATER_SCORES> & Partial<CurvePoint>;

/**
 * The columns hold what the repository wrote, under the schema version that the migrations guarantee. Scores and the training
 * curve are read when somebody asks for them, once: of 200 classes the confusion matrices alone are 120,000 numbers, and most
 * callers want the space or the classes.
 */
export function experimentOf(row: ExperimentRow, space: SpaceInfo, views: ViewsReport | null): Experiment {
  const parameters = { ...ADDED_LATER, ...(JSON.parse(row.parameters) as Experiment['parameters']) };
  const classes = JSON.parse(row.classes) as string[];
  const metrics = once(() =>
    (JSON.parse(row.metrics) as StoredMetrics[]).map((scores) => ({ ...LATER_METRICS, ...scores })),
  );
  const curve = once(() =>
    (JSON.parse(row.curve) as StoredPoint[]).map((point) => ({ ...LATER_SCORES, ...point })),
  );
  return {
    id: row.id,
    name: row.name,
    taxonomyId: row.taxonomy_id,
    taxonomyName: row.taxonomy_name,
    space,
    views,
    parameters,
    classes,
    droppedClasses: JSON.parse(row.dropped_classes) as string[],
    counts: JSON.parse(row.counts) as Experiment['counts'],
    thresholds: readThresholds(row.thresholds, { classes, parameters }),
    get metrics() {
      return metrics();
    },
    get curve() {
      return curve();
    },
    revision: row.revision,
    notes: row.notes,
    pinned: row.pinned === 1,
    createdAt: row.created_at,
    seconds: row.seconds,
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** The column holds what a revision was stored with; nothing where that is older than thresholds. */
export function readThresholds(
  stored: string | null,
  { classes, parameters }: Pick<Experiment, 'classes' | 'parameters'>,
): LabelThreshold[] | null {
  if (parameters.task === 'single') return null;
  if (stored !== null) return JSON.parse(stored) as LabelThreshold[];
  return classes.map(() => ({ value: DEFAULT_THRESHOLD, source: 'default' }));
}

/** Of each split in the scores of a revision its name and the two figures that a history shows. */
const headlines = ['split', 'accuracy', 'balancedAccuracy'] as const;
export const headlinePaths: string = ['train', 'validation', 'test']
  .flatMap((_, i) => headlines.map((name) => `'$[${i}].${name}'`))
  .join(', ');

/** @param headline values at `headlinePaths`, as JSON: of 200 classes all scores are 320 kB, and a history has them for each revision */
export function testScores(headline: string): { accuracy: number | null; balancedAccuracy: number | null } {
  // Made by SQLite from what the repository wrote.
  const values = JSON.parse(headline) as (string | number | null)[];
  const at = values.indexOf('test');
  const figure = (name: (typeof headlines)[number]): number | null => {
    const value = at < 0 ? null : values[at + headlines.indexOf(name)];
    return typeof value === 'number' ? value : null;
  };
  return { accuracy: figure('accuracy'), balancedAccuracy: figure('balancedAccuracy') };
}
