import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
// @ts-expect-error -- a script without types
import { drawIcon, icns, ico, png } from '../../scripts/icons.mjs';

const draw = drawIcon as (size: number) => Buffer;
const encode = png as (pixels: Buffer, size: number) => Buffer;

/** The pixels of a PNG file without filters. */
function decode(file: Buffer, size: number): Buffer {
  const at = file.indexOf('IDAT');
  const rows = inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)));
  return Buffer.concat(
    Array.from({ length: size }, (_, row) => {
      const start = row * (size * 4 + 1);
      return rows.subarray(start + 1, start + 1 + size * 4);
    }),
  );
}

describe('the icon', () => {
  it('is a light wave with a dot on a ground with round corners, at every size', () => {
    for (const size of [16, 48, 256]) {
      const pixels = draw(size);
      const at = (x: number, y: number): number[] => [
        ...pixels.subarray((Math.floor(y * size) * size + Math.floor(x * size)) * 4).subarray(0, 4),
      ];
      expect(at(0, 0)[3], 'corner').toBe(0);
      expect(at(0.5, 0.5), 'dot').toEqual([255, 183, 77, 255]);
      const [red = 0, , blue = 0, alpha] = at(0.5, 0.12);
      expect([red < blue, alpha], 'ground').toEqual([true, 255]);
    }
    expect(decode(encode(draw(48), 48), 48).equals(draw(48))).toBe(true);
  });

  it('is put into the files of Windows and macOS at the places they tell', () => {
    const files = new Map(
      [16, 32, 64, 128, 256, 512, 1024].map((size) => [size, Buffer.alloc(size, size % 251)]),
    );
    const images = [16, 256].map((size) => ({ size, file: files.get(size) ?? Buffer.alloc(0) }));
    const windows = (ico as (list: typeof images) => Buffer)(images);
    images.forEach(({ size, file }, i) => {
      const entry = windows.subarray(6 + 16 * i);
      expect(entry[0]).toBe(size % 256);
      const offset = entry.readUInt32LE(12);
      expect(windows.subarray(offset, offset + entry.readUInt32LE(8)).equals(file)).toBe(true);
    });
    const mac = (icns as (fileOf: (size: number) => Buffer) => Buffer)(
      (size) => files.get(size) ?? Buffer.alloc(0),
    );
    expect(mac.toString('latin1', 0, 4)).toBe('icns');
    expect(mac.readUInt32BE(4)).toBe(mac.length);
    let offset = 8;
    let parts = 0;
    while (offset < mac.length) {
      offset += mac.readUInt32BE(offset + 4);
      parts += 1;
    }
    expect([offset, parts]).toEqual([mac.length, 8]);
  });
});
