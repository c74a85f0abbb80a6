import {
  headerLength,
  parseSafetensorsHeader,
  TensorFormatError,
  type SafetensorsEntry,
} from '../tensors/index.ts';
import type { ByteSource } from './bytes.ts';
import type { Container } from './container.ts';
import { CheckpointError } from './errors.ts';
import { StorageRef, TensorView, type PlainDict } from './values.ts';

const LENGTH_BYTES = 8;

/**
 * Reads the header of a safetensors file; every tensor is a storage of its own.
 * @throws CheckpointError
 */
export async function readSafetensorsIndex(bytes: ByteSource): Promise<Container> {
  const start = await bytes.read(0, LENGTH_BYTES);
  try {
    const length = headerLength(start, bytes.size);
    const body = LENGTH_BYTES + length;
    const header = await bytes.read(LENGTH_BYTES, length);
    const { entries } = parseSafetensorsHeader(header, bytes.size - body);
    const tree: PlainDict = new Map(entries.map((entry) => [entry.name, view(entry)]));
    return {
      kind: 'safetensors',
      tree,
      refused: [],
      runs: new Map(
        entries.map((entry) => [
          entry.name,
          { position: body + entry.start, bytes: entry.end - entry.start },
        ]),
      ),
      bigEndian: false,
    };
  } catch (thrown) {
    if (!(thrown instanceof TensorFormatError)) throw thrown;
    throw new CheckpointError(
      'malformed',
      thrown.message,
      'The file is damaged or was cut off: get it again from its publisher.',
      { cause: thrown },
    );
  }
}

function view({ name, dtype, shape }: SafetensorsEntry): TensorView {
  const count = shape.reduce((product, size) => product * size, 1);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return new TensorView(new StorageRef(name, dtype, count), 0, shape, strides);
}
