import { elementCount } from '../tensors/index.ts';
import { malformed } from './pickle-reader.ts';
import {
  Opaque,
  StorageRef,
  TensorView,
  type PlainDict,
  type PlainValue,
  type StoredDtype,
} from './values.ts';

/** A global that the reader knows the meaning of. Nothing is ever looked up by its name: it is only compared. */
export class KnownGlobal {
  readonly name: string;
  readonly offset: number;
  constructor(name: string, offset: number) {
    this.name = name;
    this.offset = offset;
  }
}

const storageClasses: Readonly<Record<string, StoredDtype>> = {
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  DoubleStorage: 'float64',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

/** Element type of a storage class such as `torch.FloatStorage`; very old GPU files say `torch.cuda.…`. */
export function storageDtype(global: string): StoredDtype | undefined {
  const name = /^torch\.(?:cuda\.)?(\w+)$/.exec(global)?.[1];
  return name !== undefined && Object.hasOwn(storageClasses, name) ? storageClasses[name] : undefined;
}

type Builder = (args: PlainValue[], offset: number) => PlainValue;

/** The only things that a pickle can call here, each of them a few lines of this file. */
const builders: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['collections.OrderedDict', orderedDict],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', ([tensor], offset) => wrapped(tensor, offset)],
  ['torch.Size', ([sizes], offset) => listOf(sizes, 'torch.Size', offset)],
  ['_codecs.encode', ([text, encoding], offset) => encodeLatin1(text, encoding, offset)],
]);

/** Whether a global is on the allow-list. */
export function isKnown(global: string): boolean {
  return builders.has(global) || storageDtype(global) !== undefined;
}

/** Builds what a known global stands for. */
export function build(global: KnownGlobal, args: PlainValue[], offset: number): PlainValue {
  const builder = builders.get(global.name);
  if (builder === undefined) throw malformed(`a call of ${global.name}`, offset);
  return builder(args, offset);
}

function orderedDict([pairs]: PlainValue[], offset: number): PlainDict {
  const dict: PlainDict = new Map();
  if (pairs === undefined) return dict;
  for (const pair of listOf(pairs, 'an OrderedDict', offset)) {
    const [key, value] = listOf(pair, 'an OrderedDict', offset);
    if (key === undefined || value === undefined) throw malformed('an OrderedDict of no pairs', offset);
    dict.set(key, value);
  }
  return dict;
}

/** `(storage, offset, size, stride, …)`: the rest says how the tensor was trained. */
function rebuildTensor(args: PlainValue[], at: number): PlainValue {
  const [storage, offset, size, stride] = args;
  // A tensor over something that only code could build is that something.
  if (storage instanceof Opaque) return storage;
  if (!(storage instanceof StorageRef)) throw malformed('a tensor without a storage', at);
  const shape = naturals(size, at);
  const strides = naturals(stride, at);
  if (shape.length !== strides.length || shape.length > 32)
    throw malformed(`a tensor of ${shape.length} sizes and ${strides.length} strides`, at);
  const start = natural(offset, at);
  checkView(storage, start, shape, strides, at);
  return new TensorView(storage, start, shape, strides);
}

function checkView(
  storage: StorageRef,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  at: number,
): void {
  let count: number;
  try {
    count = elementCount(shape);
  } catch (cause) {
    throw malformed(`a tensor of [${shape.join()}]`, at, cause);
  }
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), offset);
  if (count > 0 && !(last < storage.elements)) {
    throw malformed(
      `a tensor [${shape.join()}] that reaches number ${last} of the ${storage.elements} numbers of storage ${storage.key}`,
      at,
    );
  }
  // Expanded tensors may be larger than what is stored, but an honest one is never huge.
  if (count > Math.max(storage.elements, MAX_EXPANDED))
    throw malformed(`a tensor of [${shape.join()}] over ${storage.elements} stored numbers`, at);
}
const MAX_EXPANDED = 2 ** 24;

function wrapped(tensor: PlainValue | undefined, offset: number): PlainValue {
  if (tensor instanceof TensorView || tensor instanceof Opaque) return tensor;
  throw malformed('a parameter that is no tensor', offset);
}

function encodeLatin1(
  text: PlainValue | undefined,
  encoding: PlainValue | undefined,
  offset: number,
): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw malformed('bytes in an unknown encoding', offset);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function naturals(value: PlainValue | undefined, offset: number): number[] {
  return listOf(value, 'a shape', offset).map((item) => natural(item, offset));
}

function natural(value: PlainValue | undefined, offset: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed('a size, stride or offset that is no natural number', offset);
}

function listOf(value: PlainValue | undefined, what: string, offset: number): PlainValue[] {
  if (Array.isArray(value)) return value;
  throw malformed(`${what} that is no list`, offset);
}
