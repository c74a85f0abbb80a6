import * as z from 'zod';
import { checked, dtypes, elementCount, fromBytes, TensorFormatError, toBytes } from './array.ts';
import type { Dtype, NumericArray } from './array.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';

/** A safetensors file: named tensors and the text of its `__metadata__`. */
export interface Safetensors {
  tensors: Map<string, NumericArray>;
  metadata: Record<string, string>;
}

const LENGTH_BYTES = 8;
/** The format's own limit. */
const MAX_HEADER = 100_000_000;

const names: Readonly<Record<Dtype, string>> = {
  float32: 'F32',
  float64: 'F64',
  int8: 'I8',
  uint8: 'U8',
  int16: 'I16',
  uint16: 'U16',
  int32: 'I32',
  uint32: 'U32',
  int64: 'I64',
  uint64: 'U64',
  bool: 'BOOL',
};
const dtypeOf = new Map<string, SafetensorsEntry['dtype']>([
  ...Object.entries(names).map(([dtype, name]) => [name, dtype as Dtype] as const),
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
]);

const size = z.int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
const metadataSchema = z.record(z.string(), z.string());

/** A tensor of a safetensors file, located but not read. */
export interface SafetensorsEntry {
  name: string;
  /** float16 and bfloat16 are stored types only: reading widens them to float32. */
  dtype: Dtype | 'float16' | 'bfloat16';
  shape: number[];
  /** Bytes after the header. */
  start: number;
  end: number;
}

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors). Offsets must cover the data exactly,
 * without holes or overlaps, as the format demands. float16 and bfloat16 become float32.
 * @throws TensorFormatError naming what is wrong.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const bodyStart = LENGTH_BYTES + headerLength(bytes, bytes.length);
  const body = bytes.subarray(bodyStart);
  const { entries, metadata } = parseSafetensorsHeader(bytes.subarray(LENGTH_BYTES, bodyStart), body.length);
  const tensors = new Map<string, NumericArray>();
  for (const { name, dtype, shape, start, end } of entries) {
    const part = body.subarray(start, end);
    if (dtype === 'float16') tensors.set(name, widened(shape, float16ToFloat32(halves(part))));
    else if (dtype === 'bfloat16') tensors.set(name, widened(shape, bfloat16ToFloat32(halves(part))));
    else tensors.set(name, { dtype, shape, data: fromBytes(dtype, part) });
  }
  return { tensors, metadata };
}

function widened(shape: number[], data: Float32Array): NumericArray {
  return { dtype: 'float32', shape, data };
}

function halves(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}

/**
 * Length of the JSON header, from the first 8 bytes of a file.
 * @throws TensorFormatError when the file of `size` bytes cannot hold it.
 */
export function headerLength(start: Uint8Array, size: number): number {
  if (start.length < LENGTH_BYTES) throw new TensorFormatError('not a safetensors file');
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  if (length > MAX_HEADER || length > size - LENGTH_BYTES)
    throw new TensorFormatError('not a safetensors file: its header is longer than the file');
  return Number(length);
}

/**
 * Reads the header, in the order of the data, and checks that the tensors cover `bodyBytes` exactly.
 * @throws TensorFormatError naming what is wrong.
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  bodyBytes: number,
): { entries: SafetensorsEntry[]; metadata: Record<string, string> } {
  const { entries, metadata } = readHeader(header);
  let covered = 0;
  const checkedEntries = entries
    .sort((a, b) => a[1].data_offsets[0] - b[1].data_offsets[0])
    .map(([name, entry]): SafetensorsEntry => {
      const [start, end] = entry.data_offsets;
      if (start !== covered || end < start || end > bodyBytes)
        throw new TensorFormatError(`safetensors: ${name} lies at ${start}–${end} of ${bodyBytes}`);
      covered = end;
      const dtype = dtypeOf.get(entry.dtype);
      if (dtype === undefined)
        throw new TensorFormatError(`safetensors: ${name} has the type ${entry.dtype}`);
      const width = dtype === 'float16' || dtype === 'bfloat16' ? 2 : dtypes[dtype].bytes;
      if (elementCount(entry.shape) * width !== end - start)
        throw new TensorFormatError(`safetensors: shape and size of ${name} do not agree`);
      return { name, dtype, shape: entry.shape, start, end };
    });
  if (covered !== bodyBytes) throw new TensorFormatError('safetensors: data that no tensor describes');
  return { entries: checkedEntries, metadata };
}

/**
 * Writes a safetensors file. Tensors are laid out by falling item size, then name, so that every one is aligned
 * and equal contents give equal bytes.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, NumericArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = Object.entries(tensors).sort(
    ([nameA, a], [nameB, b]) => dtypes[b.dtype].bytes - dtypes[a.dtype].bytes || (nameA < nameB ? -1 : 1),
  );
  const header: Record<string, unknown> = {};
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) header['__metadata__'] = Object.fromEntries(keys.map((key) => [key, metadata[key]]));
  let offset = 0;
  for (const [name, array] of sorted) {
    const end = offset + checked(array).data.byteLength;
    header[name] = { dtype: names[array.dtype], shape: array.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES;
  const file = new Uint8Array(LENGTH_BYTES + padded + offset);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, LENGTH_BYTES);
  let at = LENGTH_BYTES + padded;
  for (const [, array] of sorted) {
    file.set(toBytes(array.data), at);
    at += array.data.byteLength;
  }
  return file;
}

function readHeader(bytes: Uint8Array): {
  entries: [string, z.infer<typeof entrySchema>][];
  metadata: Record<string, string>;
} {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TensorFormatError('not a safetensors file: its header is not JSON', { cause: error });
  }
  const members = z.record(z.string(), z.unknown()).safeParse(json);
  if (!members.success) throw new TensorFormatError('not a safetensors file: its header is not an object');
  const { __metadata__: rawMetadata = {}, ...rawEntries } = members.data;
  const metadata = metadataSchema.safeParse(rawMetadata);
  if (!metadata.success) throw new TensorFormatError('safetensors: metadata other than text');
  const entries = Object.entries(rawEntries).map(([name, raw]): [string, z.infer<typeof entrySchema>] => {
    const entry = entrySchema.safeParse(raw);
    if (!entry.success) throw new TensorFormatError(`safetensors: the entry of ${name} is malformed`);
    return [name, entry.data];
  });
  return { entries, metadata: metadata.data };
}
