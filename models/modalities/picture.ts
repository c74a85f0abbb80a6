import { inflateSync } from 'node:zlib';
import { decode as decodePng } from 'fast-png';
import { decode as decodeJpeg } from 'jpeg-js';
import { fileToOpen, MAX_COVER_BYTES, pictureKind, type PictureKind } from '../audio/index.ts';
import { FileReadError, readBounded } from '../files/read.ts';

/** Longest side, in pixels, and pixels of a picture that is looked at: a header may promise what fills the memory. */
export const MOST_SIDE = 8192;
export const MOST_PIXELS = 16_000_000;
const MOST_MEGABYTES = 512;

export type PictureErrorCode =
  'missing' | 'unreadable' | 'not-a-picture' | 'other-kind' | 'too-large' | 'damaged';

/** Why a picture cannot be looked at: `message` says what is wrong with it, `hint` what to do. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
  readonly code: PictureErrorCode;
  readonly hint: string;

  constructor(code: PictureErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Red, green and blue, `[height, width, 3]`, 0…255; what shows through is white. */
export interface Pixels {
  width: number;
  height: number;
  rgb: Uint8Array;
}

const HINT = 'Give a JPEG or PNG file.';

/** @throws PictureError */
export async function readPicture(path: string): Promise<Pixels> {
  const bytes = await readBounded(fileToOpen(path), MAX_COVER_BYTES).catch((thrown: unknown) => {
    throw thrown instanceof FileReadError ? notRead(path, thrown) : thrown;
  });
  return decodePicture(bytes, path);
}

function notRead(path: string, { problem, bytes, message }: FileReadError): PictureError {
  if (problem === 'missing' || problem === 'not-a-file')
    return new PictureError('missing', `There is no file ${path}.`, HINT);
  if (problem === 'too-large')
    return new PictureError(
      'too-large',
      `${path} has ${bytes ?? 'too many'} bytes; pictures of up to ${MAX_COVER_BYTES} are looked at.`,
      'Save it smaller.',
    );
  return new PictureError(
    'unreadable',
    `${path} cannot be read: ${message}`,
    'Check its rights and its drive.',
  );
}

/**
 * Decodes a JPEG or PNG. Its header is looked at first, so that one that is too large costs nothing.
 * @param name for messages · @throws PictureError
 */
export function decodePicture(bytes: Uint8Array, name: string): Pixels {
  const kind = pictureKind(bytes);
  if (!kind) throw new PictureError('not-a-picture', `${name} is no picture.`, HINT);
  const { width, height, mime } = kind;
  if (width > MOST_SIDE || height > MOST_SIDE || width * height > MOST_PIXELS)
    throw new PictureError(
      'too-large',
      `${name} has ${width} × ${height} pixels; up to ${MOST_SIDE} each way and ${MOST_PIXELS} together are looked at.`,
      'Save it smaller.',
    );
  const decoder = decoders[mime];
  if (!decoder) throw new PictureError('other-kind', `${name} is ${mime}, which is not looked at.`, HINT);
  try {
    return decoder(bytes, kind);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PictureError(
      'damaged',
      `${name} is damaged: ${reason}`,
      'Open it in another program and save it anew.',
    );
  }
}

type Decoder = (bytes: Uint8Array, kind: PictureKind) => Pixels;

/** Those of the kinds that covers are nearly always of. */
const decoders: Partial<Record<PictureKind['mime'], Decoder>> = {
  'image/jpeg': (bytes) => {
    const { width, height, data } = decodeJpeg(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      // Without it what is cut off would be grey, as if it belonged to the picture.
      tolerantDecoding: false,
      maxResolutionInMP: MOST_PIXELS / 1e6,
      maxMemoryUsageInMB: MOST_MEGABYTES,
    });
    return { width, height, rgb: data };
  },
  'image/png': (bytes, kind) => pngPixels(bytes, kind),
};

/** Pieces of a PNG that its pixels depend on; the others may hold anything, packed however well. */
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const SIGNATURE = 8;
/** Length, type and checksum of a piece. */
const FRAME = 12;

function pngPixels(bytes: Uint8Array, { width, height }: PictureKind): Pixels {
  const { data, depth, channels, palette, transparency } = decodePng(boundedPng(bytes, width, height));
  const shift = depth === 16 ? 8 : 0;
  const most = depth < 8 ? 2 ** depth - 1 : 255;
  const rgb = new Uint8Array(width * height * 3);
  const grey = channels < 3;
  const opaque = channels % 2 === 1;
  // Samples below eight bits come packed, each row in whole bytes.
  const perByte = depth < 8 ? 8 / depth : 1;
  const rowBytes = Math.ceil(width / perByte);
  const sample = (pixel: number, channel: number): number => {
    if (depth >= 8) return (data[pixel * channels + channel] ?? 0) >> shift;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const byte = data[row * rowBytes + Math.floor(column / perByte)] ?? 0;
    return (byte >> (8 - depth * ((column % perByte) + 1))) & most;
  };
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [alpha, colour] = palette
      ? fromPalette(palette, transparency, sample(pixel, 0))
      : [
          opaque ? 255 : sample(pixel, channels - 1),
          [0, 1, 2].map((c) => (sample(pixel, grey ? 0 : c) * 255) / most),
        ];
    for (let c = 0; c < 3; c++)
      rgb[3 * pixel + c] = Math.round(255 - (alpha / 255) * (255 - (colour[c] ?? 0)));
  }
  return { width, height, rgb };
}

function fromPalette(
  palette: readonly number[][],
  transparency: ArrayLike<number> | undefined,
  entry: number,
): [number, readonly number[]] {
  const colour = palette[entry];
  if (!colour) throw new Error('a pixel is of no colour of its palette');
  return [colour[3] ?? transparency?.[entry] ?? 255, colour];
}

/** The same PNG of what is needed only, whose pixels unpack to what its header says and to no more. @throws Error */
function boundedPng(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Buffer[] = [all.subarray(0, SIGNATURE)];
  const packed: Buffer[] = [];
  let ended = false;
  for (let from = SIGNATURE; from + FRAME <= all.length && !ended;) {
    const length = all.readUInt32BE(from);
    const type = all.toString('latin1', from + 4, from + 8);
    const to = from + FRAME + length;
    if (to > all.length) throw new Error('it is cut off');
    if (NEEDED.has(type)) kept.push(all.subarray(from, to));
    if (type === 'IDAT') packed.push(all.subarray(from + 8, to - 4));
    ended = type === 'IEND';
    from = to;
  }
  if (!ended) throw new Error('it is cut off');
  // Four samples of 16 bits at most; interlaced ones have up to twice as many rows and as many bytes to fill.
  const most = (8 * width + 8) * height + 8 * (width + 2 * height + 16);
  inflateSync(Buffer.concat(packed), { maxOutputLength: most });
  return Buffer.concat(kept);
}
