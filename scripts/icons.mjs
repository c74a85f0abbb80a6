/**
 * Draws the application's icon into dist/icons, from the geometry below: PNG files, and from them archetone.ico (Windows)
 * and archetone.icns (macOS). The same mark stands in the window's navigation.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { root } from './lib.mjs';

/** Cubic curves of the wave, on a field of 20 × 20: start, two handles, end. */
const curves = [
  [
    [2, 12],
    [4, 12],
    [4, 6],
    [6, 6],
  ],
  [
    [6, 6],
    [8, 6],
    [8, 16],
    [10, 16],
  ],
  [
    [10, 16],
    [12, 16],
    [12, 4],
    [14, 4],
  ],
  [
    [14, 4],
    [16, 4],
    [16, 12],
    [18, 12],
  ],
];
const dot = { x: 10, y: 10, radius: 2.4 };
const colours = { ground: [0, 94, 148], wave: [255, 255, 255], dot: [255, 183, 77] };
/** Corner of the ground, and the part of the icon that the mark fills. */
const corner = 0.22;
const share = 0.74;
const pngSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];

const points = curves.flatMap((curve) =>
  Array.from({ length: 25 }, (_, i) => {
    const t = i / 24;
    const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
    return [0, 1].map((axis) => curve.reduce((sum, point, k) => sum + weights[k] * point[axis], 0));
  }),
);

function distanceToWave(x, y) {
  let least = Infinity;
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1];
    const [bx, by] = points[i];
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    const t = length > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
    least = Math.min(least, (ax + t * dx - x) ** 2 + (ay + t * dy - y) ** 2);
  }
  return Math.sqrt(least);
}

/** Of a square with round corners around 0, by its half width; negative inside. */
function distanceToGround(x, y, half, radius) {
  const [qx, qy] = [Math.abs(x) - half + radius, Math.abs(y) - half + radius];
  return Math.hypot(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - radius;
}

/** Pixels of the icon, four bytes each. */
export function drawIcon(size) {
  const pixels = Buffer.alloc(size * size * 4);
  const scale = (size * share) / 20;
  // Thin lines vanish in the small ones.
  const half = size <= 32 ? 1.15 : 0.85;
  const cover = (distance) => Math.min(1, Math.max(0, 0.5 - distance));
  const margin = size >= 128 ? size * 0.04 : 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [cx, cy] = [column + 0.5 - size / 2, row + 0.5 - size / 2];
      const ground = cover(distanceToGround(cx, cy, size / 2 - margin, corner * size));
      if (ground === 0) continue;
      const [x, y] = [cx / scale + 10, cy / scale + 10];
      const wave = cover((distanceToWave(x, y) - half) * scale);
      const inDot = cover((Math.hypot(x - dot.x, y - dot.y) - dot.radius) * scale);
      const at = (row * size + column) * 4;
      for (let c = 0; c < 3; c++) {
        const under = colours.ground[c] * (1 - wave) + colours.wave[c] * wave;
        pixels[at + c] = Math.round(under * (1 - inDot) + colours.dot[c] * inDot);
      }
      pixels[at + 3] = Math.round(255 * ground);
    }
  }
  return pixels;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG file (ISO 15948) of pixels of four bytes. */
export function png(pixels, size) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const rows = Buffer.concat(
    Array.from({ length: size }, (_, row) =>
      Buffer.concat([Buffer.from([0]), pixels.subarray(row * size * 4, (row + 1) * size * 4)]),
    ),
  );
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** An icon of Windows, which holds PNG files since Vista. */
export function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  images.forEach(({ size, file }, i) => {
    const at = 6 + 16 * i;
    head.set([size % 256, size % 256], at);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(file.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += file.length;
  });
  return Buffer.concat([head, ...images.map(({ file }) => file)]);
}

/** Types of the pictures in an icon of macOS, by their size in pixels; some are those of doubled screens. */
const icnsTypes = { ic11: 32, ic12: 64, ic07: 128, ic13: 256, ic08: 256, ic14: 512, ic09: 512, ic10: 1024 };

/** An icon of macOS. */
export function icns(fileOf) {
  const parts = Object.entries(icnsTypes).map(([type, size]) => {
    const file = fileOf(size);
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(file.length + 8, 4);
    return Buffer.concat([head, file]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 'latin1');
  head.writeUInt32BE(8 + parts.reduce((sum, { length }) => sum + length, 0), 4);
  return Buffer.concat([head, ...parts]);
}

/** Writes all of them; @returns their folder */
export function writeIcons(folder = join(root, 'dist', 'icons')) {
  mkdirSync(folder, { recursive: true });
  const files = new Map(pngSizes.map((size) => [size, png(drawIcon(size), size)]));
  for (const [size, file] of files) writeFileSync(join(folder, `${size}.png`), file);
  const small = [16, 24, 32, 48, 64, 256].map((size) => ({ size, file: files.get(size) }));
  writeFileSync(join(folder, 'archetone.ico'), ico(small));
  writeFileSync(
    join(folder, 'archetone.icns'),
    icns((size) => files.get(size)),
  );
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(writeIcons());
