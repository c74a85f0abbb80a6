/** What a spider shows, in the window and in files. */
import { targetMetric, type EvaluationRow } from './evaluations.ts';

/** What spaces know of each target of the sound. */
export interface Spider {
  targets: string[];
  spaces: { space: string; rows: (EvaluationRow | undefined)[] }[];
}

/** Of one column under one deformation; null where no targets were learned. */
export function spiderOf(
  rows: readonly EvaluationRow[],
  { dataset, probe }: { dataset: string; probe: string },
  deformation: string,
): Spider | null {
  const own = rows.filter(
    (row) =>
      row.metric.startsWith(targetMetric) &&
      row.dataset === dataset &&
      row.probe === probe &&
      row.deformation === deformation,
  );
  if (own.length === 0) return null;
  const metrics = [...new Set(own.map(({ metric }) => metric))];
  return {
    targets: metrics.map((metric) => metric.slice(targetMetric.length)),
    spaces: [...new Set(own.map(({ space }) => space))].map((space) => ({
      space,
      rows: metrics.map((metric) => own.find((row) => row.space === space && row.metric === metric)),
    })),
  };
}

/** Where a value lies on the spoke of a target, the first of which points up: 0 in the middle, 1 at the rim. */
export function onSpoke(
  value: number,
  target: number,
  targets: number,
  radius: number,
): { x: number; y: number } {
  const angle = (2 * Math.PI * target) / targets - Math.PI / 2;
  // Worse than the mean is shown as nothing known; the table tells how much worse.
  const length = radius * Math.min(1, Math.max(0, value));
  return { x: length * Math.cos(angle), y: length * Math.sin(angle) };
}
