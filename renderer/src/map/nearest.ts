export type Direction = 'left' | 'right' | 'up' | 'down';

const unit: Record<Direction, [number, number]> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, 1],
  down: [0, -1],
};

const arrows: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

/** The direction an arrow key means; undefined for other keys and with Alt. */
export function directionOf(event: KeyboardEvent): Direction | undefined {
  return event.altKey ? undefined : arrows[event.key];
}

/** Extent of the values; 1 where there is none. */
function spread(values: Float32Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high > low ? high - low : 1;
}

/**
 * The point one step away in a direction: the nearest within 45° of it, where being off the axis counts double.
 * @param scale of either axis; by default the picture is taken as square
 * @param accept whether a point can be stepped to; by default all can
 * @returns its index, or null when nothing lies that way.
 */
export function nearestInDirection(
  x: Float32Array,
  y: Float32Array,
  from: number,
  direction: Direction,
  scale: [number, number] = [1 / spread(x), 1 / spread(y)],
  accept: (point: number) => boolean = () => true,
): number | null {
  const [ux, uy] = unit[direction];
  const x0 = x[from] ?? 0;
  const y0 = y[from] ?? 0;
  let best: number | null = null;
  let least = Infinity;
  for (let i = 0; i < x.length; i += 1) {
    if (i === from) continue;
    const dx = ((x[i] ?? 0) - x0) * scale[0];
    const dy = ((y[i] ?? 0) - y0) * scale[1];
    const along = dx * ux + dy * uy;
    const across = Math.abs(dx * uy) + Math.abs(dy * ux);
    if (along <= 0 || across > along) continue;
    const cost = along + 2 * across;
    if (cost < least && accept(i)) {
      least = cost;
      best = i;
    }
  }
  return best;
}
