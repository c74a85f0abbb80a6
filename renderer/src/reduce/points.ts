import type { Reduction } from '../../../engine/api/reductions.ts';
import type { KnnClassifierId, KnnScore, MetricInfo } from '../../../engine/api/studies.ts';
import { lookOf, type ClassLook, type Shape } from '../ui/palette.ts';

/** One reduction as one classifier sees it: a point of the chart and a row of the table. */
export interface Point {
  key: string;
  reduction: Reduction;
  score: KnnScore;
  /** Size in per cent of the training data and value of the metric: means over splits, with standard deviations. */
  size: number;
  value: number;
  deviation: number;
  splits: number;
  /** On the Pareto front: no other point is smaller and at least as good, or as small and better. */
  front: boolean;
}

/** Which of the measured scores are shown. */
export interface Filter {
  metric: string;
  noise: number;
  /** null: all. */
  classifier: KnnClassifierId | null;
  k: number | null;
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation; 0 for less than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

export const shows = ({ classifier, k }: Filter, score: KnnScore): boolean =>
  (classifier === null || score.classifier === classifier) && (k === null || score.k === k);

/** The points of some reductions, with the Pareto front among them. */
export function pointsOf(reductions: readonly Reduction[], filter: Filter, lowerIsBetter: boolean): Point[] {
  const points = reductions
    .filter(({ noise }) => noise === filter.noise)
    .flatMap((reduction) =>
      reduction.scores.flatMap((score): Point[] => {
        const values = score.metrics[filter.metric];
        if (!values || values.length === 0 || !shows(filter, score)) return [];
        return [
          {
            key: `${reduction.id} ${score.classifier} ${String(score.k)}`,
            ...{ reduction, score, size: mean(reduction.sizes), value: mean(values) },
            ...{ deviation: deviation(values), splits: values.length, front: false },
          },
        ];
      }),
    );
  const front = new Set(paretoFront(points, lowerIsBetter));
  return points.map((point) => ({ ...point, front: front.has(point) }));
}

/** Points that no other beats in size without being worse, smallest first. Of equal points the first is taken. */
export function paretoFront<T extends { size: number; value: number }>(
  points: readonly T[],
  lowerIsBetter: boolean,
): T[] {
  const better = lowerIsBetter ? -1 : 1;
  const sorted = [...points].sort((a, b) => a.size - b.size || better * (b.value - a.value));
  let best = -Infinity;
  return sorted.filter(({ value }) => {
    if (!(better * value > best)) return false;
    best = better * value;
    return true;
  });
}

/** Every method has its colour, every classifier its shape: told apart without seeing colours. */
export function pointLooks(
  methods: readonly string[],
  classifiers: readonly string[],
): (method: string, classifier: string) => ClassLook {
  const shapes: Shape[] = ['circle', 'square', 'triangle-up', 'diamond'];
  return (method, classifier) => {
    const { variable, colour } = lookOf(Math.max(0, methods.indexOf(method)));
    return {
      variable,
      colour,
      shape: shapes[Math.max(0, classifiers.indexOf(classifier)) % shapes.length] ?? 'circle',
    };
  };
}

export function metricOf(metrics: readonly MetricInfo[], id: string): MetricInfo {
  return metrics.find((metric) => metric.id === id) ?? { id, title: id, hint: '', lowerIsBetter: false };
}
