import type { Projection } from '../../../engine/api/projection.ts';
import { resolveColour } from '../ui/palette.ts';
import type { Colouring } from './colouring.ts';
import { drawDensity } from './density.ts';
import { drawPoints, drawStars, pointSize } from './draw-points.ts';
import type { Ink } from './draw-points.ts';
import { overlayColours } from './overlay.ts';
import type { OverlayColours } from './overlay.ts';
import { mix, pixelOf } from './raster.ts';
import type { Pixel, Raster } from './raster.ts';
import type { Viewport } from './viewport.ts';

/** Across, in pixels of the screen, of a star that is as large as usual. */
export const starSize = 14;

/** A prototype: the class colour, and how large it is (1: as usual). */
export interface Star {
  point: number;
  variable: string;
  size: number;
}

/** The colours of a theme. */
export interface MapColours {
  ground: Pixel;
  accent: Pixel;
  text: Pixel;
  overlay: OverlayColours;
  ramp: readonly [low: Pixel, middle: Pixel, high: Pixel];
  /** Of a CSS custom property. */
  of: (variable: string) => Pixel;
}

/** The colours as the style of the page has them at the time of the call. */
export function mapColours(): MapColours {
  const known = new Map<string, Pixel>();
  const of = (variable: string): Pixel => {
    const pixel = known.get(variable) ?? pixelOf(resolveColour(variable));
    known.set(variable, pixel);
    return pixel;
  };
  return {
    ...{ ground: of('--surface'), accent: of('--accent'), text: of('--text'), of },
    overlay: overlayColours(),
    ramp: [of('--ramp-low'), of('--ramp-middle'), of('--ramp-high')],
  };
}

/** How the points of each paint are drawn: a class in its colour and shape, a value in the colour of its share. */
export function inksOf(
  colouring: Colouring,
  colours: MapColours,
  isShown: (paint: number) => boolean,
): Ink[] {
  return colouring.paints.map(({ look, share }, paint) => ({
    colour: look ? colours.of(look.variable) : onRamp(colours.ramp, share),
    shape: look?.shape ?? 'circle',
    shown: isShown(paint),
  }));
}

function onRamp([low, middle, high]: MapColours['ramp'], share: number): Pixel {
  return share < 0.5 ? mix(middle, low, share * 510) : mix(high, middle, (share - 0.5) * 510);
}

/** What lies on the ground, wherever one looks. */
export interface Scene {
  projection: Projection;
  colouring: Colouring;
  colours: MapColours;
  inks: readonly Ink[];
  stars: readonly Star[];
  /** `[points]`: 1 for those that are selected; null where all are alike. */
  selected: Uint8Array | null;
  /** Of the view that shows all. */
  wholeScale: number;
  density: boolean;
  isShown: (point: number) => boolean;
}

/**
 * Draws what lies on the ground of the map: how dense it is, points and stars.
 * @param unit pixels of the raster per pixel of the screen
 * @param densest of another picture of the same scene, so that tints are alike; not given: of this one
 * @returns how many points the strongest tint stands for, 0 without tints
 */
export function drawGround(
  raster: Raster,
  scene: Scene,
  view: Viewport,
  unit: number,
  densest?: number,
): number {
  const { projection, colouring, colours, inks, stars, selected } = scene;
  const { x, y, points } = projection;
  const { width, height } = raster;
  const size = { width, height };
  const finer = { ...view, scale: view.scale * unit };
  raster.clear(colours.ground);
  let most = 0;
  if (scene.density) {
    const tint = { tint: colours.accent, ground: colours.ground, count: points.count, densest };
    most = drawDensity(raster, finer, size, { x, y, shown: scene.isShown }, tint);
  }
  drawPoints(
    raster,
    finer,
    size,
    { x, y, count: points.count, of: colouring.of, ring: colouring.ring, inks, selected },
    { across: pointSize(points.count, view.scale / scene.wholeScale) * unit, ground: colours.ground },
  );
  drawStars(
    raster,
    finer,
    size,
    stars.map(({ point, variable, size: times }) => ({
      ...{ x: x[point] ?? 0, y: y[point] ?? 0, colour: colours.of(variable) },
      size: starSize * times * unit,
    })),
    colours.text,
    unit,
  );
  return most;
}
