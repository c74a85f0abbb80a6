/** Scales for the small line charts. */

export interface Series {
  name: string;
  variable: string;
  dash: string;
  points: { x: number; y: number }[];
  /** A reference line: its ends are not measurements and get no marks. */
  reference?: boolean;
}

/**
 * The step whose network was kept: the one of lowest validation loss, the last one where nothing was validated. An
 * experiment’s figures are of that network, not of the end of its curve.
 */
export function keptStep(curve: readonly { step: number; validationLoss: number | null }[]): number | null {
  let kept: { step: number; validationLoss: number | null } | undefined = curve.at(-1);
  let lowest = Infinity;
  for (const point of curve) {
    if (point.validationLoss === null || point.validationLoss >= lowest) continue;
    lowest = point.validationLoss;
    kept = point;
  }
  return kept?.step ?? null;
}

/** Whether losses span so much that only powers of ten show them. */
export function needsLogarithm(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  return positive.length > 1 && Math.max(...positive) > 30 * Math.min(...positive);
}

/** Round numbers that cover low…high in about `count` steps. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** An SVG path through the points; gaps where a value is not a number. */
export function linePath(
  points: { x: number; y: number }[],
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  let path = '';
  let pen = false;
  for (const { x, y } of points) {
    if (!Number.isFinite(y)) {
      pen = false;
      continue;
    }
    path += `${pen ? 'L' : 'M'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`;
    pen = true;
  }
  return path;
}

interface Scored {
  step: number;
  trainAccuracy: number;
  trainMicroF1: number | null;
  validationAccuracy: number | null;
  validationMicroF1: number | null;
}

/** The figure that grows while training: of one class the accuracy, of several labels the micro F1, as in the headline. */
export function scoreCurve(curve: readonly Scored[]): {
  title: string;
  train: { x: number; y: number }[];
  validation: { x: number; y: number }[];
} {
  const multilabel = curve.some(({ trainMicroF1 }) => trainMicroF1 !== null);
  const points = (of: (point: Scored) => number | null): { x: number; y: number }[] =>
    curve.flatMap((point) => {
      const y = of(point);
      return y === null ? [] : [{ x: point.step, y }];
    });
  return multilabel
    ? {
        title: 'Micro F1, labels from 0.5 on',
        train: points((point) => point.trainMicroF1),
        validation: points((point) => point.validationMicroF1),
      }
    : {
        title: 'Accuracy',
        train: points((point) => point.trainAccuracy),
        validation: points((point) => point.validationAccuracy),
      };
}
