import type { Size, Viewport } from './viewport.ts';

/** Pixels of the screen that a picture which is moved reaches beyond every edge; whole cells of the density. */
export const beyond = 160;
/** How much smaller or larger than drawn it is shown at most. */
const [least, most] = [0.7, 1.5];

/** How a picture that was drawn for one viewport is laid over another: magnified around its middle, then moved by pixels. */
export interface Movement {
  x: number;
  y: number;
  scale: number;
}

/**
 * @param drawn the viewport of the picture, which reaches {@link beyond} every edge · @param view the one to be shown
 * @param unit pixels of the picture for each of the screen; a picture that keeps its size moves by whole ones, as it would blur
 * @returns null where the picture does not cover what is to be seen, or would be too coarse
 */
export function movement(drawn: Viewport, view: Viewport, size: Size, unit: number): Movement | null {
  const scale = view.scale / drawn.scale;
  if (!(scale >= least && scale <= most)) return null;
  const whole = (pixels: number): number => (scale === 1 ? Math.round(pixels * unit) / unit : pixels);
  const x = whole((drawn.x - view.x) * view.scale);
  const y = whole((view.y - drawn.y) * view.scale);
  const covers = (length: number, moved: number): boolean =>
    length / 2 + Math.abs(moved) <= scale * (length / 2 + beyond);
  return covers(size.width, x) && covers(size.height, y) ? { x, y, scale } : null;
}
