import { mix } from './raster.ts';
import type { Pixel, Raster } from './raster.ts';
import { spriteOf } from './sprites.ts';
import type { Shape } from '../ui/palette.ts';
import { toScreen } from './viewport.ts';
import type { Size, Viewport } from './viewport.ts';

/** How the points of a paint are drawn. */
export interface Ink {
  colour: Pixel;
  shape: Shape;
  shown: boolean;
}

export interface DrawnPoints {
  x: Float32Array;
  y: Float32Array;
  /** How many of them are drawn. */
  count: number;
  /** The ink of each, and of its ring (−1: none). */
  of: Int32Array;
  ring: Int32Array | null;
  inks: readonly Ink[];
  /** 1 for those that are selected; null where all are alike. */
  selected: Uint8Array | null;
}

export interface DrawnStar {
  x: number;
  y: number;
  colour: Pixel;
  /** Across, in pixels of the raster. */
  size: number;
}

/** Among more points shapes are too small to be told, and most lie on others anyway. */
const mostShapes = 20_000;
/** Of 255: how much of its colour a point keeps while others are selected. */
const faint = 70;

/** Pixels across, of points on a screen of one pixel per point. */
export function pointSize(count: number, magnified: number): number {
  const size = count > 50_000 ? 3 : count > 10_000 ? 4 : count > 2000 ? 6 : 8;
  // Seen closer there is room; a fourth root keeps the impression of the same points.
  return size * Math.min(2, Math.max(1, magnified) ** 0.25);
}

/**
 * Draws points in their order, selected ones above the others.
 * @param size of the raster, and in its pixels · @param across of a point
 */
export function drawPoints(
  raster: Raster,
  view: Viewport,
  size: Size,
  { x, y, count, of, ring, inks, selected }: DrawnPoints,
  { across, ground }: { across: number; ground: Pixel },
): void {
  const shapes = count <= mostShapes;
  const ready = inks.map(({ colour, shape, shown }) => ({
    shown,
    colour,
    faint: mix(colour, ground, faint),
    sprite: raster.placed(spriteOf(shapes ? shape : 'circle', Math.round(across))),
    larger: raster.placed(spriteOf(shapes ? shape : 'circle', Math.round(across) + 2)),
  }));
  const ringSprite = raster.placed(spriteOf('circle', Math.round(across) + 4));
  const { scale } = view;
  const [left, top] = toScreen(view, size, 0, 0);
  for (const above of selected === null ? [0] : [0, 1]) {
    for (let point = 0; point < count; point += 1) {
      if (selected !== null && selected[point] !== above) continue;
      const ink = ready[of[point] as number];
      if (!ink?.shown) continue;
      const px = left + (x[point] as number) * scale;
      const py = top - (y[point] as number) * scale;
      const second = ring === null ? undefined : ready[ring[point] as number];
      if (second)
        raster.put(ringSprite, px, py, selected !== null && above === 0 ? second.faint : second.colour);
      if (selected === null) raster.put(ink.sprite, px, py, ink.colour);
      else raster.put(above === 1 ? ink.larger : ink.sprite, px, py, above === 1 ? ink.colour : ink.faint);
    }
  }
}

/** Stars with an outline. */
export function drawStars(
  raster: Raster,
  view: Viewport,
  size: Size,
  stars: readonly DrawnStar[],
  outline: Pixel,
  unit: number,
): void {
  for (const star of stars) {
    const [px, py] = toScreen(view, size, star.x, star.y);
    raster.stamp(spriteOf('star', Math.round(star.size + 3 * unit)), px, py, outline);
    raster.stamp(spriteOf('star', Math.round(star.size)), px, py, star.colour);
  }
}
