import { at } from '../numerics/vectors.ts';
import type { ImageCard } from './image-card.ts';
import type { Pixels } from './picture.ts';

type Shape = Pick<ImageCard, 'width' | 'height' | 'layout' | 'channels' | 'fit' | 'divisor' | 'mean' | 'std'>;

/**
 * A picture as an image network takes it, `[3 · height · width]` in the order of its card. Each pixel is the mean of the pixels that
 * fall onto it; of small pictures the nearest one.
 */
export function imageInput({ width, height, rgb }: Pixels, card: Shape): Float32Array {
  const part = partOf(width, height, card);
  const input = new Float32Array(3 * card.width * card.height);
  const order = card.channels === 'rgb' ? [0, 1, 2] : [2, 1, 0];
  for (let y = 0; y < card.height; y++) {
    const [top, bottom] = span(y, card.height, part.top, part.height);
    for (let x = 0; x < card.width; x++) {
      const [left, right] = span(x, card.width, part.left, part.width);
      for (const [c, from] of order.entries()) {
        let sum = 0;
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++) sum += at(rgb, 3 * (row * width + column) + from);
        const sample = sum / ((bottom - top) * (right - left));
        const value = (sample / card.divisor - at(card.mean, c)) / at(card.std, c);
        const pixel = y * card.width + x;
        input[card.layout === 'nchw' ? c * card.width * card.height + pixel : 3 * pixel + c] = value;
      }
    }
  }
  return input;
}

/** The part of a picture that is looked at. */
function partOf(
  width: number,
  height: number,
  card: Shape,
): { left: number; top: number; width: number; height: number } {
  if (card.fit === 'squash') return { left: 0, top: 0, width, height };
  const scale = Math.min(width / card.width, height / card.height);
  const own = {
    width: Math.max(1, Math.round(scale * card.width)),
    height: Math.max(1, Math.round(scale * card.height)),
  };
  return {
    ...own,
    left: Math.floor((width - own.width) / 2),
    top: Math.floor((height - own.height) / 2),
  };
}

/** The pixels that fall onto place `i` of `places`; one at least. */
function span(i: number, places: number, start: number, length: number): [number, number] {
  const from = start + Math.floor((i * length) / places);
  return [from, Math.max(from + 1, start + Math.floor(((i + 1) * length) / places))];
}
