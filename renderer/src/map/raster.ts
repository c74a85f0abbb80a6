import type { Sprite } from './sprites.ts';

/** Pixels kept beyond every edge, so that points at the edge need no cutting. */
const border = 24;

/** A colour in the byte order of image data, opaque. */
export type Pixel = number;

/** @returns the pixel of a CSS colour as computed styles give it: `rgb(1, 2, 3)` or `color(srgb 0.1 0.2 0.3)`. */
export function pixelOf(colour: string): Pixel {
  const parts = Array.from(colour.matchAll(/[\d.]+(?:e-?\d+)?/g), ([text]) => Number(text));
  const [red = 0, green = 0, blue = 0] = colour.startsWith('color(')
    ? parts.map((part) => part * 255)
    : parts;
  return pack(Math.round(red), Math.round(green), Math.round(blue));
}

function pack(red: number, green: number, blue: number): Pixel {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** `cover` 255ths of one colour over another. */
export function mix(over: Pixel, under: Pixel, cover: number): Pixel {
  const part = (shift: number): number => {
    const a = (over >>> shift) & 255;
    const b = (under >>> shift) & 255;
    return b + Math.round(((a - b) * cover) / 255);
  };
  return pack(part(0), part(8), part(16));
}

/** Places of a sprite's pixels from its middle: those that it covers wholly, and others with how much of each, of 256. */
export interface PlacedSprite {
  reach: number;
  whole: Int32Array;
  part: Int32Array;
  cover: Int32Array;
}

/** An opaque picture that is drawn point by point. */
export class Raster {
  readonly width: number;
  readonly height: number;
  /** Pixels per row of {@link pixels}, and the number of its rows. */
  readonly stride: number;
  readonly rows: number;
  readonly pixels: Uint32Array;
  readonly bytes: Uint8ClampedArray<ArrayBuffer>;
  readonly #placed = new Map<Sprite, PlacedSprite>();

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.stride = width + 2 * border;
    this.rows = height + 2 * border;
    const buffer = new ArrayBuffer(this.stride * this.rows * 4);
    this.pixels = new Uint32Array(buffer);
    this.bytes = new Uint8ClampedArray(buffer);
  }

  /** Where the picture begins in the rows of pixels. */
  get border(): number {
    return border;
  }

  clear(colour: Pixel): void {
    this.pixels.fill(colour);
  }

  /** Puts the picture, without its border, on a canvas of its size. */
  show(context: CanvasRenderingContext2D): void {
    const { bytes, stride, rows, width, height } = this;
    context.putImageData(
      new ImageData(bytes, stride, rows),
      ...([-border, -border, border, border, width, height] as const),
    );
  }

  /** Puts a sprite's middle at a place; what does not fit into the picture and its border is left out. */
  stamp(sprite: Sprite, x: number, y: number, colour: Pixel): void {
    this.put(this.placed(sprite), x, y, colour);
  }

  /** The same, of a sprite whose pixels are known: of many stamps of one sprite they are looked up once. */
  put({ reach, whole, part, cover }: PlacedSprite, x: number, y: number, colour: Pixel): void {
    const { pixels, stride } = this;
    const left = Math.round(x) + border;
    const top = Math.round(y) + border;
    if (!(left >= reach && top >= reach && left < stride - reach && top < this.rows - reach)) return;
    const middle = top * stride + left;
    for (let i = 0; i < whole.length; i += 1) pixels[middle + (whole[i] as number)] = colour;
    // Two channels at a time, in whole numbers: most pixels of small points are edges, a million of them in a frame.
    const [redBlue, green] = [colour & 0xff00ff, colour & 0xff00];
    for (let i = 0; i < part.length; i += 1) {
      const place = middle + (part[i] as number);
      const under = pixels[place] as number;
      const over = cover[i] as number;
      const rest = 256 - over;
      const mixedRedBlue = (Math.imul(redBlue, over) + Math.imul(under & 0xff00ff, rest)) >>> 8;
      const mixedGreen = (Math.imul(green, over) + Math.imul(under & 0xff00, rest)) >>> 8;
      pixels[place] = 0xff000000 | (mixedRedBlue & 0xff00ff) | (mixedGreen & 0xff00);
    }
  }

  /** Where the pixels of a sprite lie in this picture. */
  placed(sprite: Sprite): PlacedSprite {
    const known = this.#placed.get(sprite);
    if (known) return known;
    const side = 2 * sprite.reach + 1;
    const [whole, part, cover]: [number[], number[], number[]] = [[], [], []];
    sprite.cover.forEach((own, i) => {
      const place = (Math.floor(i / side) - sprite.reach) * this.stride + (i % side) - sprite.reach;
      if (own === 255) whole.push(place);
      else if (own > 0) {
        part.push(place);
        cover.push(Math.round((own * 256) / 255));
      }
    });
    const placed = {
      reach: sprite.reach,
      whole: Int32Array.from(whole),
      part: Int32Array.from(part),
      cover: Int32Array.from(cover),
    };
    this.#placed.set(sprite, placed);
    return placed;
  }
}
