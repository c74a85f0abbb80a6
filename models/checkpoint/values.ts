import type { Dtype } from '../tensors/index.ts';

/** Element types that checkpoints store; the two half-width ones are widened to float32 when read. */
export type StoredDtype = Dtype | 'float16' | 'bfloat16';

/** Bytes of one stored element. */
export const storedBytes: Readonly<Record<StoredDtype, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
};

/** A run of elements somewhere in the file, which any number of tensors look into. */
export class StorageRef {
  readonly key: string;
  readonly dtype: StoredDtype;
  /** Elements that may be seen through this reference. */
  readonly elements: number;
  /** First of them within the stored run; not 0 only in very old files. */
  readonly base: number;
  constructor(key: string, dtype: StoredDtype, elements: number, base = 0) {
    this.key = key;
    this.dtype = dtype;
    this.elements = elements;
    this.base = base;
  }
}

/** A strided view of a storage; offset and strides are in elements, and lie inside the storage. */
export class TensorView {
  readonly storage: StorageRef;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: StorageRef, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/**
 * What is left of anything that only running code could build: the name of that code and where the file asks
 * for it. It is never called and holds nothing of what was to be passed to it.
 */
export class Opaque {
  readonly global: string;
  /** Byte of the pickle at which it is named. */
  readonly offset: number;
  constructor(global: string, offset: number) {
    this.global = global;
    this.offset = offset;
  }
}

/** A Python dict. A Map, so that no key can reach a prototype. */
export type PlainDict = Map<PlainValue, PlainValue>;

/** Everything that reading a checkpoint can build: plain data, tensors, and inert marks. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PlainValue[]
  | PlainDict
  | StorageRef
  | TensorView
  | Opaque;
