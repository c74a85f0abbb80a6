import type { Pixels } from './picture.ts';
import { at } from '../numerics/vectors.ts';

/** A picture is looked at on so many pixels each way, whatever its size and shape. */
const SIDE = 96;
/** Cells each way of what is told by place. */
const GRID = 4;
/** Steps of hue, saturation and value. */
const STEPS = 8;
/** Directions of gradients, over half a turn: an edge has no sense. */
const DIRECTIONS = 9;

const COLOURS = STEPS ** 3;
const PLACES = 3 * GRID ** 2;

/** Numbers per cover: 512 of its colours, 48 of where they are, 144 of its edges. */
export const COVER_DIM = COLOURS + PLACES + DIRECTIONS * GRID ** 2;

/**
 * What a cover looks like, without any model: roots of a histogram of hue, saturation and value (8 × 8 × 8); mean L*a*b* of 4 × 4
 * cells, in hundredths; roots of a histogram of gradients by direction (9) of 4 × 4 cells, whose lengths are the weights.
 * @returns `[COVER_DIM]`, finite
 */
export function coverFeatures(pixels: Pixels): Float32Array {
  const rgb = resampled(pixels);
  const features = new Float32Array(COVER_DIM);
  const light = new Float64Array(SIDE * SIDE);
  const cell = SIDE / GRID;
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const pixel = y * SIDE + x;
      const [r, g, b] = [at(rgb, 3 * pixel), at(rgb, 3 * pixel + 1), at(rgb, 3 * pixel + 2)];
      const colour = colourStep(r, g, b);
      features[colour] = at(features, colour) + 1;
      const place = COLOURS + 3 * (Math.floor(y / cell) * GRID + Math.floor(x / cell));
      const lab = toLab(r, g, b);
      light[pixel] = lab[0];
      for (let c = 0; c < 3; c++)
        features[place + c] = at(features, place + c) + (lab[c] ?? 0) / (100 * cell * cell);
    }
  addGradients(features, light);
  root(features, 0, COLOURS);
  root(features, COLOURS + PLACES, COVER_DIM);
  return features;
}

/** Means of the pixels that fall onto each of `SIDE × SIDE`, 0…1; of small pictures the nearest pixel. */
function resampled({ width, height, rgb }: Pixels): Float64Array {
  const out = new Float64Array(3 * SIDE * SIDE);
  const span = (i: number, length: number): [number, number] => {
    const from = Math.floor((i * length) / SIDE);
    return [from, Math.max(from + 1, Math.floor(((i + 1) * length) / SIDE))];
  };
  for (let y = 0; y < SIDE; y++) {
    const [top, bottom] = span(y, height);
    for (let x = 0; x < SIDE; x++) {
      const [left, right] = span(x, width);
      const scale = 1 / (255 * (bottom - top) * (right - left));
      const to = 3 * (y * SIDE + x);
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++)
          for (let c = 0; c < 3; c++)
            out[to + c] = at(out, to + c) + scale * at(rgb, 3 * (row * width + column) + c);
    }
  }
  return out;
}

/** Number of the step of hue, saturation and value; grey has hue 0. */
function colourStep(r: number, g: number, b: number): number {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  const hue =
    range === 0
      ? 0
      : most === r
        ? ((g - b) / range + 6) % 6
        : most === g
          ? (b - r) / range + 2
          : (r - g) / range + 4;
  const step = (share: number): number => Math.min(STEPS - 1, Math.floor(share * STEPS));
  return (step(hue / 6) * STEPS + step(most === 0 ? 0 : range / most)) * STEPS + step(most);
}

/** sRGB 0…1 to CIE L*a*b* under D65. */
function toLab(r: number, g: number, b: number): [number, number, number] {
  const [R, G, B] = [linear(r), linear(g), linear(b)];
  const fx = bent((0.4124564 * R + 0.3575761 * G + 0.1804375 * B) / 0.95047);
  const fy = bent(0.2126729 * R + 0.7151522 * G + 0.072175 * B);
  const fz = bent((0.0193339 * R + 0.119192 * G + 0.9503041 * B) / 1.08883);
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const linear = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const bent = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (841 / 108) * t + 4 / 29);

function addGradients(features: Float32Array, light: Float64Array): void {
  const cell = SIDE / GRID;
  for (let y = 1; y < SIDE - 1; y++)
    for (let x = 1; x < SIDE - 1; x++) {
      const dx = at(light, y * SIDE + x + 1) - at(light, y * SIDE + x - 1);
      const dy = at(light, (y + 1) * SIDE + x) - at(light, (y - 1) * SIDE + x);
      const turn = ((Math.atan2(dy, dx) / Math.PI + 2) % 1) * DIRECTIONS;
      const to =
        COLOURS +
        PLACES +
        DIRECTIONS * (Math.floor(y / cell) * GRID + Math.floor(x / cell)) +
        (Math.floor(turn) % DIRECTIONS);
      features[to] = at(features, to) + Math.hypot(dx, dy);
    }
}

/** Roots of shares: differences then count as between distributions (Hellinger). What is empty stays so. */
function root(features: Float32Array, from: number, to: number): void {
  let sum = 0;
  for (let i = from; i < to; i++) sum += at(features, i);
  if (sum <= 0) return;
  for (let i = from; i < to; i++) features[i] = Math.sqrt(at(features, i) / sum);
}
