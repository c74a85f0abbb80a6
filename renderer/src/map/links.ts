import type { EngineClient } from '../../../engine/api/contract.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { Link } from './overlay.ts';
import type { MapPoints } from './points.ts';

/** As many as the trust of a map counts. */
const neighbours = 10;

/**
 * Links to what lies nearest to a point in truth, and whether each is among as many nearest on the map.
 * @throws EngineError
 */
export async function trueNeighbours(
  engine: EngineClient,
  libraryId: string,
  points: MapPoints,
  { from, target }: { from: number; target: VectorRef },
  signal: AbortSignal,
): Promise<Link[]> {
  const { level, x, y } = points.projection;
  const found = await engine.call(
    'neighbours.query',
    { libraryId, target, level, k: neighbours, metric: 'euclidean' },
    { signal },
  );
  const distances = nearestDistance(points, from, neighbours);
  return found.flatMap(({ trackId, windowIndex }): Link[] => {
    const to = points.pointOf(trackId, level === 'window' ? windowIndex : null);
    if (to === null) return [];
    const distance = Math.hypot((x[to] ?? 0) - (x[from] ?? 0), (y[to] ?? 0) - (y[from] ?? 0));
    return [{ from, to, kept: distance <= distances }];
  });
}

/** How far the k-th nearest other point lies on the map. */
function nearestDistance({ projection: { x, y }, count }: MapPoints, from: number, k: number): number {
  const nearest = new Float64Array(k).fill(Infinity);
  for (let point = 0; point < count; point += 1) {
    if (point === from) continue;
    const squared = ((x[point] ?? 0) - (x[from] ?? 0)) ** 2 + ((y[point] ?? 0) - (y[from] ?? 0)) ** 2;
    if (squared >= (nearest[k - 1] ?? 0)) continue;
    let slot = k - 1;
    for (; slot > 0 && (nearest[slot - 1] ?? 0) > squared; slot -= 1) nearest[slot] = nearest[slot - 1] ?? 0;
    nearest[slot] = squared;
  }
  return Math.sqrt(nearest[k - 1] ?? 0);
}
