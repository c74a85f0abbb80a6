import { mix } from './raster.ts';
import type { Pixel, Raster } from './raster.ts';
import { toScreen } from './viewport.ts';
import type { Size, Viewport } from './viewport.ts';

/** Pixels of the raster that one cell of the count covers. */
const cell = 8;
/** Cells that a point is spread over, about, on either side. */
const blur = 3;
/** Of 255: the strongest tint. */
const strongest = 150;

/**
 * Tints the ground by how many points lie there, before points are drawn.
 * @param densest how many the strongest tint stands for; not given: as many as lie in the densest cell
 * @returns how many it stood for, 0 where no point lies
 */
export function drawDensity(
  raster: Raster,
  view: Viewport,
  size: Size,
  { x, y, shown }: { x: Float32Array; y: Float32Array; shown: (point: number) => boolean },
  {
    tint,
    ground,
    count,
    densest,
  }: { tint: Pixel; ground: Pixel; count: number; densest?: number | undefined },
): number {
  const columns = Math.ceil(raster.stride / cell) + 1;
  const rows = Math.ceil(raster.rows / cell) + 1;
  let cells = new Float32Array(columns * rows);
  const [left, top] = toScreen(view, size, 0, 0);
  for (let point = 0; point < count; point += 1) {
    if (!shown(point)) continue;
    const column = Math.floor((left + (x[point] as number) * view.scale + raster.border) / cell);
    const row = Math.floor((top - (y[point] as number) * view.scale + raster.border) / cell);
    if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
    cells[row * columns + column] = (cells[row * columns + column] as number) + 1;
  }
  for (let pass = 0; pass < 3; pass += 1) {
    cells = blurred(cells, columns, rows, 1, columns);
    cells = blurred(cells, rows, columns, columns, 1);
  }
  let most = densest ?? 0;
  if (densest === undefined) for (const value of cells) most = Math.max(most, value);
  if (most === 0) return 0;
  const tints = Array.from({ length: 256 }, (_, step) =>
    // The root shows thin places beside dense ones.
    mix(tint, ground, Math.round(Math.sqrt(step / 255) * strongest)),
  );
  const { pixels, stride } = raster;
  for (let row = 0; row < raster.rows; row += 1) {
    const v = Math.max(0, row / cell - 0.5);
    const r = Math.floor(v);
    for (let column = 0; column < stride; column += 1) {
      const u = Math.max(0, column / cell - 0.5);
      const c = Math.floor(u);
      const at = r * columns + c;
      const upper = (cells[at] as number) * (1 - u + c) + (cells[at + 1] ?? 0) * (u - c);
      const lower = (cells[at + columns] ?? 0) * (1 - u + c) + (cells[at + columns + 1] ?? 0) * (u - c);
      const step = Math.min(255, Math.round(((upper * (1 - v + r) + lower * (v - r)) / most) * 255));
      if (step > 0) pixels[row * stride + column] = tints[step] as number;
    }
  }
  return most;
}

/** Means over neighbours along one direction. */
function blurred(
  cells: Float32Array,
  length: number,
  lines: number,
  step: number,
  jump: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(cells.length);
  for (let line = 0; line < lines; line += 1) {
    let sum = 0;
    const at = (i: number): number => (i < 0 || i >= length ? 0 : (cells[line * jump + i * step] as number));
    for (let i = 0; i < blur; i += 1) sum += at(i);
    for (let i = 0; i < length; i += 1) {
      sum += at(i + blur) - at(i - blur - 1);
      out[line * jump + i * step] = sum / (2 * blur + 1);
    }
  }
  return out;
}
