import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { pictureKind } from '../../../models/audio/index.ts';

/** A file's first bytes, given as hexadecimal digits, then zeros. */
const bytes = (...parts: string[]): Buffer =>
  Buffer.concat([Buffer.from(parts.join('').replaceAll(' ', ''), 'hex'), Buffer.alloc(40)]);

describe('pictureKind', () => {
  it.each([
    ['image/png', 640, 480, bytes('89504e470d0a1a0a 0000000d 49484452', '00000280 000001e0')],
    ['image/gif', 320, 200, bytes('474946383961', '4001 c800')],
    ['image/jpeg', 1500, 1400, bytes('ffd8 ffe0 0010', '00'.repeat(14), 'ffc2 0011 08 0578 05dc')],
    ['image/jpeg', 3, 2, bytes('ffd8 ffff db 0004 0000', 'ffc0 0011 08 0002 0003')],
    [
      'image/webp',
      1001,
      801,
      bytes('52494646 00000000 57454250', '56503858 0a000000 00000000', 'e80300 200300'),
    ],
    [
      'image/webp',
      300,
      200,
      bytes('52494646 00000000 57454250', '56503820 00000000 000000 9d012a', '2c01 c800'),
    ],
    ['image/webp', 17, 33, bytes('52494646 00000000 57454250', '5650384c 00000000 2f', '10000800')],
  ])('knows %s of %i × %i', (mime, width, height, data) => {
    expect(pictureKind(data)).toEqual({ mime, width, height });
  });

  it('knows nothing else, and falls over nothing', () => {
    expect(pictureKind(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBeNull();
    expect(pictureKind(bytes('ffd8 ffda 0004'))).toBeNull();
    const starts = ['ffd8ff', '89504e470d0a1a0a0000000d49484452', '474946383961', '524946460000000057454250'];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }), (start, rest) => {
        const kind = pictureKind(Buffer.concat([Buffer.from(start, 'hex'), rest]));
        return kind === null || (kind.width > 0 && kind.height > 0);
      }),
    );
  });
});
