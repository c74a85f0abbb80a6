import { openBytes, type ByteSource } from './bytes.ts';
import type { Container, StoredRun } from './container.ts';
import { CheckpointError } from './errors.ts';
import { nameTensors, unsafe, type NamedTensors } from './flatten.ts';
import { readView } from './read-tensor.ts';
import { readSafetensorsIndex } from './safetensors.ts';
import { sniffContainer } from './sniff.ts';
import { missingTensor, tensorSource, type TensorSource } from './source.ts';
import { readTorchLegacy } from './torch-legacy.ts';
import { readTorchZip } from './torch-zip.ts';
import type { RefusedGlobal } from './unpickle.ts';
import { storedBytes, type PlainValue, type StoredDtype, type TensorView } from './values.ts';
import type { TensorData } from '../tensors/index.ts';

export { CheckpointError, type CheckpointErrorCode } from './errors.ts';
export {
  memorySource,
  tensorSource,
  type MemoryTensor,
  type TensorSource,
  type TensorStore,
} from './source.ts';
export type { RefusedGlobal } from './unpickle.ts';
export {
  Opaque,
  StorageRef,
  TensorView,
  type PlainDict,
  type PlainValue,
  type StoredDtype,
} from './values.ts';

/** A tensor of a checkpoint, not yet read. */
export interface TensorInfo {
  dtype: StoredDtype;
  /** `[]` for a scalar. */
  shape: readonly number[];
  /** Where it lies; offset and strides count elements. Tensors that agree in all of it are one and the same. */
  storage: { key: string; offset: number; strides: readonly number[] };
}

/** A tensor that was read: row-major. */
export interface TensorValue {
  /** As stored. */
  dtype: StoredDtype;
  shape: readonly number[];
  /** float16 and bfloat16 are widened to float32; int64 and uint64 are bigints. */
  data: TensorData;
}

/** An open checkpoint. Only its index is in memory. */
export interface Checkpoint {
  readonly container: Container['kind'];
  /** By the key of the state dict; nested dicts are joined by dots. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Everything the file holds beside numbers: dicts, lists, scalars, views, opaque marks. */
  readonly tree: PlainValue;
  /** Code that the file asks for and that was not run. A benign training checkpoint may name some. */
  readonly refused: readonly RefusedGlobal[];
  /** Bytes of the file. */
  readonly bytes: number;
  /**
   * Reads one tensor; beside it, about 1 MiB is held.
   * @throws CheckpointError `missing-tensor`, `unsafe` when only code could build it, `truncated`.
   */
  read(name: string): Promise<TensorValue>;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint: torch zip, legacy torch stream or safetensors. Nothing in the file is ever run, and only its
 * index is read.
 * @throws CheckpointError saying what was found and what to do.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return readCheckpoint(await openBytes(path));
}

/** Like {@link openCheckpoint}, over any source of bytes, which is closed with the checkpoint. */
async function readCheckpoint(bytes: ByteSource): Promise<Checkpoint> {
  try {
    const container = await readContainer(bytes);
    const named = nameTensors(container.tree);
    for (const [name, view] of named.tensors) locate(container, name, view);
    return new OpenCheckpoint(bytes, container, named);
  } catch (thrown) {
    await bytes.close();
    throw thrown;
  }
}

async function readContainer(bytes: ByteSource): Promise<Container> {
  switch (await sniffContainer(bytes)) {
    case 'torch-zip':
      return readTorchZip(bytes);
    case 'torch-legacy':
      return readTorchLegacy(bytes);
    case 'safetensors':
      return readSafetensorsIndex(bytes);
  }
}

/** Finds the run of bytes behind a view, and checks that it is as long as the view was told. */
function locate({ runs, kind }: Container, name: string, { storage }: TensorView): StoredRun {
  const run = runs.get(storage.key);
  const end = (storage.base + storage.elements) * storedBytes[storage.dtype];
  // A view of a very old file may see only part of its storage; everywhere else the sizes are equal.
  if (run !== undefined && (kind === 'torch-legacy' ? end <= run.bytes : end === run.bytes)) return run;
  throw new CheckpointError(
    run === undefined ? 'truncated' : 'malformed',
    run === undefined
      ? `the numbers of ${name} (storage ${storage.key}) are not in the file`
      : `${name} says that its storage has ${storage.elements} numbers of ${storage.dtype}, the file holds ${run.bytes} bytes`,
    'The file is incomplete or damaged: get it again from its publisher.',
  );
}

class OpenCheckpoint implements Checkpoint {
  readonly container: Container['kind'];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly tree: PlainValue;
  readonly refused: readonly RefusedGlobal[];
  readonly bytes: number;
  readonly #source: ByteSource;
  readonly #parts: Container;
  readonly #named: NamedTensors;

  constructor(source: ByteSource, parts: Container, named: NamedTensors) {
    this.container = parts.kind;
    this.tree = parts.tree;
    this.refused = parts.refused;
    this.bytes = source.size;
    this.tensors = new Map([...named.tensors].map(([name, view]) => [name, tensorInfo(view)]));
    this.#source = source;
    this.#parts = parts;
    this.#named = named;
  }

  async read(name: string): Promise<TensorValue> {
    const view = this.#named.tensors.get(name);
    if (view === undefined) {
      const opaque = this.#named.opaque.get(name);
      if (opaque !== undefined) throw unsafe(`the tensor ${name}`, opaque);
      return missingTensor(name);
    }
    const data = await readView(this.#source, locate(this.#parts, name, view), view, this.#parts.bigEndian);
    return { dtype: view.storage.dtype, shape: view.shape, data };
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

function tensorInfo({ storage, offset, shape, strides }: TensorView): TensorInfo {
  return {
    dtype: storage.dtype,
    shape,
    storage: { key: storage.key, offset: storage.base + offset, strides },
  };
}

/** The tensors of a checkpoint as float32, for building graphs. */
export function checkpointSource(checkpoint: Checkpoint): TensorSource {
  const find = (name: string): TensorInfo => checkpoint.tensors.get(name) ?? missingTensor(name);
  return tensorSource({
    names: () => [...checkpoint.tensors.keys()],
    has: (name) => checkpoint.tensors.has(name),
    shape: (name) => find(name).shape,
    identity: (name) => {
      const { dtype, shape, storage } = find(name);
      return `${storage.key}@${storage.offset}:${dtype}[${shape.join()}]/[${storage.strides.join()}]`;
    },
    read: async (name) => toFloat32((await checkpoint.read(name)).data),
  });
}

function toFloat32(data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  return Float32Array.from(data);
}
