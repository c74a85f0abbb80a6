import type { CurvePoint } from '../../../engine/api/experiments.ts';
import { count, fixed, percent } from '../ui/format.ts';

/** Scales for the small line charts. */

export interface Series {
  name: string;
  variable: string;
  dash: string;
  points: { x: number; y: number }[];
  /** A reference line: its ends are not measurements and get no marks. */
  reference?: boolean;
}

/** What tells which network of a curve was kept. */
type Kept = Pick<CurvePoint, 'step' | 'validationLoss' | 'validationAccuracy' | 'validationMicroF1' | 'kept'>;

/**
 * The step whose network was kept. Earlier versions did not store it: they kept the one of lowest validation loss, the
 * last one where nothing was validated. An experiment’s figures are of that network, not of the end of its curve.
 */
export function keptStep(curve: readonly Kept[]): number | null {
  const stored = curve.find(({ kept }) => kept === true);
  if (stored) return stored.step;
  let kept: Kept | undefined = curve.at(-1);
  let lowest = Infinity;
  for (const point of curve) {
    if (point.validationLoss === null || point.validationLoss >= lowest) continue;
    lowest = point.validationLoss;
    kept = point;
  }
  return kept?.step ?? null;
}

/** Why that step, in words; null for a curve without points. */
export function keptInWords(curve: readonly Kept[]): string | null {
  const step = keptStep(curve);
  const at = curve.find((point) => point.step === step);
  const last = curve.at(-1);
  if (!at || !last) return null;
  const figures = 'The figures below, the prototypes and what they sound like are of this network';
  if (at.validationLoss === null)
    return `The network after the last step, ${count(at.step)}, was kept: no track was left to validate on. ${figures}.`;
  const score = at.validationMicroF1 ?? at.validationAccuracy;
  const what = at.validationMicroF1 === null ? 'accuracy' : 'micro F1';
  const why =
    at.kept === null
      ? `its validation loss was the lowest, ${fixed(at.validationLoss)}`
      : `it did best on the validation tracks: ${what} ${percent(score)}, and of those the lowest loss, ${fixed(at.validationLoss)}`;
  const rest = at.step === last.step ? '' : `, not of the one at the end, step ${count(last.step)}`;
  return `The network after step ${count(at.step)} of ${count(last.step)} was kept: ${why}. ${figures}${rest}.`;
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
