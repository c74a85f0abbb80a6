export type Direction = 'left' | 'right' | 'up' | 'down';

export const directionOf: Readonly<Partial<Record<string, Direction>>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

/** How much a step to the side counts against one forward. */
const ASIDE = 2;

/**
 * The point that lies next in a direction; y grows downwards.
 * @param from −1: the first is taken
 * @returns −1 where no point lies there
 */
export function besidePoint(
  points: readonly { x: number; y: number }[],
  from: number,
  direction: Direction,
): number {
  const start = points[from];
  if (!start) return points.length > 0 ? 0 : -1;
  const along = direction === 'left' || direction === 'right' ? 'x' : 'y';
  const aside = along === 'x' ? 'y' : 'x';
  const sign = direction === 'right' || direction === 'down' ? 1 : -1;
  let [best, cost] = [-1, Infinity];
  for (const [i, point] of points.entries()) {
    const forward = sign * (point[along] - start[along]);
    if (i === from || forward <= 0) continue;
    const next = forward + ASIDE * Math.abs(point[aside] - start[aside]);
    if (next < cost) [best, cost] = [i, next];
  }
  return best;
}
