import { elementCount } from '../tensors/index.ts';
import { CheckpointError } from './errors.ts';

/**
 * Named float32 tensors that graphs are built from, wherever they come from. Reading is lazy: a tensor takes
 * memory only while its caller holds it.
 */
export interface TensorSource {
  /** Every name, in the order of the file. */
  names(): string[];
  has(name: string): boolean;
  /**
   * Sizes of a tensor; `[]` for a scalar.
   * @throws CheckpointError `missing-tensor`.
   */
  shape(name: string): readonly number[];
  /**
   * Equal for two names that are the same view of the same storage, and for no others: what a graph should
   * store once.
   * @throws CheckpointError `missing-tensor`.
   */
  identity(name: string): string;
  /**
   * The values in row-major order, as float32 whatever the file stores.
   * @throws CheckpointError `missing-tensor`, or whatever is wrong with its bytes.
   */
  read(name: string): Promise<Float32Array>;
  /** The tensors named `prefix.…`, without the prefix; an empty prefix is the source itself. */
  under(prefix: string): TensorSource;
}

/** What a source must provide; {@link tensorSource} adds the prefix view. */
export type TensorStore = Omit<TensorSource, 'under'>;

/** Adds the prefix view to a store of tensors. */
export function tensorSource(store: TensorStore): TensorSource {
  const source: TensorSource = {
    names: () => store.names(),
    has: (name) => store.has(name),
    shape: (name) => store.shape(name),
    identity: (name) => store.identity(name),
    read: (name) => store.read(name),
    under: (prefix) => (prefix === '' ? source : underPrefix(store, prefix)),
  };
  return source;
}

function underPrefix(store: TensorStore, prefix: string): TensorSource {
  const start = prefix.endsWith('.') ? prefix : `${prefix}.`;
  return tensorSource({
    names: () => {
      const inside = store.names().filter((name) => name.startsWith(start));
      return inside.map((name) => name.slice(start.length));
    },
    has: (name) => store.has(start + name),
    shape: (name) => store.shape(start + name),
    identity: (name) => store.identity(start + name),
    read: (name) => store.read(start + name),
  });
}

/** A tensor held in memory. */
export interface MemoryTensor {
  shape: readonly number[];
  data: Float32Array;
}

/**
 * A source over arrays in memory: for tests, and for weights that were computed rather than read. Two names
 * with the same array object and the same shape are one tensor.
 * @throws CheckpointError `shape` when a shape and its data do not agree.
 */
export function memorySource(tensors: Readonly<Record<string, MemoryTensor>>): TensorSource {
  const held = new Map(Object.entries(tensors));
  const storages = new Map<Float32Array, number>();
  for (const [name, { shape, data }] of held) {
    if (elementCount(shape) !== data.length) {
      throw new CheckpointError(
        'shape',
        `${name}: ${data.length} numbers for [${shape.join()}]`,
        'Give as many numbers as the shape has elements.',
      );
    }
    if (!storages.has(data)) storages.set(data, storages.size);
  }
  const find = (name: string): MemoryTensor => held.get(name) ?? missingTensor(name);
  return tensorSource({
    names: () => [...held.keys()],
    has: (name) => held.has(name),
    shape: (name) => find(name).shape,
    identity: (name) => {
      const { shape, data } = find(name);
      const storage = storages.get(data) ?? missingTensor(name);
      return `${storage}:[${shape.join()}]`;
    },
    read: (name) => Promise.resolve().then(() => find(name).data),
  });
}

/** Reports a tensor that the model needs and the file lacks. */
export function missingTensor(name: string): never {
  throw new CheckpointError(
    'missing-tensor',
    `the checkpoint has no tensor ${name}`,
    'Use a file of the published model, complete and unchanged.',
  );
}
