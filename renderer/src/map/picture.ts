import { drawGround } from './ground.ts';
import type { Scene } from './ground.ts';
import { beyond, movement } from './moved.ts';
import { drawOverlay, drawTicks, isBlank } from './overlay.ts';
import type { Overlay, OverlayColours } from './overlay.ts';
import { Raster } from './raster.ts';
import type { Size, Viewport } from './viewport.ts';

/** The canvases of a map, from below. */
export interface Layers {
  /** The points as they are. */
  ground: HTMLCanvasElement;
  /** A larger picture of them that is moved and magnified while what is seen moves. */
  moved: HTMLCanvasElement;
  above: HTMLCanvasElement;
  /** The values along the lower edge, and along the left one. */
  across: HTMLCanvasElement;
  up: HTMLCanvasElement;
}

/** Pixels of the screen. */
const acrossHeight = 20;
const upWidth = 72;

/**
 * Draws a map. Where a browser has no graphics card, to put a new picture into a canvas takes it longer than drawing the
 * points does. So while what is seen moves, one picture that is larger than the window is moved, and drawn again where it is at its
 * end; and the values along the edges, which change with every step, have small canvases of their own.
 */
export class MapPicture {
  readonly #layers: Layers;
  #size: Size = { width: 0, height: 0 };
  #unit = 0;
  #raster = new Raster(1, 1);
  #wide: Raster | null = null;
  /** What lies in the canvas that is moved. */
  #drawn: { scene: Scene; view: Viewport } | null = null;
  #densest = 0;
  #blank = true;

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  /** Makes room; whether everything has to be drawn again. */
  resize(size: Size, unit: number): boolean {
    if (unit === this.#unit && size.width === this.#size.width && size.height === this.#size.height)
      return false;
    const { ground, above, across, up, moved } = this.#layers;
    [this.#size, this.#unit, this.#wide, this.#drawn, this.#blank] = [size, unit, null, null, true];
    const pixels = (length: number): number => Math.round(length * unit);
    const [width, height] = [pixels(size.width), pixels(size.height)];
    this.#raster = new Raster(width, height);
    for (const canvas of [ground, above]) [canvas.width, canvas.height] = [width, height];
    [across.width, across.height] = [width, pixels(acrossHeight)];
    [up.width, up.height] = [pixels(upWidth), height];
    for (const [canvas, reach] of [
      [ground, 0],
      [above, 0],
      [moved, beyond],
    ] as const) {
      Object.assign(canvas.style, {
        ...{ left: `${String(-reach)}px`, top: `${String(-reach)}px` },
        ...{ width: `${String(size.width + 2 * reach)}px`, height: `${String(size.height + 2 * reach)}px` },
      });
    }
    Object.assign(across.style, {
      bottom: '0',
      width: `${String(size.width)}px`,
      height: `${String(acrossHeight)}px`,
    });
    Object.assign(up.style, { width: `${String(upWidth)}px`, height: `${String(size.height)}px` });
    return true;
  }

  /** Draws the points as they are. */
  draw(scene: Scene, view: Viewport): void {
    this.#densest = drawGround(this.#raster, scene, view, this.#unit);
    show(this.#raster, this.#layers.ground);
    this.#layers.moved.style.visibility = 'hidden';
  }

  /** Shows about the same picture, at a small part of the work. */
  move(scene: Scene, view: Viewport): void {
    const { moved } = this.#layers;
    let movedBy =
      this.#drawn?.scene === scene ? movement(this.#drawn.view, view, this.#size, this.#unit) : null;
    if (!movedBy) {
      this.#drawAround(scene, view);
      movedBy = { x: 0, y: 0, scale: 1 };
    }
    const { x, y, scale } = movedBy;
    moved.style.transform = `translate(${String(x)}px, ${String(y)}px) scale(${String(scale)})`;
    moved.style.visibility = 'visible';
  }

  /** Draws what lies above the points; nothing where there is nothing and was nothing. */
  drawAbove(view: Viewport, colours: OverlayColours, overlay: Overlay): void {
    const blank = isBlank(overlay);
    if (blank && this.#blank) return;
    this.#blank = blank;
    const context = this.#layers.above.getContext('2d');
    context?.setTransform(this.#unit, 0, 0, this.#unit, 0, 0);
    if (context) drawOverlay(context, view, this.#size, colours, overlay);
  }

  /** @param shown whether values along the edges mean something */
  drawAxes(view: Viewport, colours: OverlayColours, shown: boolean): void {
    const [across, up] = [this.#layers.across.getContext('2d'), this.#layers.up.getContext('2d')];
    if (!across || !up) return;
    across.setTransform(this.#unit, 0, 0, this.#unit, 0, 0);
    up.setTransform(this.#unit, 0, 0, this.#unit, 0, 0);
    const size = this.#size;
    across.clearRect(0, 0, size.width, acrossHeight);
    up.clearRect(0, 0, upWidth, size.height);
    across.translate(0, acrossHeight - size.height);
    if (shown) drawTicks({ across, up }, view, size, colours);
  }

  #drawAround(scene: Scene, view: Viewport): void {
    const { moved, ground } = this.#layers;
    const more = 2 * Math.round(beyond * this.#unit);
    const [width, height] = [ground.width + more, ground.height + more];
    if (!this.#wide) {
      this.#wide = new Raster(width, height);
      [moved.width, moved.height] = [width, height];
    }
    // Tints stay as they are: the most may lie beyond the edge.
    drawGround(this.#wide, scene, view, this.#unit, this.#densest || undefined);
    show(this.#wide, moved);
    this.#drawn = { scene, view };
  }
}

function show(raster: Raster, canvas: HTMLCanvasElement): void {
  const context = canvas.getContext('2d', { alpha: false });
  if (context) raster.show(context);
}
