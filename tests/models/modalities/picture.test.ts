import { deflateSync } from 'node:zlib';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { afterAll, describe, expect, it } from 'vitest';
import { COVER_DIM, coverFeatures } from '../../../models/modalities/cover-features.ts';
import { decodePicture, MOST_SIDE, readPicture } from '../../../models/modalities/picture.ts';

type Colour = readonly [number, number, number];

/** Halves of two colours, side by side. */
function halves(left: Colour, right: Colour, side = 64): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const column = Math.floor(i / 3) % side;
    return (column < side / 2 ? left : right)[i % 3] ?? 0;
  });
}
const rgba = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: (rgb.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
  );
const red: Colour = [220, 30, 40];
const blue: Colour = [20, 60, 200];
const plain = halves(red, blue);
const png = encodePng({ width: 64, height: 64, data: plain, channels: 3, depth: 8 });
const jpeg = encodeJpeg({ width: 64, height: 64, data: rgba(plain) }, 95).data;

/** A PNG of some pieces, with right checksums where the reader looks at them. */
function pieces(...some: [string, Uint8Array][]): Uint8Array {
  const crc = (bytes: Buffer): number => {
    let value = 0xffffffff;
    for (const byte of bytes) {
      value ^= byte;
      for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    }
    return (value ^ 0xffffffff) >>> 0;
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...some.map(([type, data]) => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      const frame = Buffer.alloc(8);
      frame.writeUInt32BE(data.length, 0);
      frame.writeUInt32BE(crc(body), 4);
      return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    }),
  ]);
}
function header(width: number, height: number, depth = 8, colour = 2): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, 0], 8);
  return data;
}

const folder = mkdtempSync(join(tmpdir(), 'archetone-pictures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a picture', () => {
  it('is read from PNG as it was, and from JPEG nearly so', () => {
    expect(decodePicture(png, 'a.png')).toEqual({ width: 64, height: 64, rgb: plain });
    const { rgb } = decodePicture(jpeg, 'a.jpg');
    // Away from the edge between the colours.
    expect([...rgb.subarray(0, 3)].every((value, c) => Math.abs(value - (red[c] ?? 0)) < 8)).toBe(true);
    expect([...rgb.subarray(-3)].every((value, c) => Math.abs(value - (blue[c] ?? 0)) < 8)).toBe(true);
  });

  it('is read from PNG of a palette, of one bit, of 16 bits, of grey, and over white where it shows through', () => {
    const indexed = pieces(
      ['IHDR', header(4, 1, 2, 3)],
      ['PLTE', Uint8Array.from([...red, ...blue, 1, 2, 3])],
      ['tRNS', Uint8Array.from([255, 0])],
      ['IDAT', deflateSync(Uint8Array.from([0, 0b00_01_10_00]))],
      ['IEND', new Uint8Array()],
    );
    expect([...decodePicture(indexed, 'a').rgb]).toEqual([...red, 255, 255, 255, 1, 2, 3, ...red]);
    const bits = pieces(
      ['IHDR', header(9, 2, 1, 0)],
      ['IDAT', deflateSync(Uint8Array.from([0, 0b1010_0000, 0b1000_0000, 0, 0, 0]))],
      ['IEND', new Uint8Array()],
    );
    const white = [...decodePicture(bits, 'a').rgb].filter((_, i) => i % 3 === 0);
    expect(white).toEqual([255, 0, 255, 0, 0, 0, 0, 0, 255, ...Array.from({ length: 9 }, () => 0)]);
    const deep = encodePng({
      width: 1,
      height: 1,
      channels: 4,
      depth: 16,
      data: Uint16Array.from([65535, 0, 0, 0]),
    });
    expect([...decodePicture(deep, 'a').rgb]).toEqual([255, 255, 255]);
    const grey = encodePng({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.from([7, 200]) });
    expect([...decodePicture(grey, 'a').rgb]).toEqual([7, 7, 7, 200, 200, 200]);
  });

  it.each([
    ['not-a-picture', Buffer.from('This is a text that calls itself a cover.')],
    ['too-large', pieces(['IHDR', header(20_000, 600)], ['IDAT', deflateSync(new Uint8Array(10))])],
    ['too-large', pieces(['IHDR', header(MOST_SIDE, MOST_SIDE)])],
    ['other-kind', Buffer.from('GIF89a\x10\x00\x10\x00'.padEnd(40, '\0'), 'latin1')],
    ['damaged', jpeg.subarray(0, Math.floor(jpeg.length * 0.7))],
    ['damaged', png.subarray(0, png.length - 20)],
    [
      'damaged',
      pieces(
        ['IHDR', header(8, 8)],
        ['IDAT', deflateSync(new Uint8Array(5_000_000))],
        ['IEND', new Uint8Array()],
      ),
    ],
    ['damaged', pieces(['IHDR', header(64, 64)], ['IEND', new Uint8Array()])],
  ] as const)('is refused: %s', (code, bytes) => {
    expect(() => decodePicture(bytes, 'cover')).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('of a file is refused with its path where there is none', async () => {
    const path = join(folder, 'cover.png');
    await expect(readPicture(path)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining(path) as string,
    });
    writeFileSync(path, png);
    expect((await readPicture(path)).width).toBe(64);
  });
});

describe('what a cover looks like', () => {
  const of = (left: Colour, right: Colour, side = 64): Float32Array =>
    coverFeatures({ width: side, height: side, rgb: halves(left, right, side) });
  const apart = (a: Float32Array, b: Float32Array): number =>
    Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0));

  it('depends on colours, where they are and edges, hardly on size, and is finite for any picture', () => {
    const own = of(red, blue);
    expect(own).toHaveLength(COVER_DIM);
    expect(own.every(Number.isFinite)).toBe(true);
    // Half of it each of two colours: the roots of two halves.
    expect([...own.subarray(0, 512)].filter((value) => value > 0)).toEqual([
      Math.fround(Math.SQRT1_2),
      Math.fround(Math.SQRT1_2),
    ]);
    expect(apart(own, of(red, blue, 400))).toBeLessThan(0.45);
    expect(apart(own, of(blue, red))).toBeGreaterThan(0.5);
    expect(apart(own, of(red, red))).toBeGreaterThan(1);
    const black = coverFeatures({ width: 1, height: 1, rgb: new Uint8Array(3) });
    expect(black.every(Number.isFinite)).toBe(true);
  });

  it('tells an edge that stands from one that lies', () => {
    const standing = of([0, 0, 0], [255, 255, 255]).subarray(560);
    const lying = coverFeatures({
      width: 64,
      height: 64,
      rgb: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i < 64 * 32 * 3 ? 0 : 255)),
    }).subarray(560);
    const direction = (edges: Float32Array): number => {
      const sums = Array.from({ length: 9 }, (_, d) =>
        edges.reduce((sum, value, i) => sum + (i % 9 === d ? value : 0), 0),
      );
      return sums.indexOf(Math.max(...sums));
    };
    expect(direction(standing)).toBe(0);
    expect(direction(lying)).toBe(4);
  });
});
