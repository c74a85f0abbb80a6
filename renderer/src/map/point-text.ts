import type { Prediction, TrackRow } from '../../../engine/api/tracks.ts';
import { prototypeName } from '../session/audition.ts';
import { clock, percent } from '../ui/format.ts';
import type { MapPoints } from './points.ts';

/**
 * What a point is, in lines of plain text; empty for one that there is none of.
 * @param rowOf what is known of a track; undefined where it is on its way
 */
export function pointText(
  points: MapPoints,
  point: number,
  rowOf: (trackId: string) => TrackRow | undefined,
): string {
  const prototype = points.prototypeOf(point);
  if (prototype !== null) {
    return `★ ${prototypeName(points.projection.prototypeClasses[prototype] ?? '', prototype)}`;
  }
  const id = points.trackId(point);
  if (id === null) return '';
  const track = rowOf(id);
  if (!track) return '…';
  const windowIndex = points.windowIndex(point);
  return [
    track.title,
    ...(windowIndex === null ? [] : [`window ${String(windowIndex + 1)}`]),
    ...(track.labels.length > 0 ? [`label: ${track.labels.join(', ')}`] : []),
    ...(track.prediction ? predictionLines(track.prediction) : []),
    clock(track.durationSeconds, true),
  ].join('\n');
}

function predictionLines({
  class: name,
  probability,
  correct,
  labels,
  missing,
  extra,
}: Prediction): string[] {
  const verdict = correct === null ? '' : correct ? ' ✓ correct' : ' ✗ wrong';
  if (!labels) return [`prediction: ${name} ${percent(probability)}${verdict}`];
  const said = labels.map((item) => `${item.label} ${percent(item.probability, 0)}`).join(', ');
  return [
    `predicted: ${said || 'no label'}${correct === true ? ' ✓ exact match' : ''}`,
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`extra: ${extra.join(', ')}`] : []),
  ];
}
