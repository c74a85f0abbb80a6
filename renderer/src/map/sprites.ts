import { shapePaths } from '../ui/palette.ts';
import type { Shape } from '../ui/palette.ts';

/** A shape as how much of each pixel it covers. */
export interface Sprite {
  /** Pixels on either side of the middle one. */
  reach: number;
  /** `[2·reach + 1, 2·reach + 1]`, 0…255 */
  cover: Uint8Array;
}

export type SpriteShape = Shape | 'star';

type Corner = readonly [number, number];

/** Samples along each side of a pixel. */
const samples = 4;
const sprites = new Map<string, Sprite>();

/** @param size across, in whole pixels */
export function spriteOf(shape: SpriteShape, size: number): Sprite {
  const key = `${shape} ${String(size)}`;
  let sprite = sprites.get(key);
  if (!sprite) {
    sprite = drawn(shape, size);
    sprites.set(key, sprite);
  }
  return sprite;
}

function drawn(shape: SpriteShape, size: number): Sprite {
  const reach = Math.floor(size / 2);
  const side = 2 * reach + 1;
  const cover = new Uint8Array(side * side);
  const inside = insideOf(shape);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      let hits = 0;
      for (let sample = 0; sample < samples * samples; sample += 1) {
        const dx = (sample % samples) / samples + 0.5 / samples - 0.5;
        const dy = Math.floor(sample / samples) / samples + 0.5 / samples - 0.5;
        // Shapes are drawn in a box of ten.
        const x = 5 + ((column - reach + dx) / size) * 10;
        const y = 5 + ((row - reach + dy) / size) * 10;
        if (inside(x, y)) hits += 1;
      }
      cover[row * side + column] = Math.round((hits / (samples * samples)) * 255);
    }
  }
  return { reach, cover };
}

function insideOf(shape: SpriteShape): (x: number, y: number) => boolean {
  if (shape === 'circle') return (x, y) => (x - 5) ** 2 + (y - 5) ** 2 <= 20;
  const corners = shape === 'star' ? starCorners() : cornersOf(shapePaths[shape]);
  return (x, y) => insidePolygon(corners, x, y);
}

function insidePolygon(corners: readonly Corner[], x: number, y: number): boolean {
  let inside = false;
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length] ?? [0, 0];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside;
}

function starCorners(): Corner[] {
  return Array.from({ length: 10 }, (_, i): Corner => {
    const radius = i % 2 === 0 ? 5 : 2.2;
    const angle = (i * Math.PI) / 5 - Math.PI / 2;
    return [5 + radius * Math.cos(angle), 5.3 + radius * Math.sin(angle)];
  });
}

/** Corners of an outline of straight lines (M, L, H, V and their relative forms). */
function cornersOf(path: string): Corner[] {
  let [x, y] = [0, 0];
  const corners: Corner[] = [];
  for (const [, letter = '', rest = ''] of path.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const [a = 0, b = 0] = Array.from(rest.matchAll(/-?\d*\.?\d+/g), ([text]) => Number(text));
    if (letter === 'Z') break;
    const relative = letter === letter.toLowerCase();
    const kind = letter.toUpperCase();
    if (kind === 'H') x = relative ? x + a : a;
    else if (kind === 'V') y = relative ? y + a : a;
    else [x, y] = relative ? [x + a, y + b] : [a, b];
    corners.push([x, y]);
  }
  return corners;
}
