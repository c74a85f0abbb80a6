import {
  bfloat16ToFloat32,
  dtypes,
  elementCount,
  float16ToFloat32,
  toBytes,
  type TensorData,
} from '../tensors/index.ts';
import type { ByteSource } from './bytes.ts';
import type { StoredRun } from './container.ts';
import { CheckpointError } from './errors.ts';
import { storedBytes, type StoredDtype, type TensorView } from './values.ts';

/** Beside the tensor itself, reading holds no more than this. */
const CHUNK_BYTES = 1024 ** 2;

/**
 * Reads a view in row-major order. Only the bytes it reaches are read; beside the result one chunk of 1 MiB is
 * held.
 * @returns float16 and bfloat16 as float32, everything else as stored.
 */
export async function readView(
  bytes: ByteSource,
  run: StoredRun,
  view: TensorView,
  bigEndian: boolean,
): Promise<TensorData> {
  const { dtype } = view.storage;
  const count = elementCount(view.shape);
  const target = allocate(dtype, count);
  if (count === 0) return target;
  const start = run.position + (view.storage.base + view.offset) * storedBytes[dtype];
  const reader = new ElementReader(bytes, start, dtype, bigEndian);
  if (isContiguous(view)) await readRun(reader, target);
  else await readStrided(reader, view, target);
  return target;
}

/** Whether the elements of a view lie one after the other in row-major order. */
function isContiguous({ shape, strides }: TensorView): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

async function readRun(reader: ElementReader, target: TensorData): Promise<void> {
  if (reader.stored) return reader.readInto(target);
  const step = reader.chunkElements;
  for (let at = 0; at < target.length; at += step) {
    const chunk = await reader.load(at, Math.min(step, target.length - at));
    sameKind(target).set(sameKind(chunk), at);
  }
}

/** Source and target have one element type; TypeScript cannot see which, and that it is the same. */
function sameKind(data: TensorData): Float32Array {
  return data as Float32Array;
}

/** Walks the view in the order of the file, so that transposed tensors are not read one number at a time. */
async function readStrided(reader: ElementReader, view: TensorView, target: TensorData): Promise<void> {
  const axes = axesOf(view);
  const inner = axes.pop() ?? { size: 1, stride: 0, step: 0 };
  const index = axes.map(() => 0);
  for (;;) {
    const from = axes.reduce((sum, { stride }, i) => sum + (index[i] ?? 0) * stride, 0);
    const to = axes.reduce((sum, { step }, i) => sum + (index[i] ?? 0) * step, 0);
    await readLine(reader, target, inner, from, to);
    let axis = axes.length - 1;
    for (; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next === axes[axis]?.size ? 0 : next;
      if (index[axis] !== 0) break;
    }
    if (axis < 0) return;
  }
}

/** One axis of a view: how far one step goes in the file (`stride`) and in the row-major result (`step`). */
interface Axis {
  size: number;
  stride: number;
  step: number;
}

/** Axes of more than one element, the farthest apart in the file first. */
function axesOf({ shape, strides }: TensorView): Axis[] {
  let step = 1;
  const axes: Axis[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size > 1) axes.push({ size, stride: strides[axis] ?? 0, step });
    step *= size;
  }
  return axes.sort((a, b) => b.stride - a.stride);
}

async function readLine(
  reader: ElementReader,
  target: TensorData,
  { size, stride, step }: Axis,
  from: number,
  to: number,
): Promise<void> {
  for (let done = 0; done < size;) {
    const { chunk, first, count } = await reader.around(from + done * stride, (size - done - 1) * stride + 1);
    const offset = from + done * stride - first;
    const fits = stride === 0 ? size - done : Math.min(size - done, Math.ceil((count - offset) / stride));
    const [write, read] = [sameKind(target), sameKind(chunk)];
    for (let i = 0; i < fits; i++) write[to + (done + i) * step] = read[offset + i * stride] ?? 0;
    done += fits;
  }
}

/** Reads elements from a fixed place of the file, in chunks; the last chunk is kept. */
class ElementReader {
  readonly #bytes: ByteSource;
  readonly #start: number;
  readonly #dtype: StoredDtype;
  readonly #bigEndian: boolean;
  readonly chunkElements: number;
  /** Whether the result has the bytes of the file. */
  readonly stored: boolean;
  #held: { chunk: TensorData; first: number; count: number } | undefined;

  constructor(bytes: ByteSource, start: number, dtype: StoredDtype, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#start = start;
    this.#dtype = dtype;
    this.#bigEndian = bigEndian;
    this.chunkElements = CHUNK_BYTES / storedBytes[dtype];
    this.stored = !bigEndian && dtype !== 'float16' && dtype !== 'bfloat16';
  }

  /** Fills an array with the elements from the first one on, in one go. */
  readInto(target: TensorData): Promise<void> {
    return this.#bytes.readInto(toBytes(target), this.#start);
  }

  async load(first: number, count: number): Promise<TensorData> {
    const width = storedBytes[this.#dtype];
    const raw = new Uint8Array(count * width);
    await this.#bytes.readInto(raw, this.#start + first * width);
    if (this.#bigEndian) swap(raw, width);
    return decode(this.#dtype, raw.buffer);
  }

  /** A chunk that holds element `at` and, as far as it can, the `span − 1` elements after it. */
  async around(at: number, span: number): Promise<{ chunk: TensorData; first: number; count: number }> {
    const held = this.#held;
    if (held && at >= held.first && at < held.first + held.count) return held;
    // Reading on past the line serves the next one; the end of the file is the only limit.
    const width = storedBytes[this.#dtype];
    const left = Math.floor((this.#bytes.size - this.#start) / width) - at;
    const count = Math.min(this.chunkElements, left);
    if (count < 1) throw outside(at, span);
    this.#held = { chunk: await this.load(at, count), first: at, count };
    return this.#held;
  }
}

function allocate(dtype: StoredDtype, count: number): TensorData {
  if (dtype === 'float16' || dtype === 'bfloat16') return new Float32Array(count);
  return dtypes[dtype].make(new ArrayBuffer(count * storedBytes[dtype]));
}

function decode(dtype: StoredDtype, buffer: ArrayBuffer): TensorData {
  if (dtype === 'float16') return float16ToFloat32(new Uint16Array(buffer));
  if (dtype === 'bfloat16') return bfloat16ToFloat32(new Uint16Array(buffer));
  return dtypes[dtype].make(buffer);
}

function swap(raw: Uint8Array, width: number): void {
  for (let at = 0; at < raw.length; at += width) raw.subarray(at, at + width).reverse();
}

function outside(at: number, span: number): CheckpointError {
  return new CheckpointError(
    'malformed',
    `a tensor reaches numbers ${at} to ${at + span - 1}, which are not in the file`,
    'The file is damaged: get it again from its publisher.',
  );
}
