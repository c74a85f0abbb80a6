/** Typed arrays that Archetone reads from and writes to tensor files. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Element types of tensor files; `bool` is kept as bytes 0 and 1. */
export type Dtype =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool';

/** A dense array in row-major order; `data.length` is the product of `shape` (1 for a scalar). */
export interface NumericArray {
  dtype: Dtype;
  shape: number[];
  data: TensorData;
}

/** Bytes that are not the tensor file they claim to be, or hold something that Archetone does not read. */
export class TensorFormatError extends Error {
  override readonly name = 'TensorFormatError';
}

interface DtypeInfo {
  bytes: number;
  make: (buffer: ArrayBuffer) => TensorData;
}

/** Item size and typed-array view of each element type. Files and all supported machines are little-endian. */
export const dtypes: Readonly<Record<Dtype, DtypeInfo>> = {
  float32: { bytes: 4, make: (b) => new Float32Array(b) },
  float64: { bytes: 8, make: (b) => new Float64Array(b) },
  int8: { bytes: 1, make: (b) => new Int8Array(b) },
  uint8: { bytes: 1, make: (b) => new Uint8Array(b) },
  int16: { bytes: 2, make: (b) => new Int16Array(b) },
  uint16: { bytes: 2, make: (b) => new Uint16Array(b) },
  int32: { bytes: 4, make: (b) => new Int32Array(b) },
  uint32: { bytes: 4, make: (b) => new Uint32Array(b) },
  int64: { bytes: 8, make: (b) => new BigInt64Array(b) },
  uint64: { bytes: 8, make: (b) => new BigUint64Array(b) },
  bool: { bytes: 1, make: (b) => new Uint8Array(b) },
};

/**
 * Number of elements of a shape.
 * @throws TensorFormatError on a negative, fractional or absurdly large size.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw new TensorFormatError(`a dimension of ${size}`);
    count *= size;
  }
  if (!Number.isSafeInteger(count)) throw new TensorFormatError(`a shape of ${shape.join(' × ')} elements`);
  return count;
}

/** Copies bytes into a typed array of their own: aligned, and independent of the file's buffer. */
export function fromBytes(dtype: Dtype, bytes: Uint8Array): TensorData {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return dtypes[dtype].make(copy);
}

/** The bytes behind a typed array, without a copy. */
export function toBytes(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A float32 array with its shape, checked. */
export function float32Array(data: Float32Array, shape: number[]): NumericArray {
  return checked({ dtype: 'float32', shape, data });
}

/**
 * Checks that shape, element type and data agree.
 * @throws TensorFormatError when they do not.
 */
export function checked(array: NumericArray): NumericArray {
  const bytes = elementCount(array.shape) * dtypes[array.dtype].bytes;
  if (bytes !== array.data.byteLength) {
    throw new TensorFormatError(
      `${array.data.byteLength} bytes of data where [${array.shape.join()}] ${array.dtype} needs ${bytes}`,
    );
  }
  return array;
}
