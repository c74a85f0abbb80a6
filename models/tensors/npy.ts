import { checked, dtypes, elementCount, fromBytes, TensorFormatError, toBytes } from './array.ts';
import { float16ToFloat32 } from './half.ts';
import type { Dtype, NumericArray, TensorData } from './array.ts';

/** An array of text, stored as NumPy's fixed-width Unicode (`<U…`). */
export interface TextArray {
  dtype: 'text';
  shape: number[];
  data: string[];
}
/** What a .npy file holds. */
export type NpyArray = NumericArray | TextArray;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER = 65_536;
const HEADER_ALIGNMENT = 64;
const CODE_POINT_BYTES = 4;

const descriptors: Readonly<Record<Dtype, string>> = {
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  bool: '|b1',
};
const dtypeOf = new Map(Object.entries(descriptors).map(([dtype, descr]) => [descr, dtype as Dtype]));

/**
 * Reads a .npy file (format 1.0–3.0), big-endian or not; float16 becomes float32, byte strings become text. Objects
 * (pickle), structured types, instants and complex numbers are refused. Fortran-ordered data come back in row-major order.
 * @throws TensorFormatError naming what is wrong.
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new TensorFormatError('not a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(6);
  if (major < 1 || major > 3) throw new TensorFormatError(`.npy format ${major} is not known`);
  if (major > 1 && bytes.length < 12) throw new TensorFormatError('the .npy header is cut off');
  const headerStart = major === 1 ? 10 : 12;
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerStart + headerLength;
  if (headerLength > MAX_HEADER || start > bytes.length)
    throw new TensorFormatError('the .npy header is cut off');
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(headerStart, start)));
  const body = bytes.subarray(start);

  const text = /^([<>=])U(\d{1,6})$/.exec(header.descr);
  if (text) return readText(body, header, Number(text[2]), text[1] !== '>');
  const byteText = /^[|<>=]S(\d{1,6})$/.exec(header.descr);
  if (byteText) return readByteText(body, header, Number(byteText[1]));
  if (/^[<>=]f2$/.test(header.descr)) return readHalf(body, header);
  const dtype = dtypeOf.get(header.descr.replace(/^[<>|=](?=[iub]1$)/, '|').replace(/^[>=]/, '<'));
  if (dtype === undefined) throw new TensorFormatError(`.npy element type ${header.descr} is not read`);
  const expected = elementCount(header.shape) * dtypes[dtype].bytes;
  if (expected !== body.length) {
    throw new TensorFormatError(
      `the .npy file holds ${body.length} bytes of data, its header says ${expected}`,
    );
  }
  const isSwapped = header.descr.startsWith('>') && dtypes[dtype].bytes > 1;
  const data = fromBytes(dtype, isSwapped ? swapped(body, dtypes[dtype].bytes) : body);
  if (header.fortran) toRowMajor(data, header.shape);
  return { dtype, shape: header.shape, data };
}

/** Like {@link readNpy}, for a float32 file; any other type is refused. */
export function readFloat32Npy(bytes: Uint8Array): { shape: number[]; data: Float32Array } {
  const array = readNpy(bytes);
  if (!(array.data instanceof Float32Array))
    throw new TensorFormatError(`float32 expected, found ${array.dtype}`);
  return { shape: array.shape, data: array.data };
}

/** Writes a .npy file, format 1.0, row-major; equal arrays give equal bytes. */
export function writeNpy(array: NpyArray): Uint8Array {
  const { descr, body } = encodeBody(array);
  const header = headerOf(descr, array.shape);
  const file = new Uint8Array(header.length + body.length);
  file.set(header);
  file.set(body, header.length);
  return file;
}

/** What stands before the numbers of a .npy file that are written piece by piece, row-major. */
export const npyHeader = (dtype: Dtype, shape: readonly number[]): Uint8Array =>
  headerOf(descriptors[dtype], shape);

function headerOf(descr: string, shape: readonly number[]): Uint8Array {
  const trailingComma = shape.length === 1 ? ',' : '';
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${trailingComma}), }`;
  const unpadded = 10 + dict.length + 1;
  const padding = (HEADER_ALIGNMENT - (unpadded % HEADER_ALIGNMENT)) % HEADER_ALIGNMENT;
  const text = new TextEncoder().encode(`${dict}${' '.repeat(padding)}\n`);
  const header = new Uint8Array(10 + text.length);
  header.set([...MAGIC, 1, 0, text.length & 0xff, text.length >> 8]);
  header.set(text, 10);
  return header;
}

interface Header {
  descr: string;
  fortran: boolean;
  shape: number[];
}

/** NumPy writes the three keys as a Python literal; nothing but exactly these three is accepted. */
function parseHeader(text: string): Header {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(\s*((?:\d+\s*,\s*)*(?:\d+)?)\s*,?\s*\)/.exec(text);
  if (!descr?.[1] || !order || shape?.[1] === undefined)
    throw new TensorFormatError('the .npy header is not readable');
  const rest = [descr[0], order[0], shape[0]].reduce((left, part) => left.replace(part, ''), text);
  if (!/^\s*\{[\s,]*\}\s*$/.test(rest)) throw new TensorFormatError('the .npy header has unknown parts');
  const sizes = shape[1].split(',').map((size) => size.trim());
  return {
    descr: descr[1],
    fortran: order[1] === 'True',
    shape: sizes.filter((size) => size !== '').map(Number),
  };
}

function toRowMajor(data: TensorData, shape: readonly number[]): void {
  const source = data.slice();
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = source[index.reduce((sum, at, axis) => sum + at * (strides[axis] ?? 0), 0)] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next === shape[axis] ? 0 : next;
      if (index[axis] !== 0) break;
    }
  }
}

function swapped(body: Uint8Array, bytes: number): Uint8Array {
  const copy = Buffer.from(body);
  return bytes === 2 ? copy.swap16() : bytes === 4 ? copy.swap32() : copy.swap64();
}

function readHalf(body: Uint8Array, header: Header): NumericArray {
  const count = elementCount(header.shape);
  if (count * 2 !== body.length)
    throw new TensorFormatError(
      `the .npy file holds ${body.length} bytes of data, its header says ${count * 2}`,
    );
  const bits = fromBytes('uint16', header.descr.startsWith('>') ? swapped(body, 2) : body);
  const data = float16ToFloat32(bits as Uint16Array);
  if (header.fortran) toRowMajor(data, header.shape);
  return { dtype: 'float32', shape: header.shape, data };
}

/** NumPy's fixed-width byte strings, which are ASCII or UTF-8 in practice. */
function readByteText(body: Uint8Array, header: Header, width: number): TextArray {
  const count = textCount(body, header, width);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const data = Array.from({ length: count }, (_, item) =>
    bytes.toString('utf8', item * width, (item + 1) * width).replace(/\0+$/, ''),
  );
  return { dtype: 'text', shape: header.shape, data };
}

function textCount(body: Uint8Array, header: Header, bytes: number): number {
  const count = elementCount(header.shape);
  if (header.fortran && header.shape.length > 1)
    throw new TensorFormatError('Fortran-ordered text is not read');
  if (count * bytes !== body.length) throw new TensorFormatError('the .npy text is cut off');
  return count;
}

function readText(body: Uint8Array, header: Header, width: number, isLittle: boolean): TextArray {
  const count = textCount(body, header, width * CODE_POINT_BYTES);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const data = Array.from({ length: count }, (_, item) => {
    let word = '';
    for (let i = 0; i < width; i++) {
      const point = view.getUint32((item * width + i) * CODE_POINT_BYTES, isLittle);
      if (point > 0x10ffff) throw new TensorFormatError('the .npy text is not Unicode');
      word += String.fromCodePoint(point);
    }
    return word.replace(/\0+$/, '');
  });
  return { dtype: 'text', shape: header.shape, data };
}

function encodeBody(array: NpyArray): { descr: string; body: Uint8Array } {
  if (array.dtype !== 'text') return { descr: descriptors[array.dtype], body: toBytes(checked(array).data) };
  if (array.data.length !== elementCount(array.shape))
    throw new TensorFormatError('shape and text do not agree');
  const words = array.data.map((word) => Array.from(word, (character) => character.codePointAt(0) ?? 0));
  const width = Math.max(1, ...words.map((word) => word.length));
  const points = new Uint32Array(words.length * width);
  words.forEach((word, item) => points.set(word, item * width));
  return { descr: `<U${width}`, body: toBytes(points) };
}
