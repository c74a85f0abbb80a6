/** Which part of the map is seen: the place in the middle, and how large everything is. */
export interface Viewport {
  x: number;
  y: number;
  /** Pixels per unit of the map, alike in both directions: distances can be compared. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Room around what is fitted, in pixels. */
const margin = 28;
const most = 400;

/** The viewport that shows some points, or all of them. */
export function fitTo(x: Float32Array, y: Float32Array, size: Size, points?: Iterable<number>): Viewport {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  const take = (point: number): void => {
    const [px, py] = [x[point] ?? 0, y[point] ?? 0];
    left = Math.min(left, px);
    right = Math.max(right, px);
    bottom = Math.min(bottom, py);
    top = Math.max(top, py);
  };
  if (points) for (const point of points) take(point);
  else for (let point = 0; point < x.length; point += 1) take(point);
  if (!(left <= right)) return { x: 0, y: 0, scale: 1 };
  const room = { width: Math.max(1, size.width - 2 * margin), height: Math.max(1, size.height - 2 * margin) };
  const scale = Math.min(room.width / (right - left), room.height / (top - bottom));
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Number.isFinite(scale) ? scale : 1 };
}

/** The viewport around some points, but not so close that a single one fills the window. */
export function fitAround(x: Float32Array, y: Float32Array, size: Size, points: Iterable<number>): Viewport {
  const all = fitTo(x, y, size);
  const fitted = fitTo(x, y, size, points);
  return { ...fitted, scale: Math.min(fitted.scale === 1 ? Infinity : fitted.scale, all.scale * 12) };
}

export function toScreen(view: Viewport, size: Size, x: number, y: number): [number, number] {
  return [size.width / 2 + (x - view.x) * view.scale, size.height / 2 - (y - view.y) * view.scale];
}

export function toMap(view: Viewport, size: Size, left: number, top: number): [number, number] {
  return [view.x + (left - size.width / 2) / view.scale, view.y - (top - size.height / 2) / view.scale];
}

/** Moves what is seen by pixels. */
export function panned(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, x: view.x - dx / view.scale, y: view.y + dy / view.scale };
}

/**
 * Magnifies around a place on the screen, which stays where it is.
 * @param whole the scale at which all is seen
 */
export function zoomed(
  view: Viewport,
  size: Size,
  [left, top]: readonly [number, number],
  factor: number,
  whole: number,
): Viewport {
  const scale = Math.min(whole * most, Math.max(whole / 3, view.scale * factor));
  const [x, y] = toMap(view, size, left, top);
  const ratio = view.scale / scale;
  return { x: x + (view.x - x) * ratio, y: y + (view.y - y) * ratio, scale };
}

/** Round values for an axis, some `pixels` apart. */
export function ticks(from: number, to: number, scale: number, pixels = 90): number[] {
  const wanted = pixels / scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= wanted) ?? 10);
  const all: number[] = [];
  if (!(step > 0) || !Number.isFinite(step)) return all;
  for (let n = Math.ceil(from / step); n * step <= to && all.length < 100; n += 1) all.push(n * step);
  return all;
}
