/** What a picture is, by its first bytes; nothing of it is decoded. */
export interface PictureKind {
  mime: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp';
  /** In pixels. */
  width: number;
  height: number;
}

const text = (bytes: Buffer, start: number, length: number): string =>
  bytes.toString('latin1', start, start + length);

/** Frames that tell the size: all SOF markers; C4, C8 and CC are other things. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function jpegSize(bytes: Buffer): [number, number] | null {
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    // Fill bytes, and markers without a body.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (isFrame(marker)) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    else if (marker === 0xd9 || marker === 0xda) return null;
    else at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  return null;
}

function webpSize(bytes: Buffer): [number, number] | null {
  if (bytes.length < 30) return null;
  switch (text(bytes, 12, 4)) {
    case 'VP8X':
      return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1];
    case 'VP8 ':
      return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff];
    case 'VP8L': {
      const sizes = bytes.readUInt32LE(21);
      return [(sizes & 0x3fff) + 1, ((sizes >>> 14) & 0x3fff) + 1];
    }
    default:
      return null;
  }
}

const kinds: readonly {
  mime: PictureKind['mime'];
  is: (bytes: Buffer) => boolean;
  size: (bytes: Buffer) => [number, number] | null;
}[] = [
  { mime: 'image/jpeg', is: (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff, size: jpegSize },
  {
    mime: 'image/png',
    is: (b) => text(b, 0, 8) === '\x89PNG\r\n\x1a\n' && text(b, 12, 4) === 'IHDR',
    size: (b) => [b.readUInt32BE(16), b.readUInt32BE(20)],
  },
  {
    mime: 'image/gif',
    is: (b) => ['GIF87a', 'GIF89a'].includes(text(b, 0, 6)),
    size: (b) => [b.readUInt16LE(6), b.readUInt16LE(8)],
  },
  { mime: 'image/webp', is: (b) => text(b, 0, 4) === 'RIFF' && text(b, 8, 4) === 'WEBP', size: webpSize },
];

/** @returns null for anything else, whatever it is called, and for a picture that does not tell its size */
export function pictureKind(data: Uint8Array): PictureKind | null {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < 24) return null;
  const kind = kinds.find(({ is }) => is(bytes));
  const size = kind?.size(bytes);
  if (!kind || !size) return null;
  const [width, height] = size;
  return width > 0 && height > 0 ? { mime: kind.mime, width, height } : null;
}
