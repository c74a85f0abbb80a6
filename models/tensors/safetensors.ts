import { z } from 'zod';
import { checked, dtypes, elementCount, fromBytes, TensorFormatError, toBytes } from './array.ts';
import type { Dtype, NumericArray } from './array.ts';

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
const dtypeOf = new Map(Object.entries(names).map(([dtype, name]) => [name, dtype as Dtype]));

const size = z.int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors). Offsets must cover the data exactly,
 * without holes or overlaps, as the format demands. float16 and bfloat16 are refused.
 * @throws TensorFormatError naming what is wrong.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { entries, metadata, body } = readHeader(bytes);
  const tensors = new Map<string, NumericArray>();
  let covered = 0;
  for (const [name, entry] of entries.sort((a, b) => a[1].data_offsets[0] - b[1].data_offsets[0])) {
    const [start, end] = entry.data_offsets;
    if (start !== covered || end < start || end > body.length) {
      throw new TensorFormatError(`safetensors: ${name} lies at ${start}–${end} of ${body.length}`);
    }
    covered = end;
    const dtype = dtypeOf.get(entry.dtype);
    if (dtype === undefined) throw new TensorFormatError(`safetensors: ${name} has the type ${entry.dtype}`);
    if (elementCount(entry.shape) * dtypes[dtype].bytes !== end - start) {
      throw new TensorFormatError(`safetensors: shape and size of ${name} do not agree`);
    }
    tensors.set(name, { dtype, shape: entry.shape, data: fromBytes(dtype, body.subarray(start, end)) });
  }
  if (covered !== body.length) throw new TensorFormatError('safetensors: data that no tensor describes');
  return { tensors, metadata };
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
  body: Uint8Array;
} {
  if (bytes.length < LENGTH_BYTES) throw new TensorFormatError('not a safetensors file');
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (length > MAX_HEADER || length > bytes.length - LENGTH_BYTES) {
    throw new TensorFormatError('not a safetensors file: its header is longer than the file');
  }
  const end = LENGTH_BYTES + Number(length);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, end)));
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
  return { entries, metadata: metadata.data, body: bytes.subarray(end) };
}
